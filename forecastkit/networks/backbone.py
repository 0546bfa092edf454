"""Base class of backbones, which map past tokens to future tokens, and the sizes of a network around one."""

import inspect
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

from forecastkit.utils import exceptions, validation
from forecastkit.utils.docstrings import inherit_parameters
from forecastkit.utils.estimator import BaseEstimator

if TYPE_CHECKING:
    import keras


#: What is taken out of a window before the network and put back after it.
NORMALIZATIONS = ("last", "standard", "mean", "none")
#: Cells of recurrent layers.
CELLS = ("rnn", "lstm", "gru")
#: Encodings of the positions of tokens.
POSITIONS = ("learned", "sinusoidal", "rotary", "none")


@dataclass(frozen=True)
class Sizes:
    """Sizes from which a network is built; they are stored in the artifact."""

    lookback: int
    horizon: int
    patch: int
    past: int = 0  #: Number of features of each kind
    known: int = 0
    calendar: int = 0
    static: int = 0
    series: int = 0  #: Rows of the series embedding; 0 without one
    masked: bool = False  #: Whether the inputs include an indicator of missing values
    #: Target columns per window for a backbone that mixes channels; 0 if each column has separate windows
    channels: int = 0
    unit: bool = False  #: Whether the head needs the scale of the series in the user's units
    #: Number of trailing calendar features that are read at every step; the others are read at the first of a patch
    events: int = 0
    codes: tuple = ()  #: Role of each category of many levels, and how many codes it has
    #: Whether forecasts are corrections of a linear map of the window, which is set beforehand and not trained
    linear: bool = False
    #: Number of maps whose weighted average is averaged with it, and of steps in the window that give the weights
    smoothings: int = 0
    compared: int = 0

    def code_counts(self, role: str) -> tuple[int, ...]:
        """Return the number of codes of each embedded category of a role."""
        return tuple(count for own, count in self.codes if own == role)

    @property
    def cycles(self) -> int:
        """Number of calendar features that are read at the first step of a patch."""
        return self.calendar - self.events

    @cached_property
    def channel_shape(self) -> tuple[int, ...]:
        """Channel axis of windows and forecasts, an empty tuple without one."""
        return (self.channels,) if self.channels else ()

    @property
    def past_tokens(self) -> int:
        return -(-self.lookback // self.patch)

    @property
    def future_tokens(self) -> int:
        return -(-self.horizon // self.patch)

    def variables(self) -> dict[str, list[tuple[str, int]]]:
        """Return (role, column) of each variable of past, future and static tokens, for variable selection.

        The target variable includes the indicator of missing values; 'position' is the token's place in the horizon.
        """

        def columns(*roles):
            return [(role, column) for role in roles for column in range(getattr(self, role))]

        def code_counts(*roles):
            return [
                (role, getattr(self, role) + place) for role in roles for place in range(len(self.code_counts(role)))
            ]

        return {
            "past": [("target", 0), *columns("past", "known", "calendar"), *code_counts("past", "known")],
            "future": [("position", 0), *columns("known", "calendar"), *code_counts("known")],
            "static": columns("static") + code_counts("static") + ([("series", 0)] if self.series else []),
        }

    @cached_property
    def inputs(self) -> dict[str, tuple[tuple, str]]:
        """Shape, without the batch axis, and dtype of every input of the network."""
        steps = self.lookback + self.horizon
        shapes = {
            "target": (*self.channel_shape, self.lookback),
            "past": (self.lookback, self.past),
            "known": (steps, self.known),
            "calendar": (steps, self.calendar),
            "static": (self.static,),
        }
        taken = {name: (shape, "float32") for name, shape in shapes.items() if shape[-1]}
        for role, time in (("past", (self.lookback,)), ("known", (steps,)), ("static", ())):
            if self.code_counts(role):
                taken[f"{role}_codes"] = ((*time, len(self.code_counts(role))), "int32")
        if self.series:
            taken["series"] = (self.channel_shape, "int32")
        return {**taken, "unit": (self.channel_shape, "float32")} if self.unit else taken


@dataclass(kw_only=True, eq=False, repr=False)
class Backbone(BaseEstimator):
    """Base class of all backbones: the hyperparameters of an architecture as keyword fields.

    A subclass adds its fields and the method `build`, which returns a new Keras layer, and optionally `counts`, the
    names of fields that are positive whole numbers, and `check`. The layer is called as ``layer(past, future,
    mask=None, training=None)`` with ``past`` of shape (batch, past tokens, units), ``future`` of shape (batch, future
    tokens, units) and ``mask`` of shape (batch, past tokens), 1 for tokens with an observed value. It returns (batch,
    future tokens, units). Each target column is a separate window unless `mixes_channels` is True.

    Parameters
    ----------
    units : int
        Width of every token.
    dropout : float
        Fraction of units dropped in training, before the head and inside the blocks.
    """

    units: int = 64
    dropout: float = 0.1

    #: Hyperparameters besides `units` that are positive whole numbers; those with the default None may be None.
    counts: ClassVar[tuple[str, ...]] = ()
    #: Activation of the dense embedding of past tokens.
    embedding_activation = None

    #: Whether the layer accepts past tokens of any width, so that with ``patch=1`` they need no embedding.
    reads_steps = False
    #: Whether future tokens that are equal for all windows can be passed as a batch of one.
    broadcasts = False
    #: Whether the layer processes all target columns of a series together. Its tokens then have the shape
    #: (batch, channels, tokens, units) and its mask (batch, channels, past tokens).
    mixes_channels = False
    #: Whether the layer receives a token per variable, see `Sizes.variables`. Past and future then have the shape
    #: (batch, tokens, variables, units), and ``static`` is passed as (batch, 1, variables, units) or None.
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
        for name in ("units", *self.counts):
            validation.check_int(where, name, getattr(self, name), optional=getattr(type(self), name, 1) is None)
        if "heads" in self.counts and self.units % self.heads:
            got, remedy = f"{self.units} units, {self.heads} heads", "Each head reads units / heads of them."
            validation.refuse(where, "heads must divide units", got, remedy, exceptions.ParameterError)
        validation.check_real(where, "dropout", self.dropout, 0.0, 0.99)


@dataclass(kw_only=True, eq=False, repr=False)
class LayerBackbone(Backbone):
    """A user's Keras layer class as a backbone."""

    layer: type | None = None

    def build(self):
        return self.layer()


def check_layer(backbone: Backbone, layer: "keras.layers.Layer") -> "keras.layers.Layer":
    """Return the layer of a backbone, once it can be called as the network calls it."""
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
    """Refuse what a layer returned where it has another shape than the tokens of the future."""
    wanted = (*future.shape[1:-2], backbone.units) if backbone.selects_variables else tuple(future.shape[1:])
    found = tuple(getattr(tokens, "shape", (None,)))[1:]
    if backbone.reads_steps and len(found) == len(wanted):
        wanted = (*wanted[:-1], found[-1])  # past steps have a width of their own; the head takes any
    if found != wanted:
        axes = "(batch, channels, future tokens, units)" if len(wanted) > 2 else "(batch, future tokens, units)"
        rule = f"the backbone must return {axes}, which is (batch, {', '.join(map(str, wanted))}) here"
        got = f"(batch, {', '.join(map(str, found))})" if hasattr(tokens, "shape") else type(tokens).__name__
        remedy = "Return one token of that width for each token of `future`."
        validation.refuse(_name(backbone), rule, got, remedy, exceptions.ParameterError)


def _name(backbone):
    """Return the user's own name for it: that of the layer class where a layer class was given."""
    return getattr(getattr(backbone, "layer", None), "__name__", type(backbone).__name__)
