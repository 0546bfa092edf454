"""Long short-term memory."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from forecastkit.networks.backbones.rnn import RNN
from forecastkit.utils import validation

if TYPE_CHECKING:
    import keras


@dataclass(kw_only=True, eq=False, repr=False)
class LSTM(RNN):
    """Long short-term memory over past tokens, with one parallel step into each future token.

    Parameters
    ----------
    units : int
        Width of tokens and states; with `bidirectional`, of each direction.
    bidirectional : bool
        Whether to read the past in both directions; both final states are stepped into the future.

    References
    ----------
    Hochreiter and Schmidhuber (1997), "Long short-term memory", Neural Computation 9(8), with the forget gate of Gers
    et al. (2000), "Learning to forget", Neural Computation 12(10), and without peepholes. Both directions: Schuster and
    Paliwal (1997), "Bidirectional recurrent neural networks", IEEE Transactions on Signal Processing 45(11); here a
    dense layer merges them. See `RNN` for the departures from SegRNN.
    """

    bidirectional: bool = False

    kind = "lstm"
    learning_rate = 1e-3

    def build(self) -> "keras.layers.Layer":
        from forecastkit.networks.architectures.rnn import Stack

        return Stack(self.kind, self.units, self.layers, self.bidirectional)

    def check(self) -> None:
        super().check()
        validation.check_choice(type(self).__name__, "bidirectional", self.bidirectional, (True, False))
