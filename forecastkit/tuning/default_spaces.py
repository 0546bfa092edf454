"""Default search spaces for every kind of forecaster."""

from dataclasses import dataclass

from forecastkit.data.time_grid import TimeGrid
from forecastkit.features.calendar import calendar_names
from forecastkit.forecasters.baselines import READ_OFF
from forecastkit.utils.exceptions import ParameterError
from forecastkit.utils.validation import refuse

WHERE = "tune"
#: Lookbacks and learning rates worth trying, as parts of the forecaster's own.
LOOKBACKS = (0.5, 1, 1.5, 2, 3)
RATES = (0.3, 3.0)
#: Choices by the name of a constructor parameter, wherever a forecaster or its backbone has one; its own value joins.
BY_NAME = {
    "layers": (1, 2, 3),
    "dropout": (0.0, 0.1, 0.2, 0.3),
    "heads": (2, 4, 8),
    "kernel": (3, 5, 7),
    "states": (4, 8, 16),
    "expand": (1, 2),
    "cell": ("gru", "lstm"),
    "positions": ("learned", "rotary"),
}
#: Choices that a backbone has beside those, or not, where its name says more than the parameter's.
BY_BACKBONE = {
    "DecoderOnly": {"layers": (2, 3, 4)},
    "EncoderDecoder": {"layers": (1, 2)},
    "InvertedTransformer": {"layers": (1, 2, 3), "heads": (4, 8)},
    "Mamba": {"kernel": (2, 4)},
    "TFT": {"layers": (1,), "heads": (1, 2, 4)},
    "TransformerXL": {"layers": (1, 2)},
}


@dataclass(frozen=True)
class DataContext:
    """What the default space depends on, beside the forecaster.

    Attributes
    ----------
    lookback : int
        The forecaster's own on these data.
    patch : int or None
        The same; None where it has none.
    room : int
        Rows that the longest lookback may have.
    horizon, season : int
    grid : TimeGrid
    positive : bool
        Whether no target is below zero.
    """

    lookback: int
    patch: int | None
    room: int
    horizon: int
    season: int
    grid: TimeGrid
    positive: bool


def default_space(forecaster, ground: DataContext) -> dict:
    """A space for this forecaster on these data, in which its own values lie.

    What matters most comes first: the transform and window sizes, then training, then the network, by the names of its
    parameters.
    """
    if isinstance(forecaster, READ_OFF):
        name = type(forecaster).__name__
        refuse(WHERE, "the forecaster must have something to search", name, "Pass space=.", ParameterError)
    own = forecaster.get_params(deep=False)
    space = {}
    if "target_transform" in own and ground.positive and own.get("loss", "mae") in ("mae", "mse", "huber"):
        space["target_transform"] = _joined((None, "sqrt"), own["target_transform"])
    space |= {"lookback": _lookbacks(ground, own["lookback"])}
    if "learning_rate" in own:
        space |= _for_training(forecaster, own, ground)
    space |= _for_backbone(forecaster, own)
    return {name: options for name, options in space.items() if len(options) > 1}


def _lookbacks(ground, given):
    """Parts of the own lookback, in whole patches or seasons, that leave rows to learn from."""
    unit = ground.patch or 1
    season = ground.season if ground.season % unit == 0 and ground.season > 1 else unit
    found = set()
    for part in LOOKBACKS:
        rows = part * ground.lookback
        step = season if rows >= season else unit
        found.add(max(round(rows / step), 1) * step)
    kept = {rows for rows in found if rows <= ground.room}
    return _joined(sorted(kept - {ground.lookback}), given if given is not None else ground.lookback)


def _for_training(forecaster, own, ground) -> dict:
    rate = own["learning_rate"] or forecaster._architecture().learning_rate
    space = {"calendar": [own["calendar"], not own["calendar"]]} if calendar_names(ground.grid) else {}
    if own["loss"] in ("mae", "mse", "huber"):
        space["normalization"] = _joined((None, "standard"), own["normalization"])  # None is "last" nearly always
    return {**space, "learning_rate": (RATES[0] * rate, RATES[1] * rate, "log"), "patch": _patches(ground)}


def _patches(ground):
    """The own patch, its half and its double, that divide a season and are no longer than the horizon."""
    patch = ground.patch
    near = {patch // 2, 2 * patch}
    whole = {p for p in near if p >= 1 and (ground.season == 1 or ground.season % p == 0)}
    return _joined(sorted(p for p in whole if p <= min(ground.horizon, ground.lookback // 2)), patch)


def _for_backbone(forecaster, own) -> dict:
    """Choices for the hyperparameters of the network, under the names that `set_params` takes."""
    held = getattr(type(forecaster), "architecture", None)
    prefix, hyper = "", own
    if held is None and hasattr(own.get("backbone"), "get_params"):
        held, prefix, hyper = type(own["backbone"]), "backbone__", own["backbone"].get_params()
    if held is None:
        return {}
    table = {**BY_NAME, **BY_BACKBONE.get(held.__name__, {})}
    known = held._get_param_names()
    space = {name: _joined(table[name], hyper[name]) for name in known if name in table}
    space["units"] = _joined((hyper["units"] // 2, hyper["units"] * 2), hyper["units"])
    return {f"{prefix}{name}": options for name, options in space.items()}


def _joined(options, own) -> list:
    """The options with the own value among them; numbers in order."""
    joined = [*options, *([] if own in options else [own])]
    if all(isinstance(option, (int, float)) and not isinstance(option, bool) for option in joined):
        return sorted(joined)
    return joined
