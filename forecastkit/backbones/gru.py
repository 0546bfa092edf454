"""Gated recurrent unit."""

from dataclasses import dataclass

from forecastkit.backbones.rnn import RNN


@dataclass(kw_only=True, eq=False, repr=False)
class GRU(RNN):
    """Gated recurrent unit over the tokens of the past, stepped once into each token of the future.

    Parameters
    ----------
    layers : int
        Recurrent layers on top of each other.

    References
    ----------
    Cho et al. (2014), "Learning phrase representations using RNN encoder-decoder", EMNLP. Segments and the parallel
    step into the future follow Lin et al. (2023), "SegRNN", arXiv:2308.11200. Departures from SegRNN: one width for
    tokens and states, covariates and calendar in the tokens, no series embedding unless asked for.
    """

    kind = "gru"
