"""Long short-term memory."""

from dataclasses import dataclass

from forecastkit.backbones.rnn import RNN, Stack


@dataclass(kw_only=True, eq=False, repr=False)
class LSTM(RNN):
    bidirectional: bool = False

    kind = "lstm"

    def build(self):
        return Stack(self.kind, self.units, self.layers, self.bidirectional)
