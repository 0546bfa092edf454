"""Transformer with a gated recurrent layer before every block."""

from dataclasses import dataclass

from forecastkit.networks.backbones.lstm_transformer import LSTMTransformer


@dataclass(kw_only=True, eq=False, repr=False)
class GRUTransformer(LSTMTransformer):
    """Transformer with a gated recurrent layer before every block.

    Parameters and references are those of `LSTMTransformer`, with the LSTM replaced by the cell of `GRU` (Cho et al.
    2014, "Learning phrase representations using RNN encoder-decoder for statistical machine translation", EMNLP).
    """

    kind = "gru"
