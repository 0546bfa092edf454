"""Gated recurrent unit."""

from dataclasses import dataclass

from forecastkit.networks.backbones.rnn import RNN


@dataclass(kw_only=True, eq=False, repr=False)
class GRU(RNN):
    """Gated recurrent unit over the tokens of the past, stepped once into each token of the future.

    Parameters
    ----------
    units : int
        Width of tokens and states.
    layers : int
        Recurrent layers on top of each other.
    dropout : float
        Fraction of the states dropped in training, before the head only.

    References
    ----------
    Cho et al. (2014), "Learning phrase representations using RNN encoder-decoder for statistical machine translation",
    EMNLP. Departure: the reset gate acts after the product with the state, each product with a bias of its own, as in
    Keras. What differs from SegRNN is said at `RNN`.
    """

    kind = "gru"
    learning_rate = 1e-3
