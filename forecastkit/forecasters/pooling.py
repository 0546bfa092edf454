"""Choice of how far each series of a linear forecast may have coefficients of its own."""

from dataclasses import replace

import numpy as np

from forecastkit.baselines.ridge import width
from forecastkit.baselines.series_corrections import SeriesCorrections, forecasts_by_penalty
from forecastkit.data.windows import Windows
from forecastkit.forecasters.linear_recipes import LinearPart
from forecastkit.forecasters.model import FitContext
from forecastkit.preprocessing.scaler import buffers_of
from forecastkit.uncertainty.residuals import observed_after, scale_of

#: Penalties that are tried: numbers of windows that the shared coefficients count as. Infinite is complete pooling.
PENALTIES = (100.0, 300.0, 1_000.0, 3_000.0, 10_000.0)
#: Penalty without validation windows.
USUAL = 1_000.0
#: Corrections are used by default if their error is at most this multiple of that without.
WITHIN = 0.99
#: Largest number of validation windows, and of coefficients of all series.
MAX_VALIDATION, MAX_COEFFICIENTS = 2_000, 20_000_000


def choose_penalty(forecaster, context: FitContext, parts: list[LinearPart]) -> float:
    """Return the penalty of `SeriesCorrections` with the least error on validation windows; infinite for none.

    `parts` are the shared regressions, fitted on the rows before the split.
    """
    panel, horizon = context.panel, forecaster.horizon_
    series = len(panel.ids) * panel.channels
    size = series * horizon * sum(width(len(part.ridge.weights)) for part in parts)
    if forecaster.pooling == "complete" or series == 1 or size > MAX_COEFFICIENTS:
        return np.inf
    validation = forecaster._validation(context, most=MAX_VALIDATION)
    if not len(validation):
        return np.inf if forecaster.pooling == "auto" else USUAL
    forecasts = np.zeros((1 + len(PENALTIES), len(validation), horizon))
    for part in parts:
        scaler, buffers = forecaster._scaled_for(part.recipe, context, context.split)
        windows = Windows.training(panel, context.split, len(part.ridge.weights), horizon)
        found = forecasts_by_penalty(buffers, windows, part.ridge, PENALTIES, validation)
        for total, scaled in zip(forecasts, found, strict=True):
            total += scaler.restore(scaled, panel, validation) / len(parts)
    scale = scale_of(forecaster.scaler_, panel, validation)[:, None]
    wrong = np.abs(forecasts - observed_after(panel, validation, horizon)) / scale
    errors = np.nanmean(wrong, axis=(1, 2)) if not np.isnan(wrong).all() else np.ones(len(wrong))
    best = 1 + int(np.argmin(errors[1:]))
    return PENALTIES[best - 1] if forecaster.pooling == "partial" or errors[best] <= WITHIN * errors[0] else np.inf


def with_corrections(parts: list[LinearPart], forecaster, context: FitContext, stop: np.ndarray) -> list[LinearPart]:
    """Return the regressions with corrections for each series, fitted on the rows before ``stop[e]``."""
    penalty, horizon = forecaster.penalty_of_corrections_, forecaster.horizon_
    if np.isinf(penalty):
        return parts
    corrected = []
    for part in parts:
        buffers = buffers_of(context, part.scaler, forecaster.lookback_, horizon)
        windows = Windows.training(context.panel, stop, len(part.ridge.weights), horizon)
        own = SeriesCorrections.fit(buffers, windows, part.ridge, penalty)
        corrected.append(replace(part, corrections=own))
    return corrected
