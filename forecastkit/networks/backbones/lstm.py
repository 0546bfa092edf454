"""Long short-term memory."""

from dataclasses import dataclass

import keras

from forecastkit.networks.backbones.rnn import RNN, Stack
from forecastkit.utils import validation


@dataclass(kw_only=True, eq=False, repr=False)
class LSTM(RNN):
    """Long short-term memory over the tokens of the past, stepped once into each token of the future.

    Parameters
    ----------
    units : int
        Width of tokens and states; with `bidirectional`, of each direction.
    layers : int
        Recurrent layers on top of each other.
    bidirectional : bool
        Reads the past in both directions and takes both final states, each stepped into the future.
    dropout : float
        Fraction of the states dropped in training, before the head only.

    References
    ----------
    Hochreiter and Schmidhuber (1997), "Long short-term memory", Neural Computation 9(8), with the forget gate of Gers
    et al. (2000), "Learning to forget", Neural Computation 12(10), and without peepholes. Both directions: Schuster and
    Paliwal (1997), "Bidirectional recurrent neural networks", IEEE Transactions on Signal Processing 45(11); here a
    dense layer merges them. What differs from SegRNN is said at `RNN`.
    """

    bidirectional: bool = False

    kind = "lstm"
    learning_rate = 1e-3

    def build(self) -> keras.layers.Layer:
        return Stack(self.kind, self.units, self.layers, self.bidirectional)

    def check(self) -> None:
        super().check()
        validation.check_choice(type(self).__name__, "bidirectional", self.bidirectional, (True, False))
