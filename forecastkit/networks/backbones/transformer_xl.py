"""Transformer-XL: segment-level memory and relative positions."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import keras


from forecastkit.networks.backbone import Backbone
from forecastkit.utils import validation


@dataclass(kw_only=True, eq=False, repr=False)
class TransformerXL(Backbone):
    """Transformer-XL: segments of the past attend to a memory of earlier ones by content and distance.

    Parameters
    ----------
    units : int
        Width of tokens; a multiple of `heads`.
    layers : int
        Number of blocks of attention and a feed-forward layer. Each block looks one memory further back, so the
        forecast depends on about ``layers * memory`` tokens before the last segment.
    heads : int
        Number of attention heads.
    feedforward : int, optional
        Width of the feed-forward layers; twice the units by default.
    segment : int, optional
        Number of past tokens per segment. By default the past is divided into ``layers + 1`` segments, so that all of
        it can reach the forecast.
    memory : int, optional
        Number of tokens before a segment that it attends to; 0 for none. By default the previous segment.
    dropout : float
        Fraction dropped in training after attention, after the feed-forward layer, and before the head.

    References
    ----------
    Dai et al. (2019), "Transformer-XL: Attentive language models beyond a fixed-length context", ACL: relative
    positions with biases for content and position (section 3.3), causal attention, and a memory without gradients in
    training (section 3.2). Departures: tokens are segments of the series; all segments of a window are processed in one
    call in training and forecasting, so that memory is not kept across windows; future tokens are learned queries in
    the last segment, and the loss covers only them; each layer has separate biases; pre-norm; GELU.
    """

    units: int = 64
    layers: int = 2
    heads: int = 4
    feedforward: int | None = None
    segment: int | None = None
    memory: int | None = None
    dropout: float = 0.1

    counts = ("layers", "heads", "feedforward", "segment")
    learning_rate = 2e-3

    def build(self) -> "keras.layers.Layer":
        from forecastkit.networks.architectures.transformer_xl import Segments

        width = self.feedforward or 2 * self.units
        return Segments(self.layers, self.heads, width, self.segment, self.memory, self.dropout)

    def check(self) -> None:
        super().check()
        where = type(self).__name__
        validation.check_int(where, "memory", self.memory, low=0, optional=True)
