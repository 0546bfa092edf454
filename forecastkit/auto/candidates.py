"""Candidates of AutoForecaster in order of expected gain."""

from importlib import util

from forecastkit.comparison.candidates import Candidate, changed, class_of, known_names, members, name_of
from forecastkit.data.panel import Panel
from forecastkit.forecasters.base import Forecaster
from forecastkit.networks.heads import make_head
from forecastkit.utils.exceptions import ParameterError
from forecastkit.utils.validation import did_you_mean, refuse

WHERE = "AutoForecaster"
#: Networks in the order of training, determined on other data sets (docs).
ORDER = (
    "gru",
    "lstm",
    "cnn_transformer",
    "rnn_transformer",
    "lstm_transformer",
    "gru_transformer",
    "transformer",
    "min_gru",
)
LINEAR = "linear"
#: Tried third with several target columns, and with covariates.
MIXER, READER = "inverted_transformer", "tft"
#: Number of networks before those.
EARLY = 2
#: Fast forecasters that are always tried by default, in addition to the linear one; in reverse order, the pre-trained
#: network first, where values are too few to train a network.
QUICK = ("damped_trend", "pretrained")
#: Number of target values per network that is tried by default: on fewer, fast forecasters are as good (docs).
VALUES = 5_000


def default_networks(panel: Panel) -> list[str]:
    """Return networks for these data, the most promising first; their number grows with the number of rows."""
    covariates = panel.known.shape[1] + panel.past.shape[1] + panel.static.shape[1]
    apt = ([READER] if covariates else []) + ([MIXER] if panel.channels > 1 else [])
    return [*ORDER[:EARLY], *apt, *ORDER[EARLY:]][: panel.rows * panel.channels // VALUES]


def baselines(season: int) -> list[Candidate]:
    """Return the forecasters without training, the linear one first and the reference last."""
    names = (LINEAR, "naive") if season == 1 else (LINEAR, "seasonal_naive")
    return [Candidate(name, class_of(name)()) for name in names]


def check_candidates(given) -> None:
    """Refuse anything except None and a list of names and forecasters."""
    if given is None:
        return
    if not isinstance(given, (list, tuple)):
        refuse(WHERE, "forecasters must be a list of names and forecasters", repr(given), error=ParameterError)
    for one in given:
        if isinstance(one, str) and one not in known_names():
            refuse(
                WHERE, "the forecaster must exist", repr(one), did_you_mean(one.lower(), known_names()), ParameterError
            )
        if not isinstance(one, (str, Forecaster)):
            refuse(WHERE, "forecasters must be a list of names and forecasters", repr(one), error=ParameterError)


def make_candidates(given, panel: Panel, common: dict) -> list[Candidate]:
    """Return the candidates with the common parameters that they do not set themselves.

    Parameters
    ----------
    given : list of (str or Forecaster), or None
        None stands for `QUICK` and `default_networks`.
    common : dict
        Constructor parameters.
    """
    made: dict[str, Forecaster] = {}
    networks = default_networks(panel) if util.find_spec("keras") else []
    quick = QUICK if panel.rows * panel.channels >= VALUES else QUICK[::-1]
    for one in [*quick, *networks] if given is None else given:
        forecaster = class_of(one)() if isinstance(one, str) else one
        name = one if isinstance(one, str) else name_of(one)
        if name in made:
            name = next(f"{name} {number}" for number in range(2, 1000) if f"{name} {number}" not in made)
        made[name] = filled(forecaster, common)
    return [Candidate(name, forecaster) for name, forecaster in made.items()]


def filled(forecaster: Forecaster, common: dict) -> Forecaster:
    """Return a clone in which parameters that are None, also those of its members, have these values."""
    parts = members(forecaster)
    free = {
        name: value
        for name, value in common.items()
        if all(part.get_params(deep=False).get(name) is None for part in [forecaster, *parts])
    }
    if any(make_head(getattr(part, "loss", "mae")).distribution for part in parts):
        free.pop("quantile_levels", None)  # it has quantiles at all levels
    return changed(forecaster, free)
