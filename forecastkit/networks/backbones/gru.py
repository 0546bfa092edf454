"""Gated recurrent unit."""

from dataclasses import dataclass

from forecastkit.networks.backbones.rnn import RNN


@dataclass(kw_only=True, eq=False, repr=False)
class GRU(RNN):
    """Gated recurrent unit over past tokens, with one parallel step into each future token.

    References
    ----------
    Cho et al. (2014), "Learning phrase representations using RNN encoder-decoder for statistical machine translation",
    EMNLP. Departure: the reset gate acts after the product with the state, and each product has a separate bias, as in
    Keras. See `RNN` for the departures from SegRNN.
    """

    kind = "gru"
    learning_rate = 1e-3
