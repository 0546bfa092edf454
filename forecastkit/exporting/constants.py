"""Constants of an exported graph: scales, residuals and bounds of each series, and quantile levels."""

from dataclasses import dataclass

import numpy as np

from forecastkit.data.windows import Origins
from forecastkit.forecasters.neural import NeuralForecaster
from forecastkit.forecasters.pretrained import PretrainedForecaster
from forecastkit.uncertainty import validation
from forecastkit.uncertainty.forecasts import SHOWN_LEVELS
from forecastkit.uncertainty.residuals import residual_scale, series_of
from forecastkit.utils.exceptions import NotExportable
from forecastkit.utils.validation import check_levels, refuse


@dataclass(frozen=True)
class Constants:
    """Arrays by series (E, C, ...), the quantile levels, and how quantiles are made."""

    center: np.ndarray  #: (E, C): means of the transformed targets
    divisor: np.ndarray  #: (E, C): their standard deviations, infinite for constant ones
    scale: np.ndarray  #: (E, C): factors of forecasts, 0 for targets that were constant in training
    constant: np.ndarray  #: (E, C), bool: which targets were constant in training
    unit: np.ndarray  #: (E, C): units of the targets, an input of networks with distributions of counts
    lower: np.ndarray  #: (E, C): bounds of forecasts
    upper: np.ndarray  #: (E, C)
    levels: tuple  #: Levels of the quantiles; empty for none
    residuals: np.ndarray | None  #: (E, C, horizon, levels): added to points in the transformed space
    corrections: np.ndarray | None  #: (E, C, horizon, levels): added to quantiles in the transformed space


def check_exportable(forecaster) -> None:
    """Refuse forecasters without a graph, and those whose intervals need the history."""
    name = type(forecaster).__name__
    pretrained = isinstance(forecaster, PretrainedForecaster)
    if not pretrained and not isinstance(forecaster, NeuralForecaster):
        remedy = "Save it, as load(path) forecasts without TensorFlow, or export one of its networks."
        refuse("export", "the forecaster must be a network or a PretrainedForecaster", name, remedy, NotExportable)
    if not pretrained and forecaster.network_.head.distribution:
        rule = "the loss must be one of points or quantiles"
        refuse("export", rule, f"loss={forecaster.loss!r}", "Fit with quantile_levels=.", NotExportable)
    if forecaster.calibrate == "rolling":
        rule = "intervals must not depend on the history"
        refuse("export", rule, "calibrate='rolling'", "Fit with calibrate=True.", NotExportable)


def constants_of(forecaster, quantile_levels) -> Constants:
    """Return the constants of a fitted network for all series of its history."""
    scaler, panel = forecaster.scaler_, forecaster.history_
    shape = len(panel.ids), panel.channels
    origins = Origins.every_channel(np.arange(shape[0]), panel.last_observed(), shape[1])
    moments = scaler.scaling_moments(panel)
    constant = moments.scale == 0
    if scaler.constant is not None:
        constant = constant | scaler.constant_in(panel)
    lower, upper = forecaster._bounds_of(panel)
    levels = _levels(forecaster, quantile_levels)
    residuals = corrections = None
    if levels and forecaster.trained_levels_ is None:
        validation.replace_in_sample(forecaster)
    unit = residual_scale(forecaster, panel, origins)[:, None, None]
    if levels and forecaster.trained_levels_ is None:
        found = validation.residual_quantiles(forecaster, panel, origins, levels) * unit
        residuals = found.reshape(*shape, *found.shape[1:])
    if levels and forecaster.calibrate and forecaster.corrections_ is not None:
        found = forecaster.corrections_.at(levels, series_of(scaler, panel, origins)) * unit
        corrections = found.reshape(*shape, *found.shape[1:])
    return Constants(
        moments.center,
        np.where(moments.scale == 0, np.inf, moments.scale),
        np.where(constant, 0.0, moments.scale),
        constant,
        np.minimum(moments.scale, np.finfo("float32").max).astype("float32"),
        lower,
        upper,
        levels,
        residuals,
        corrections,
    )


def _levels(forecaster, given) -> tuple[float, ...]:
    """Return the levels of the exported quantiles: as given, or by default those of `forecast`."""
    trained = forecaster.trained_levels_
    if trained is None and forecaster.residuals_ is None:
        return ()
    levels = forecaster.quantile_levels if given is None else given
    if levels is None:
        levels = SHOWN_LEVELS if trained is None or isinstance(forecaster, PretrainedForecaster) else trained
    return check_levels("export", levels)
