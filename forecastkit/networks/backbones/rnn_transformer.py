"""Simple recurrent layer before every Transformer block."""

from dataclasses import dataclass

from forecastkit.networks.backbones.lstm_transformer import LSTMTransformer


@dataclass(kw_only=True, eq=False, repr=False)
class RNNTransformer(LSTMTransformer):
    """Simple recurrent layer before every Transformer block: the cheapest of the recurrent hybrids.

    Parameters and references as in `LSTMTransformer`, whose LSTM is replaced by a simple recurrent layer (Elman 1990,
    "Finding structure in time", Cognitive Science 14).
    """

    kind = "rnn"
