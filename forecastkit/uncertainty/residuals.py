"""Residuals of windows: actual less forecast values after origins, in the space and units that they are added in."""

import numpy as np

from forecastkit.data.panel import Panel
from forecastkit.data.windows import Origins

#: Ordinal before all others, of the last training row of a series that was not trained on.
NEVER = np.iinfo("int64").min


def series_of(scaler, panel: Panel, origins: Origins) -> np.ndarray:
    """Number of each origin's series among those trained on, (n,); -1 for others."""
    entity = scaler.places(panel, trained=True)[origins.entity]
    return np.where(entity < 0, -1, entity * panel.channels + origins.channel)


def scale_of(scaler, panel: Panel, origins: Origins) -> np.ndarray:
    """Scale of each origin's series in the user's units, (n,), above 0; see `Scaler.error_units`."""
    return scaler.error_units(panel)[origins.entity, origins.channel]


def observed_after(panel: Panel, origins: Origins, horizon: int) -> np.ndarray:
    """What was observed at each step after the origins, (n, horizon), NaN where nothing."""
    rows = origins.row[:, None] + np.arange(1, horizon + 1)
    inside = rows < panel.indptr[origins.entity + 1][:, None]
    values = panel.target[np.minimum(rows, panel.rows - 1), origins.channel[:, None]].astype("float64")
    return np.where(inside, values, np.nan)


def series_number(panel: Panel, origins: Origins) -> np.ndarray:
    """Number of each origin's series in its own panel, (n,): channels fastest."""
    return origins.entity * panel.channels + origins.channel


def independent_windows(origins: Origins, panel: Panel, horizon: int) -> np.ndarray:
    """About how many windows of each series have no step in common, (n_series,): blocks of a horizon they begin in."""
    series = series_number(panel, origins)
    block = (origins.row - panel.indptr[origins.entity]) // horizon
    wide = block.max(initial=0) + 1
    return np.bincount(np.unique(series * wide + block) // wide, minlength=len(panel.ids) * panel.channels)


def residual_scale(forecaster, panel: Panel, origins: Origins) -> np.ndarray:
    """Unit of each origin's residuals, (n,): the scale under which those of its series were measured.

    That is the unit of the transformed target at the time of validation, which a later fit of the scaler leaves as it
    is; of a series not seen then it is today's scale.
    """
    today = forecaster.scaler_.positive_scale(panel, origins)
    series = series_of(forecaster.scaler_, panel, origins)
    scale = forecaster.residual_scale_.ravel()[series]
    return np.where((series < 0) | (scale == 0), today, scale)


def residuals_of(forecaster, panel: Panel, origins: Origins, actual: np.ndarray, forecast: np.ndarray) -> np.ndarray:
    """Actual less forecast values (n, horizon), both transformed as the target is, in units of `residual_scale`."""
    observed = forecaster.scaler_.transformed_values(actual)
    difference = observed - to_residual_space(forecaster, forecast)
    return difference / residual_scale(forecaster, panel, origins)[:, None]


def add_residuals(
    forecaster, panel: Panel, origins: Origins, forecast: np.ndarray, residuals: np.ndarray
) -> np.ndarray:
    """Forecasts (n, horizon, levels) with residuals added as `residuals_of` measured them: in the target's range."""
    scale = residual_scale(forecaster, panel, origins)[:, None, None]
    return from_residual_space(forecaster, to_residual_space(forecaster, forecast) + residuals * scale)


def to_residual_space(forecaster, values: np.ndarray) -> np.ndarray:
    """Values in the user's units transformed as the target is."""
    return forecaster.scaler_.transformed_values(values, clip=True)


def from_residual_space(forecaster, values: np.ndarray) -> np.ndarray:
    """Undo `to_residual_space`."""
    return forecaster.scaler_.untransformed_values(values)


def trained_until(forecaster, panel: Panel) -> np.ndarray:
    """Ordinal of the last row of each of the panel's series that was fitted on, (E,); `NEVER` for new series."""
    at = forecaster.history_.places(panel.ids)
    until = forecaster.trained_until_
    known = (at >= 0) & (at < len(until))  # series that came with newer rows stand behind those of the fit
    return np.where(known, until[np.where(known, at, 0)], NEVER)
