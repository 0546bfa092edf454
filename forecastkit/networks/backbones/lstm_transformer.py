"""Transformer with an LSTM before every block."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import keras


from forecastkit.networks.backbone import Backbone


@dataclass(kw_only=True, eq=False, repr=False)
class LSTMTransformer(Backbone):
    """Transformer with an LSTM before every block, which encodes the order of the tokens.

    Parameters
    ----------
    units : int
        Width of tokens and states; a multiple of `heads`.
    layers : int
        Number of blocks of an LSTM, attention and a feed-forward layer.
    heads : int
        Number of attention heads.
    feedforward : int, optional
        Width of the feed-forward layers; twice the units by default.
    dropout : float
        Fraction dropped in training after attention, after the feed-forward layer, and before the head.

    References
    ----------
    Wang et al. (2019), "R-Transformer: Recurrent neural network enhanced Transformer", arXiv:1907.05572, which has a
    recurrent layer before attention in every block and no positional encodings. Departures: the recurrence reads the
    whole past rather than a local window and takes one step into every future token; it has no residual connection;
    attention is not causal; pre-norm. The cell is that of `LSTM`.
    """

    units: int = 128
    layers: int = 1
    heads: int = 4
    feedforward: int | None = None
    dropout: float = 0.1

    counts = ("layers", "heads", "feedforward")
    learning_rate = 1e-3
    kind = "lstm"
    broadcasts = True

    def build(self) -> "keras.layers.Layer":
        from forecastkit.networks.architectures.lstm_transformer import Hybrid

        return Hybrid(self.kind, self.units, self.layers, self.heads, self.feedforward or 2 * self.units, self.dropout)
