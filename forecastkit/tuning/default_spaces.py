"""Default search spaces for every kind of forecaster."""

from dataclasses import dataclass

from forecastkit.data.time_grid import TimeGrid
from forecastkit.features.calendar import calendar_names
from forecastkit.forecasters.baselines import WITHOUT_LOOKBACK
from forecastkit.utils.exceptions import ParameterError
from forecastkit.utils.validation import refuse

WHERE = "tune"
#: Candidate lookbacks and learning rates, as multiples of the forecaster's own values.
LOOKBACKS = (0.5, 1, 1.5, 2, 3)
RATES = (0.3, 3.0)
#: Choices by constructor parameter of a forecaster or its backbone; the current value is added.
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
#: Choices for a particular backbone that are added to the general ones or replace them.
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
    """Properties of the data that the default space depends on."""

    lookback: int  #: The forecaster's lookback for these data
    patch: int | None  #: The forecaster's patch, or None if it has none
    max_lookback: int  #: Rows that the longest lookback may have
    horizon: int
    season: int
    grid: TimeGrid
    positive: bool  #: Whether no target is negative


def default_space(forecaster, context: DataContext) -> dict:
    """Return a search space for this forecaster and these data that contains the current values.

    The most important parameters come first: target transform and window sizes, then training, then the network.
    """
    if isinstance(forecaster, WITHOUT_LOOKBACK):
        name = type(forecaster).__name__
        refuse(WHERE, "the forecaster must have parameters to search", name, "Pass space=.", ParameterError)
    own = forecaster.get_params(deep=False)
    space = {}
    if "target_transform" in own and context.positive and own.get("loss", "mae") in ("mae", "mse", "huber"):
        space["target_transform"] = _joined((None, "sqrt"), own["target_transform"])
    space |= {"lookback": _lookbacks(context, own["lookback"])}
    if "learning_rate" in own:
        space |= _for_training(forecaster, own, context)
    space |= _for_backbone(forecaster, own)
    return {name: options for name, options in space.items() if len(options) > 1}


def _lookbacks(context, given):
    """Return multiples of the lookback, in whole patches or seasons, that leave enough training rows."""
    unit = context.patch or 1
    season = context.season if context.season % unit == 0 and context.season > 1 else unit
    found = set()
    for part in LOOKBACKS:
        rows = part * context.lookback
        step = season if rows >= season else unit
        found.add(max(round(rows / step), 1) * step)
    kept = {rows for rows in found if rows <= context.max_lookback}
    return _joined(sorted(kept - {context.lookback}), given if given is not None else context.lookback)


def _for_training(forecaster, own, context) -> dict:
    rate = own["learning_rate"] or forecaster._architecture().learning_rate
    space = {"calendar": [own["calendar"], not own["calendar"]]} if calendar_names(context.grid) else {}
    if own["loss"] in ("mae", "mse", "huber"):
        space["normalization"] = _joined((None, "standard"), own["normalization"])  # None nearly always means "last"
    return {**space, "learning_rate": (RATES[0] * rate, RATES[1] * rate, "log"), "patch": _patches(context)}


def _patches(context):
    """Return the patch, its half and its double, if they divide a season and do not exceed the horizon."""
    patch = context.patch
    near = {patch // 2, 2 * patch}
    whole = {p for p in near if p >= 1 and (context.season == 1 or context.season % p == 0)}
    return _joined(sorted(p for p in whole if p <= min(context.horizon, context.lookback // 2)), patch)


def _for_backbone(forecaster, own) -> dict:
    """Return choices for the hyperparameters of the network by the names of `set_params`."""
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
    """Return the options including the current value; numbers are sorted."""
    joined = [*options, *([] if own in options else [own])]
    if all(isinstance(option, (int, float)) and not isinstance(option, bool) for option in joined):
        return sorted(joined)
    return joined
