"""A trained network: its weights, the configuration from which it is rebuilt, and the cache of compiled networks."""

import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from forecastkit.data.windows import Origins, forecast_in_batches
from forecastkit.networks import backbones
from forecastkit.networks.backbone import Sizes
from forecastkit.networks.heads import Head, make_head
from forecastkit.runtime.evaluator import Evaluator
from forecastkit.runtime.graph import Graph
from forecastkit.training.engines import backend, make_engine, unscoped
from forecastkit.utils import keras_parts
from forecastkit.utils.arrays import one_thread
from forecastkit.utils.exceptions import ArtifactError
from forecastkit.utils.validation import refuse

BUILDING = threading.RLock()
#: Number of windows that NumPy forecasts at once, such that intermediate results fit in the processor's cache.
NUMPY_BATCH = 128
#: Largest number of cached networks, each of which takes tens of megabytes once it is traced, and of their weights.
MAX_NETWORKS, MAX_WEIGHTS = 4, 2_000_000


class TrainedNetwork:
    """A network and its weights. Pickles contain the weights and the configuration, but nothing compiled.

    Between uses, another network of the same kind may take over the Keras model and its traced steps through the
    `NetworkCache`; this one then keeps its weights as arrays, and takes a model back when it needs one.

    Parameters
    ----------
    backbone : Backbone
    sizes : Sizes
    normalization : str
    loss : str, keras.losses.Loss or callable
    levels : tuple of float or None
    seed : int
        Seed of the initial weights.
    precision : str, optional
        Keras dtype policy of the layers; by default the active one when the network is built.
    optimizer : str, keras.Optimizer or dict, optional
        With whose settings it is trained.
    graph : Graph, optional
        The network for NumPy. A network that has one forecasts without Keras until it is trained.
    linear : ndarray of shape (lookback, horizon), optional
        See `linear_map`.
    """

    graph, compiled, linear = None, False, None  # pickles of earlier versions have none of them

    def __init__(self, backbone, sizes: Sizes, normalization: str, loss: str, levels, seed: int = 0, weights=None,
                 precision: str | None = None, optimizer=None, graph: Graph | None = None,
                 linear: np.ndarray | None = None):  # fmt: skip
        self.backbone, self.sizes, self.normalization = backbone, sizes, normalization
        self.loss, self.levels, self.seed, self.weights, self.precision = loss, levels, seed, weights, precision
        self.optimizer, self.graph, self.compiled, self.linear = optimizer, graph, False, linear
        self._live: CacheEntry | None = None

    @cached_property
    def head(self) -> Head:
        """The output head."""
        return make_head(self.loss, self.levels)

    def live(self, compiled: bool | None = None, strategy=None):
        """Return the Keras model and its engine, built on first use; no other network takes them over until `rest`.

        `compiled` says whether XLA compiles the training steps, by default as before; a strategy of tf.distribute may
        be given, with which the engine trains.
        """
        if compiled is not None:
            self.compiled = compiled
        with self._in_use(strategy) as entry:
            entry.held = True
        return entry.network, entry.engine

    def rest(self) -> None:
        """Release the data of training, and let other networks of the same kind take over the Keras model."""
        if self._live is not None:
            self._live.engine.release()
            NETWORK_CACHE.give(self._live)

    def shown(self):
        """Return the Keras model for use by the caller; it is then never reused for another fit."""
        network, engine = self.live()
        engine.show()
        NETWORK_CACHE.withdraw(self._live)
        return network

    def scale_correction(self, factor: float) -> None:
        """Multiply the corrections of the linear forecast by a factor; those of quantiles and distributions stay."""
        network = self.live()[0]
        if self.head.outputs == 1:
            for layer in _last_layers(network):
                layer.set_weights([factor * weight for weight in layer.get_weights()])

    def linear_map(self) -> np.ndarray | None:
        """Return the map (lookback, horizon) of `Network.linear_forecast` if it is the whole forecast, else None.

        This is the case if the weights of all corrections are 0; the network then need not be evaluated.
        """
        with NETWORK_CACHE.lock:
            if self._live is not None:
                self.linear = self._whole_forecast(self._live.network)
            return self.linear

    def _whole_forecast(self, network):
        if not self.sizes.linear or self.sizes.smoothings or self.head.outputs > 1:
            return None
        corrects = any(np.any(weight) for layer in _last_layers(network) for weight in layer.get_weights())
        return None if corrects else network.linear.numpy()

    def is_trained(self) -> bool:
        """Return whether there are weights."""
        return self._live is not None or self.weights is not None

    def count_parameters(self) -> int:
        """Return the number of weights."""
        with self._in_use() as entry:
            return entry.network.count_params()

    @contextmanager
    def _in_use(self, strategy=None) -> Iterator["CacheEntry"]:
        """Provide the Keras model and its engine, which no other network takes over meanwhile."""
        entry = None
        while entry is None:
            if self._live is None:
                with BUILDING:
                    self._live = self._live or unscoped(self._build, strategy)
            with NETWORK_CACHE.lock:
                if (entry := self._live) is not None:  # else another network has just taken it over
                    entry.users += 1
        try:
            yield entry
        finally:
            with NETWORK_CACHE.lock:
                entry.users -= 1
                if not (entry.users or entry.held):
                    NETWORK_CACHE.give(entry)

    def _displaced(self) -> None:
        """Keep the weights as arrays, because another network takes over the Keras model."""
        self.linear_map()
        self.weights, self.graph, self._live = self._live.network.get_weights(), None, None
        vars(self).pop("_evaluator", None)

    @contextmanager
    def unfrozen(self, train: str):
        """Give the Keras model and an engine for training all weights, or with 'head' those of the last layers only."""
        if train == "all":
            yield self.live()
            return
        network = self.live()[0]
        last = [layer for layer in (network.head, network.steps) if layer is not None]
        trained = {id(weight) for layer in last for weight in layer.weights}
        frozen = [weight for weight in network.trainable_variables if id(weight) not in trained]
        for weight in frozen:
            weight.trainable = False
        half = self.precision == "mixed_float16"
        try:
            yield network, make_engine(network, self.head, scaled=half, optimizer=self.optimizer)
        finally:
            for weight in frozen:
                weight.trainable = True

    def _build(self, strategy):
        kind = None if strategy is not None else self._kind_of()
        entry = NETWORK_CACHE.take(kind)
        if entry is None:
            network = self._fresh()
            half = self.precision == "mixed_float16"
            engine = make_engine(network, self.head, strategy, self._fresh, compiled=self.compiled, scaled=half,
                                 optimizer=self.optimizer)  # fmt: skip
            kind = kind if engine.reusable else None
            entry = CacheEntry(kind, network, engine, self.seed, network.get_weights())
        elif self.weights is None:
            if entry.seed != self.seed:
                entry.seed, entry.first = self.seed, self._fresh().get_weights()
            entry.network.set_weights(entry.first)
        if self.weights is not None:
            self._take_weights(entry.network)
        entry.belong_to(self)
        return entry

    def _kind_of(self):
        """Return the key under which compiled networks can be shared, or None if they cannot be shared."""
        if not self._is_registered():
            return None  # a user-defined layer may have a state
        if not isinstance(self.loss, str) or self.optimizer is not None:
            return None  # so may a user-defined loss, and steps are traced with their optimizer
        parameters = tuple(sorted(self.backbone.get_params(deep=False).items()))
        network = type(self.backbone), parameters, self.sizes, self.normalization, self.loss, self.levels
        import keras

        policy = self.precision or keras.config.dtype_policy().name
        kind = network, self.compiled, backend(), keras.config.floatx(), policy
        try:
            hash(kind)
        except TypeError:
            return None
        return kind

    def _fresh(self):
        """Return a network with the initial weights of its seed."""
        from forecastkit.networks.config import dtype_policy  # here: they load Keras
        from forecastkit.networks.layers import seed_random_states, seeded
        from forecastkit.networks.network import Network

        with seeded(self.seed), dtype_policy(self.precision):
            network = Network(self.backbone, self.sizes, self.head, self.normalization)
            network.build_layers()
            if not self._is_registered():
                seed_random_states(network)
        return network

    def _is_registered(self):
        return type(self.backbone).__module__.startswith(f"{backbones.__name__}.")

    def _take_weights(self, network):
        wanted, kept = ([np.shape(weight) for weight in weights] for weights in (network.weights, self.weights))
        if wanted != kept:
            refuse(
                "load",
                f"the backbone {type(self.backbone).__name__} must be the one that was trained",
                "one with other weights",
                "Pass the class that was used for training.",
                ArtifactError,
            )
        network.set_weights(self.weights)

    def with_mask(self) -> "TrainedNetwork":
        """Return the network with additional inputs for missing values, whose weights are 0: forecasts do not change.

        Networks with a user-defined layer of an unknown input layout are refused.
        """
        kept = [np.asarray(weight) for weight in self.__getstate__()["weights"]]
        arguments = {**self._arguments(), "sizes": replace(self.sizes, masked=True), "weights": None, "graph": None}
        masked = TrainedNetwork(**arguments)
        wanted = [np.shape(weight) for weight in unscoped(masked._fresh).weights]
        masked.weights = [_widened(*pair, self.sizes.patch) for pair in zip(kept, wanted, strict=True)]
        return masked

    def predict(self, buffers, origins: Origins) -> np.ndarray:
        """Return scaled forecasts (n, horizon, outputs)."""
        if not self.sizes.channels:
            return self._predict(buffers, origins.table())
        distinct, place = origins.together()
        return self._predict(buffers, distinct.table())[place, origins.channel]

    def _predict(self, buffers, table):
        if self._live is not None or self.graph is None:
            with self._in_use() as entry:
                return entry.engine.predict(buffers, table)
        most = max(1, NUMPY_BATCH // max(self.sizes.channels, 1))
        with one_thread():  # of small products; all cores compute batches
            forecasts = forecast_in_batches(
                self._evaluator, self.sizes, self.head.outputs, buffers, table, most, parallel=True
            )
        if len(table) > most:
            self._evaluator.release()
        return forecasts

    @cached_property
    def _evaluator(self):
        return Evaluator(self.graph, self.weights)

    def _state(self) -> dict:
        """Return the arguments from which the network is rebuilt, for the artifact."""
        if self._live is None and self.graph is not None:
            return self._arguments()
        with self._in_use() as entry:
            return {**self._arguments(), "graph": entry.engine.numpy_graph()}

    def _arguments(self):
        derived = ("_live", "compiled", "head", "_evaluator")
        held = {**vars(self), "linear": self.linear_map(), "weights": self.__getstate__()["weights"]}
        arguments = {name: value for name, value in held.items() if name not in derived}
        return {**arguments, "weights": [np.asarray(weight) for weight in arguments["weights"]]}

    def __getstate__(self):
        with NETWORK_CACHE.lock:  # so that no other network takes the model over meanwhile
            live = self._live
            weights = live.network.get_weights() if live else self.weights
            self.linear_map()
        state = {name: value for name, value in vars(self).items() if name not in ("head", "_evaluator")}
        # A network that was trained forecasts bit for bit the same in another process, by TensorFlow there too.
        graph = None if live else self.graph
        return keras_parts.portable({**state, "weights": weights, "graph": graph, "_live": None})

    def __setstate__(self, state):
        vars(self).update(keras_parts.restored(state))


def _last_layers(network) -> list:
    """Return the layers whose outputs are corrections of the linear forecast."""
    return [network.head] + ([network.steps.out] if network.steps is not None else [])


def _widened(weight: np.ndarray, shape: tuple[int, ...], patch: int) -> np.ndarray:
    """Insert zeros for missing-value indicators, which follow the `patch` steps of the target, into a weight."""
    if weight.shape == shape:
        return weight
    axes = [axis for axis, (own, new) in enumerate(zip(weight.shape, shape, strict=False)) if own != new]
    if len(weight.shape) != len(shape) or len(axes) != 1 or shape[axes[0]] - weight.shape[axes[0]] != patch:
        rule = "a network fitted on complete rows can only train on with missing ones where its inputs can be extended"
        got = f"a weight of shape {weight.shape} that would be {shape}"
        refuse("partial_fit", rule, got, "Fit afresh on all rows.")
    return np.insert(weight, [patch] * patch, 0.0, axis=axes[0])


@dataclass(eq=False)
class CacheEntry:
    """A Keras model with its traced steps."""

    kind: object  #: What networks must have in common to use it one after the other; None if no other one may
    network: object
    engine: object  #: The engine with the traced steps
    seed: int  #: Seed of `first`
    first: list  #: Weights before training
    held: bool = False  #: Whether its owner keeps it between uses
    users: int = 0  #: Number of uses in progress

    def belong_to(self, owner: TrainedNetwork) -> None:
        """Set the network whose weights it has, until that is deleted or another one takes it over."""
        self.owner, self.held = weakref.ref(owner), False
        # A finalizer instead of __del__, because garbage collection of cycles would delete the compiled functions
        # together with their owner.
        self.at_end = weakref.finalize(owner, NETWORK_CACHE.give, self)
        self.at_end.atexit = False

    def leave_owner(self) -> None:
        """Let the owner, if it still exists, keep its weights as arrays."""
        self.at_end.detach()
        if (owner := self.owner()) is not None:
            owner._displaced()


class NetworkCache:
    """Models that another network of their kind may take over, in the order of their last use, up to bounds.
    Thread-safe.
    """

    def __init__(self, max_networks: int = MAX_NETWORKS, max_weights: int = MAX_WEIGHTS):
        self.max_networks, self.max_weights = max_networks, max_weights
        self.entries: list[CacheEntry] = []
        self.requested: list[int] = []  #: Numbers of networks of the blocks in progress, see `room_for`
        self.lock = threading.RLock()

    @contextmanager
    def room_for(self, networks: int) -> Iterator[None]:
        """Keep at least so many models within the block, where networks are fitted in turns."""
        with self.lock:
            self.requested.append(networks)
        try:
            yield
        finally:
            with self.lock:
                self.requested.remove(networks)
                self._drop_oldest()

    def give(self, entry: CacheEntry) -> None:
        """Add a model that its owner does not keep; the oldest are dropped where there are too many."""
        with self.lock:
            entry.held = False
            if entry.kind is None:
                return
            self.entries = [*(other for other in self.entries if other is not entry), entry]
            self._drop_oldest()

    def take(self, kind) -> CacheEntry | None:
        """Remove and return the oldest model of this kind that is not in use, one without an owner if there is one."""
        with self.lock:
            free = [one for one in self.entries if one.kind == kind and not (one.held or one.users)]
            if kind is None or not free:
                return None
            entry = next((one for one in free if one.owner() is None), free[0])
            self.entries.remove(entry)
            entry.leave_owner()
            return entry

    def withdraw(self, entry: CacheEntry) -> None:
        """Remove a model for good: it is never taken over."""
        with self.lock:
            entry.kind = None
            self.entries = [other for other in self.entries if other is not entry]

    def clear(self) -> None:
        """Drop all models."""
        with self.lock:
            self.entries.clear()

    def _drop_oldest(self):
        most = max([self.max_networks, *self.requested])
        sizes = [sum(weight.size for weight in entry.first) for entry in self.entries]
        while len(sizes) > most or sum(sizes) > self.max_weights * most / self.max_networks:
            del self.entries[0], sizes[0]


NETWORK_CACHE = NetworkCache()


def clear_cache() -> None:
    """Release the networks that are kept for further fits of the same architecture.

    After a fit, the next forecaster with the same architecture, sizes and loss uses the traced and compiled steps of
    the last one and starts training at once, whether the last one still exists or not: at most four networks with two
    million weights in all are kept, and all that `compare` fits in turns while it runs. Results do not depend on the
    cache, and existing forecasters stay as they are.

    Examples
    --------
    >>> import forecastkit as fk
    >>> fk.clear_cache()
    """
    NETWORK_CACHE.clear()
