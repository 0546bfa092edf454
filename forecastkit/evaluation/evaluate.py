"""Forecasts of a model from past cutoffs with the actuals, from which all scores of the library are computed.

`backtest`, `compare`, `tune`, `AutoForecaster` and ``forecast train`` all evaluate models here, so that scores of the
same name are computed in the same way everywhere (docs/evaluation.md).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from forecastkit.baselines import simple
from forecastkit.baselines.seasonal_scales import first_cutoffs, scales_at
from forecastkit.data import output_frames
from forecastkit.data.panel import Panel
from forecastkit.data.windows import Origins
from forecastkit.evaluation.results import COVERED, covered_levels
from forecastkit.forecasters.base import Forecaster
from forecastkit.metrics.elementwise import inside, quantile_loss
from forecastkit.metrics.grouped_scores import GroupedScores, symmetric_pairs
from forecastkit.uncertainty.forecasts import Forecast
from forecastkit.uncertainty.residuals import observed_after

if TYPE_CHECKING:
    import pandas as pd

#: Number of origins whose quantiles are computed at a time, to bound memory.
CHUNK = 2_000


@dataclass(frozen=True, eq=False)
class ForecastWindows:
    """Past cutoffs, the actuals after them, and the references for scoring."""

    panel: Panel  #: Rows before and after the cutoffs
    origins: Origins  #: Cutoffs of every series and target, n in total
    horizon: int
    season: int  #: Season length of the reference and of the scales

    @cached_property
    def actual(self) -> np.ndarray:
        """Return the actuals, (n, horizon), NaN where missing."""
        return observed_after(self.panel, self.origins, self.horizon)

    @cached_property
    def naive(self) -> np.ndarray:
        """Return seasonal naive forecasts, (n, horizon)."""
        return simple.seasonal_naive(self.panel, self.origins, self.horizon, self.season)

    @cached_property
    def scale(self) -> np.ndarray:
        """Return the MASE scale of each origin's series, (n,), from the rows up to its first cutoff."""
        return scales_at(self.panel, self.origins, self.season)[0]

    @cached_property
    def ranking_scale(self) -> np.ndarray:
        """Return `scale` with the mean one-step difference for series without a scale; all 1 if no series has any."""
        scale = self.scale
        if np.isnan(scale).any():
            scale = np.where(np.isnan(scale), scales_at(self.panel, self.origins, 1)[0], scale)
        return scale if not np.isnan(scale).all() else np.ones_like(scale)

    @cached_property
    def reference(self) -> float:
        """Return the MASE of seasonal naive forecasts by `ranking_scale`; 1 if they have no error."""
        error = float(self.scores(scale=self.ranking_scale).mase(self.naive)[0])
        return error if error > 0 else 1.0

    def scores(self, group: np.ndarray | int = 0, n_groups: int = 1, scale: np.ndarray | None = None) -> GroupedScores:
        """Return grouped actuals, against which forecasts (n, horizon) are scored.

        `group` is the number of each origin's group, by default one for all; `scale` (n,) replaces the MASE scale.
        """
        scale = self.scale if scale is None else scale
        return GroupedScores(self.actual, np.reshape(group, (-1, 1)), n_groups, scale[:, None])


@dataclass(frozen=True, eq=False)
class Evaluation:
    """Forecasts of a model in some windows."""

    model: Forecaster  #: Fitted, and adapted to series that it was not fitted on
    windows: ForecastWindows
    forecasts: Forecast

    @cached_property
    def forecast(self) -> np.ndarray:
        """Return point forecasts, (n, horizon)."""
        return self.forecasts.point()

    def quantiles(self, levels: Sequence[float], own: bool = False) -> Iterator[tuple[slice, np.ndarray]]:
        """Quantile forecasts, a slice of the origins at a time: (slice, (chunk, horizon, levels)).

        With `own`, those that the model gives by itself, before any calibration.
        """
        forecasts = self.forecasts.uncorrected if own else self.forecasts
        for low in range(0, len(self.windows.origins), CHUNK):
            part = slice(low, low + CHUNK)
            yield part, forecasts[part].quantiles(levels)

    def relative_score(self, levels: Sequence[float] = ()) -> float:
        """MASE as a multiple of that of the seasonal naive; infinite if forecasts are not finite.

        With `levels`, the scaled quantile loss of the model's own quantiles takes the place of its MASE. Scales are
        those of `ForecastWindows.ranking_scale`. docs/evaluation.md has the formula.
        """
        rows = self.windows.scores(scale=self.windows.ranking_scale)
        if levels:
            losses = np.empty(rows.observed.shape)
            for part, values in self.quantiles(levels, own=True):
                losses[part] = quantile_loss(self.windows.actual[part], values, levels)
            error = float(rows.scaled_mean(losses[rows.observed], rows.scale)[0])
        else:
            error = float(rows.mase(self.forecast)[0])
        return error / self.windows.reference if np.isfinite(error) else float("inf")

    def covered(self, group: np.ndarray, n_groups: int) -> dict[str, np.ndarray]:
        """Return the number of actuals inside the intervals of `COVERED` for each group of origins.

        Intervals that the model's quantiles do not reach are left out.
        """
        levels, actual = covered_levels(self.model, COVERED), self.windows.actual
        if levels is None or not self.forecasts.has_quantiles:
            return {}
        pairs = symmetric_pairs(levels)
        found = {f"{coverage:g}": np.zeros(n_groups, dtype="int64") for coverage, _, _ in pairs}
        for part, values in self.quantiles(levels):
            for coverage, low, high in pairs:
                held = inside(actual[part], values[..., levels.index(low)], values[..., levels.index(high)]) == 1
                found[f"{coverage:g}"] += np.bincount(group[part], held.sum(axis=1), n_groups).astype("int64")
        return found

    def frame(self, levels: Sequence[float] = ()) -> pd.DataFrame:
        """Return the long frame of forecasts and actuals, with quantiles at these levels."""
        model, panel, origins = self.model, self.windows.panel, self.windows.origins
        columns = {}
        if levels:
            values = self.forecasts.quantiles(levels)
            columns = {output_frames.level_name(level): values[..., i] for i, level in enumerate(levels)}
        if (density := self.forecasts.log_density(self.windows.actual)) is not None:
            columns["log_density"] = density
        return output_frames.long_frame(panel, model.schema_, origins, self.forecast, columns, actual=True)


def evaluate(model: Forecaster, windows: ForecastWindows, panel: Panel | None = None) -> Evaluation:
    """Forecast from past cutoffs with a model fitted on rows up to the first one, each from the rows up to the cutoff.

    Series that the model was not fitted on are scaled by their rows up to their first cutoff. If another panel is
    given, with the same targets, the rows forecast from are its rows instead of those of the windows.
    """
    panel, origins = windows.panel if panel is None else panel, windows.origins
    adapted = model._adapted(panel, first_cutoffs(panel, origins))
    return Evaluation(adapted, windows, adapted._forecast_at(panel, origins))
