"""Gated recurrent layer before every Transformer block."""

from dataclasses import dataclass

from forecastkit.networks.backbones.lstm_transformer import LSTMTransformer


@dataclass(kw_only=True, eq=False, repr=False)
class GRUTransformer(LSTMTransformer):
    """Gated recurrent layer before every Transformer block.

    Parameters and references as in `LSTMTransformer`, whose LSTM is replaced by the cell of `GRU` (Cho et al. 2014,
    "Learning phrase representations using RNN encoder-decoder for statistical machine translation", EMNLP).
    """

    kind = "gru"
