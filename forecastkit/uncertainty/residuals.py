"""Residuals (actual minus forecast) of windows, in transformed and scaled units."""

import numpy as np

from forecastkit.data.panel import Panel
from forecastkit.data.windows import Origins

#: Smallest ordinal, for series without training rows.
NEVER = np.iinfo("int64").min


def series_of(scaler, panel: Panel, origins: Origins) -> np.ndarray:
    """Return the number of each origin's series among the trained ones, shape (n,); -1 for others."""
    entity = scaler.places(panel, trained=True)[origins.entity]
    return np.where(entity < 0, -1, entity * panel.channels + origins.channel)


def scale_of(scaler, panel: Panel, origins: Origins) -> np.ndarray:
    """Return the positive scale (n,) of each origin's series in the user's units; see `Scaler.error_units`."""
    return scaler.error_units(panel)[origins.entity, origins.channel]


def observed_after(panel: Panel, origins: Origins, horizon: int) -> np.ndarray:
    """Return the observed values after the origins, shape (n, horizon), NaN where missing."""
    rows = origins.row[:, None] + np.arange(1, horizon + 1)
    inside = rows < panel.indptr[origins.entity + 1][:, None]
    values = panel.target[np.minimum(rows, panel.rows - 1), origins.channel[:, None]].astype("float64")
    return np.where(inside, values, np.nan)


def series_number(panel: Panel, origins: Origins) -> np.ndarray:
    """Return the number of each origin's series in its panel, shape (n,), with channels varying fastest."""
    return origins.entity * panel.channels + origins.channel


def independent_windows(origins: Origins, panel: Panel, horizon: int) -> np.ndarray:
    """Return the approximate number of non-overlapping windows of each series, shape (n_series,).

    It is the number of blocks of one horizon in which windows begin.
    """
    series = series_number(panel, origins)
    block = (origins.row - panel.indptr[origins.entity]) // horizon
    wide = block.max(initial=0) + 1
    return np.bincount(np.unique(series * wide + block) // wide, minlength=len(panel.ids) * panel.channels)


def residual_scale(forecaster, panel: Panel, origins: Origins) -> np.ndarray:
    """Return the unit (n,) of each origin's residuals: the scale with which those of its series were computed.

    It is the scale of the transformed target at the time of validation, which later fits of the scaler do not change.
    For a new series it is the current scale.
    """
    today = forecaster.scaler_.positive_scale(panel, origins)
    series = series_of(forecaster.scaler_, panel, origins)
    scale = forecaster.residual_scale_.ravel()[series]
    return np.where((series < 0) | (scale == 0), today, scale)


def residuals_of(forecaster, panel: Panel, origins: Origins, actual: np.ndarray, forecast: np.ndarray) -> np.ndarray:
    """Return transformed actuals minus transformed forecasts (n, horizon), in units of `residual_scale`."""
    observed = forecaster.scaler_.transformed_values(actual)
    difference = observed - to_residual_space(forecaster, forecast)
    return difference / residual_scale(forecaster, panel, origins)[:, None]


def add_residuals(
    forecaster, panel: Panel, origins: Origins, forecast: np.ndarray, residuals: np.ndarray
) -> np.ndarray:
    """Add residuals, as returned by `residuals_of`, to forecasts (n, horizon, levels), in the range of the target."""
    scale = residual_scale(forecaster, panel, origins)[:, None, None]
    return from_residual_space(forecaster, to_residual_space(forecaster, forecast) + residuals * scale)


def to_residual_space(forecaster, values: np.ndarray) -> np.ndarray:
    """Transform values in the user's units like the target."""
    return forecaster.scaler_.transformed_values(values, clip=True)


def from_residual_space(forecaster, values: np.ndarray) -> np.ndarray:
    """Invert `to_residual_space`."""
    return forecaster.scaler_.untransformed_values(values)


def trained_until(forecaster, panel: Panel) -> np.ndarray:
    """Return the ordinal of the last training row of each series of the panel, shape (E,); `NEVER` for new series."""
    at = forecaster.history_.places(panel.ids)
    until = forecaster.trained_until_
    known = (at >= 0) & (at < len(until))  # series added after the fit come last
    return np.where(known, until[np.where(known, at, 0)], NEVER)
