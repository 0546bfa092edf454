"""Base class of backbones: hyperparameters, and a layer from past tokens to future tokens."""

import inspect
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sklearn.base import BaseEstimator

from forecastkit.utils import exceptions, validation
from forecastkit.utils.docstrings import inherit_parameters

if TYPE_CHECKING:
    import keras


@dataclass(kw_only=True, eq=False, repr=False)
class Backbone(BaseEstimator):
    """Base of all backbones: the hyperparameters of an architecture, as plain keyword fields.

    A subclass adds its fields and two methods: `build`, which returns a fresh Keras layer, and optionally `check`.
    The layer is called as ``layer(past, future, mask=None, training=None)`` with ``past`` of shape
    (batch, past tokens, units), ``future`` of shape (batch, future tokens, units) and ``mask`` of shape
    (batch, past tokens), 1 where a token holds anything observed; it returns (batch, future tokens, units). Each target
    column is a window of its own, unless the backbone says that it mixes channels.

    Parameters
    ----------
    units : int
        Width of every token.
    dropout : float
        Fraction of the units dropped in training, before the head and inside the blocks.
    """

    units: int = 64
    dropout: float = 0.1

    #: What the tokens of a window pass through between their dense embedding and the backbone.
    embedding_activation = None

    #: Whether the layer takes past tokens of any width, so that with ``patch=1`` they need no embedding.
    reads_steps = False
    #: Whether future tokens that are the same for all windows may come as a batch of one.
    broadcasts = False
    #: Whether the layer reads all target columns of a series at once: its tokens are (batch, channels, tokens, units),
    #: and its mask (batch, channels, past tokens).
    mixes_channels = False
    #: Whether the layer takes a token for each variable, see `forecastkit.networks.network.Sizes.variables`: past and
    #: future are (batch, tokens, variables, units), and it is called with ``static``, (batch, 1, variables, units) or
    #: None.
    selects_variables = False
    #: Peak learning rate where the user gives none.
    learning_rate = 1e-3

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        inherit_parameters(cls)

    def build(self) -> "keras.layers.Layer":
        """Return a fresh, unbuilt Keras layer."""
        raise NotImplementedError(f"{type(self).__name__} must define build()")

    def check(self) -> None:
        """Refuse hyperparameters that break a rule, before anything is built."""
        where = type(self).__name__
        validation.check_int(where, "units", self.units)
        validation.check_real(where, "dropout", self.dropout, 0.0, 0.99)


@dataclass(kw_only=True, eq=False, repr=False)
class LayerBackbone(Backbone):
    """A user's Keras layer class as a backbone."""

    layer: type | None = None

    def build(self):
        return self.layer()


def check_layer(backbone: Backbone, layer: "keras.layers.Layer") -> "keras.layers.Layer":
    """The layer of a backbone, once it can be called as the network calls it.

    Raises
    ------
    ParameterError
    """
    call = "layer(past, future, mask=None, training=None)"
    rule = f"the backbone must be a Keras layer that is called as {call}"
    remedy = "See the docstring of forecastkit.Backbone."
    if not callable(getattr(layer, "call", None)):
        validation.refuse(_name(backbone), rule, repr(layer), remedy, exceptions.ParameterError)
    static = {"static": None} if backbone.selects_variables else {}
    try:
        inspect.signature(layer.call).bind(None, None, mask=None, training=None, **static)
    except TypeError:
        got = f"{type(layer).__name__}.call{inspect.signature(layer.call)}"
        validation.refuse(_name(backbone), rule, got, remedy, exceptions.ParameterError)
    return layer


def check_tokens(backbone: Backbone, tokens, future) -> None:
    """Refuse what a layer returned where it has another shape than the tokens of the future.

    Raises
    ------
    ParameterError
    """
    wanted = (*future.shape[1:-2], backbone.units) if backbone.selects_variables else tuple(future.shape[1:])
    found = tuple(getattr(tokens, "shape", (None,)))[1:]
    if found != wanted:
        axes = "(batch, channels, future tokens, units)" if len(wanted) > 2 else "(batch, future tokens, units)"
        rule = f"the backbone must return {axes}, which is (batch, {', '.join(map(str, wanted))}) here"
        got = f"(batch, {', '.join(map(str, found))})" if hasattr(tokens, "shape") else type(tokens).__name__
        remedy = "Return one token of that width for each token of `future`."
        validation.refuse(_name(backbone), rule, got, remedy, exceptions.ParameterError)


def _name(backbone):
    """The user's own name for it: that of the layer class where a layer class was given."""
    return getattr(getattr(backbone, "layer", None), "__name__", type(backbone).__name__)


def check_blocks(backbone: Backbone) -> None:
    """Refuse `layers`, `heads` and `feedforward` that no stack of attention blocks can be built from."""
    check_heads(backbone)
    validation.check_int(type(backbone).__name__, "feedforward", backbone.feedforward, optional=True)


def check_heads(backbone: Backbone) -> None:
    """Refuse `layers` and `heads` that attention cannot be built from."""
    where = type(backbone).__name__
    for name in ("layers", "heads"):
        validation.check_int(where, name, getattr(backbone, name))
    if backbone.units % backbone.heads:
        got = f"{backbone.units} units, {backbone.heads} heads"
        validation.refuse(
            where, "heads must divide units", got, "Each head reads units / heads of them.", exceptions.ParameterError
        )
