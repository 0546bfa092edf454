"""A trained network: its weights, the configuration from which it is rebuilt, and the cache of compiled networks."""

import threading
import weakref
from collections import OrderedDict
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
from forecastkit.utils.exceptions import ArtifactError
from forecastkit.utils.validation import refuse

BUILDING = threading.RLock()
#: Windows that NumPy forecasts at once: what is computed of them stays in the processor's cache.
NUMPY_BATCH = 128
#: Bounds on networks, each of which takes tens of megabytes once it is traced, and on their weights in all.
MAX_NETWORKS, MAX_WEIGHTS = 4, 2_000_000


class TrainedNetwork:
    """A network and its weights. Pickles contain the weights and the configuration, but nothing compiled.

    When it is deleted, its compiled functions are added to the `NetworkCache`.

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
    """

    graph = None  # pickles of earlier versions have none

    def __init__(self, backbone, sizes: Sizes, normalization: str, loss: str, levels, seed: int = 0, weights=None,
                 precision: str | None = None, optimizer=None, graph: Graph | None = None):  # fmt: skip
        self.backbone, self.sizes, self.normalization = backbone, sizes, normalization
        self.loss, self.levels, self.seed, self.weights, self.precision = loss, levels, seed, weights, precision
        self.optimizer, self.graph = optimizer, graph
        self._live = self._legacy = None

    @cached_property
    def head(self) -> Head:
        """The output head."""
        return make_head(self.loss, self.levels)

    def live(self, compiled: bool = False, strategy=None):
        """Return the Keras model and its engine, built on first use; with a strategy, an engine that trains with it."""
        if self._live is None:
            with BUILDING:
                self._live = self._live or unscoped(self._build, compiled, strategy)
        return self._live

    def shown(self):
        """Return the Keras model for use by the caller; it is then never reused for another fit."""
        network, engine = self.live()
        engine.show()
        self._legacy.detach()
        return network

    def scale_correction(self, factor: float) -> None:
        """Multiply the corrections of the linear forecast by a factor; those of quantiles and distributions stay."""
        network = self.live()[0]
        if self.head.outputs == 1:
            for layer in [network.head] + ([network.steps.out] if network.steps is not None else []):
                layer.set_weights([factor * weight for weight in layer.get_weights()])

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

    def _build(self, compiled, strategy):
        kind = None if strategy is not None else self._kind_of(compiled)
        cached = NETWORK_CACHE.take(kind)
        if cached is None:
            network = self._fresh()
            half = self.precision == "mixed_float16"
            engine = make_engine(network, self.head, strategy, self._fresh, compiled=compiled, scaled=half,
                                 optimizer=self.optimizer)  # fmt: skip
            first = network.get_weights()
        else:
            network, engine = cached.network, cached.engine
            first = cached.first if cached.seed == self.seed else self._fresh().get_weights()
            network.set_weights(first)
        if self.weights is not None:
            self._take_weights(network)
        # A finalizer instead of __del__, because garbage collection of cycles would delete the compiled functions
        # together with their owner.
        self._legacy = weakref.finalize(
            self, NETWORK_CACHE.give, kind if engine.reusable else None, CacheEntry(network, engine, self.seed, first)
        )
        self._legacy.atexit = False
        return network, engine

    def _kind_of(self, compiled):
        """Return the key under which compiled networks can be shared, or None if they cannot be shared."""
        if not self._is_registered():
            return None  # a user-defined layer may have a state
        if not isinstance(self.loss, str) or self.optimizer is not None:
            return None  # so may a user-defined loss, and steps are traced with their optimizer
        parameters = tuple(sorted(self.backbone.get_params(deep=False).items()))
        network = type(self.backbone), parameters, self.sizes, self.normalization, self.loss, self.levels
        import keras

        policy = self.precision or keras.config.dtype_policy().name
        kind = network, compiled, backend(), keras.config.floatx(), policy
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
        """Return the network with additional inputs for missing values, whose weights are 0, so forecasts are
        unchanged.

        Raises
        ------
        InputError
            If a user-defined layer has an unknown input layout.
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
            return self.live()[1].predict(buffers, table)
        most = max(1, NUMPY_BATCH // max(self.sizes.channels, 1))
        return forecast_in_batches(self._evaluator, self.sizes, self.head.outputs, buffers, table, most)

    @cached_property
    def _evaluator(self):
        return Evaluator(self.graph, self.weights)

    def _state(self) -> dict:
        """Return the arguments from which the network is rebuilt, for the artifact."""
        with_graph = self._live is None and self.graph is not None
        return {**self._arguments(), "graph": self.graph if with_graph else self.live()[1].numpy_graph()}

    def _arguments(self):
        derived = ("_live", "_legacy", "head", "_evaluator")
        held = {**vars(self), "weights": self.__getstate__()["weights"]}
        arguments = {name: value for name, value in held.items() if name not in derived}
        return {**arguments, "weights": [np.asarray(weight) for weight in arguments["weights"]]}

    def __getstate__(self):
        weights = self._live[0].get_weights() if self._live else self.weights
        state = {name: value for name, value in vars(self).items() if name not in ("head", "_evaluator")}
        # A network that was trained forecasts bit for bit the same in another process, by TensorFlow there too.
        graph = None if self._live else self.graph
        return keras_parts.portable({**state, "weights": weights, "graph": graph, "_live": None, "_legacy": None})

    def __setstate__(self, state):
        vars(self).update(keras_parts.restored(state))


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


@dataclass(frozen=True)
class CacheEntry:
    """A network without an owner.

    Attributes
    ----------
    network : keras.Model
    engine : object
        The engine with the traced steps.
    seed : int
        Seed of `first`.
    first : list of ndarray
        Weights before training.
    """

    network: object
    engine: object
    seed: int
    first: list


class NetworkCache:
    """Networks without an owner by kind, the least recently used dropped first. Safe to use from several threads.

    Parameters
    ----------
    max_networks, max_weights : int
        Bounds on the number of networks and on the weights of all of them together.
    """

    def __init__(self, max_networks: int = MAX_NETWORKS, max_weights: int = MAX_WEIGHTS):
        self.max_networks, self.max_weights = max_networks, max_weights
        self.entries: OrderedDict[object, list[CacheEntry]] = OrderedDict()
        self.lock = threading.RLock()

    def give(self, kind, entry: CacheEntry) -> None:
        """Add a network whose owner is gone; one of the kind None cannot be used again and is dropped."""
        if kind is None:
            return
        with self.lock:
            self.entries.setdefault(kind, []).append(entry)
            self.entries.move_to_end(kind)
            while self._is_over_full():
                oldest = next(iter(self.entries))
                self.entries[oldest].pop(0)
                if not self.entries[oldest]:
                    del self.entries[oldest]

    def take(self, kind) -> CacheEntry | None:
        """Remove and return the network of this kind that was added first, None if there is none."""
        with self.lock:
            found = self.entries.pop(kind, None)
            if found is None:
                return None
            if found[1:]:
                self.entries[kind] = found[1:]
            return found[0]

    def clear(self) -> None:
        """Drop all networks."""
        with self.lock:
            self.entries.clear()

    def _is_over_full(self) -> bool:
        entries = [entry for same_kind in self.entries.values() for entry in same_kind]
        weights = sum(weight.size for entry in entries for weight in entry.first)
        return len(entries) > self.max_networks or weights > self.max_weights


NETWORK_CACHE = NetworkCache()


def clear_cache() -> None:
    """Release the networks that are kept for further fits of the same architecture.

    A network whose forecaster is gone is kept with its traced and compiled steps, so that the next forecaster with the
    same architecture, sizes and loss starts training at once: at most four networks with two million weights in all.
    Results do not depend on the cache. Networks of existing forecasters stay as they are.

    Examples
    --------
    >>> import forecastkit as fk
    >>> fk.clear_cache()
    """
    NETWORK_CACHE.clear()
