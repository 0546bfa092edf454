"""Base class of backbones: hyperparameters, and a Keras layer that maps past tokens to future tokens."""

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
    """Base class of all backbones: the hyperparameters of an architecture as keyword fields.

    A subclass adds its fields and the method `build`, which returns a new Keras layer, and optionally `check`. The
    layer is called as ``layer(past, future, mask=None, training=None)`` with ``past`` of shape (batch, past tokens,
    units), ``future`` of shape (batch, future tokens, units) and ``mask`` of shape (batch, past tokens), 1 for tokens
    with an observed value. It returns (batch, future tokens, units). Each target column is a separate window unless
    `mixes_channels` is True.

    Parameters
    ----------
    units : int
        Width of every token.
    dropout : float
        Fraction of units dropped in training, before the head and inside the blocks.
    """

    units: int = 64
    dropout: float = 0.1

    #: Activation of the dense embedding of past tokens.
    embedding_activation = None

    #: Whether the layer accepts past tokens of any width, so that with ``patch=1`` they need no embedding.
    reads_steps = False
    #: Whether future tokens that are equal for all windows can be passed as a batch of one.
    broadcasts = False
    #: Whether the layer processes all target columns of a series together. Its tokens then have the shape
    #: (batch, channels, tokens, units) and its mask (batch, channels, past tokens).
    mixes_channels = False
    #: Whether the layer receives a token per variable, see `forecastkit.networks.network.Sizes.variables`. Past and
    #: future then have the shape (batch, tokens, variables, units), and ``static`` is passed as
    #: (batch, 1, variables, units) or None.
    selects_variables = False
    #: Default peak learning rate.
    learning_rate = 1e-3

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        inherit_parameters(cls)

    def build(self) -> "keras.layers.Layer":
        """Return a new, unbuilt Keras layer."""
        raise NotImplementedError(f"{type(self).__name__} must define build()")

    def check(self) -> None:
        """Validate the hyperparameters before a layer is built.

        Raises
        ------
        ParameterError
            If a hyperparameter is invalid.
        """
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
    """Validate `layers`, `heads` and `feedforward` of a stack of attention blocks."""
    check_heads(backbone)
    validation.check_int(type(backbone).__name__, "feedforward", backbone.feedforward, optional=True)


def check_heads(backbone: Backbone) -> None:
    """Validate `layers` and `heads` of attention."""
    where = type(backbone).__name__
    for name in ("layers", "heads"):
        validation.check_int(where, name, getattr(backbone, name))
    if backbone.units % backbone.heads:
        got = f"{backbone.units} units, {backbone.heads} heads"
        validation.refuse(
            where, "heads must divide units", got, "Each head reads units / heads of them.", exceptions.ParameterError
        )
