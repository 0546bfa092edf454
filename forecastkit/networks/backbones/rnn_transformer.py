"""Transformer with a simple recurrent layer before every block."""

from dataclasses import dataclass

from forecastkit.networks.backbones.lstm_transformer import LSTMTransformer


@dataclass(kw_only=True, eq=False, repr=False)
class RNNTransformer(LSTMTransformer):
    """Transformer with a simple recurrent layer before every block, the fastest of the recurrent hybrids.

    Parameters and references are those of `LSTMTransformer`, with the LSTM replaced by a simple recurrent layer (Elman
    1990, "Finding structure in time", Cognitive Science 14).
    """

    kind = "rnn"
