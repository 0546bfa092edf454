"""Backtest results: scores overall and by group, interval coverage."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from forecastkit.metrics import elementwise
from forecastkit.metrics.functions import skill
from forecastkit.metrics.grouped_scores import symmetric_pairs
from forecastkit.metrics.score_table import quantile_columns, score_table
from forecastkit.utils.mixins import Plottable, Printable
from forecastkit.utils.validation import check_names, refuse

if TYPE_CHECKING:
    import pandas as pd


#: Nominal coverages that are part of every report.
COVERED = (0.5, 0.8, 0.9, 0.95)

#: Columns of `coverage_by_third`.
THIRDS = ("first third", "middle third", "last third")
#: Smallest difference of the coverage between the first and the last third that counts as a drift.
LEAST_DRIFT = 0.1

#: Scores that a backtest prints; the others are in `Backtest.scores`.
MAIN_SCORES = ("mae", "rmse", "bias", "mase", "wql", "coverage_0.8", "skill")


@dataclass(frozen=True, repr=False)
class Backtest(Printable, Plottable):
    """Result of `forecastkit.backtest`.

    Parameters
    ----------
    forecasts : DataFrame
        Long: ``[series_id,] time, [target,] cutoff, step, forecast, [quantiles,] [log_density,] actual``.
    scores : DataFrame
        A row for the forecaster and one for the seasonal naive on the same windows: the columns of
        `forecastkit.metrics.score_table` (MAE, RMSE, bias, WAPE, sMAPE, MASE, RMSSE; with quantiles pinball losses, WQL
        and CRPS) and the skill ``1 - MAE / MAE of the seasonal naive``; where distributions are forecast, the
        logarithmic score, the mean of ``-log density`` (Good 1952), as well.
    coverage : DataFrame
        A row for each central interval whose quantiles were requested (0.8: from q0.1 to q0.9): ``share``, the fraction
        of actuals inside it, ``rows``, and two standard errors of the share: ``binomial_error``, as if all rows were
        independent, and ``block_error``, as if rows of one block of two horizons of time (one, where there would
        be fewer than eight) have correlated errors. Forecasts from neighbouring cutoffs do, so the latter is more
        realistic; it is NaN where all windows lie in one block.
    reference : Reference
        The seasonal naive forecasts, and the scales of series.
    """

    forecasts: pd.DataFrame
    scores: pd.DataFrame
    coverage: pd.DataFrame
    reference: Reference = field(repr=False)

    def _shown(self) -> pd.DataFrame:
        return self.scores[[name for name in MAIN_SCORES if name in self.scores]]

    def summary(self) -> str:
        """One line on how much was forecast."""
        frame = self.forecasts
        cutoffs, horizon = frame["cutoff"].nunique(), int(frame["step"].max())
        return f"Backtest of {cutoffs:,} cutoff{'s' * (cutoffs != 1)}, horizon {horizon}, {len(frame):,} rows"

    def ranges(self) -> list[dict]:
        """Return the rows of `coverage` as plain values."""
        return self.coverage.reset_index().to_dict(orient="records")

    def by(self, keys: str | Sequence[str], metrics: str | Sequence[str] | None = None) -> pd.DataFrame:
        """Scores by group.

        Parameters
        ----------
        keys : str or list of str
            ``"series"`` (every series and target), ``"step"`` of the horizon, ``"cutoff"``, ``"target"`` or another
            column of `forecasts`, such as the time.
        metrics : str or list of str, optional
            Only these columns of the table.

        Returns
        -------
        DataFrame
            A row for each group with the columns of `scores`: those of `forecastkit.metrics.score_table`, and the skill
            against the seasonal naive in the same rows.

        Raises
        ------
        InputError
            If there is no such column or metric, or only one series.
        """
        keys = self.reference.columns([keys] if isinstance(keys, str) else list(keys))
        table = scored(self.forecasts, self.reference, by=keys)[0]
        if metrics is None:
            return table
        metrics = [metrics] if isinstance(metrics, str) else list(metrics)
        check_names("by", "metrics", metrics, table.columns)
        return table[metrics]


@dataclass(frozen=True)
class Reference:
    """Reference forecasts and scales for scoring."""

    series: tuple  #: Columns of `forecasts` that identify series
    naive: np.ndarray  #: (rows,): seasonal naive forecasts
    scale: object  #: Series or float: scales of MASE by series, from the rows up to the first cutoff
    squared_scale: object  #: Those of RMSSE

    def columns(self, keys: list[str]) -> list[str]:
        """Return column names, where ``series`` stands for all columns that identify series."""
        if "series" in keys and not self.series:
            refuse("by", "'series' needs several series or targets", "one")
        return [name for key in keys for name in (self.series if key == "series" else (key,))]


def scored(forecasts: pd.DataFrame, about: Reference, by: Sequence[str] = ()) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return scores of the forecaster by group, and of the seasonal naive on the same rows."""
    scales = {"scale": about.scale, "squared_scale": about.squared_scale}
    own = score_table(forecasts, by=by, **scales)
    points = forecasts[list(dict.fromkeys([*by, *about.series, "actual"]))].assign(forecast=about.naive)
    naive = score_table(points, by=by, **scales)
    own["skill"], naive["skill"] = skill(own["mae"], naive["mae"]), 0.0
    if "log_density" in forecasts:
        own["log_score"] = -_group_means(forecasts, list(by))
    return own, naive


def _group_means(forecasts, by):
    density = forecasts["log_density"]
    if not by:
        return density.mean()
    return density.groupby([forecasts[key] for key in by], observed=True, dropna=False).mean()


def both_scores(forecasts: pd.DataFrame, about: Reference) -> pd.DataFrame:
    """Return one row of scores for the forecaster and one for the seasonal naive."""
    import pandas as pd

    table = pd.concat(scored(forecasts, about), ignore_index=True)
    table.index = pd.Index(["forecaster", "seasonal naive"], name="model")
    return table


# Coverage -------------------------------------------------------------------------------------------------------------


def covered_levels(forecaster, intervals: Sequence[float] = COVERED) -> tuple[float, ...] | None:
    """Levels of these intervals and the median; only those that the forecaster's own quantiles reach, None for none."""
    wanted = sorted({round(side, 9) for share in intervals for side in ((1 - share) / 2, 0.5, (1 + share) / 2)})
    trained = getattr(forecaster, "trained_levels_", None) or forecaster.get_params().get("quantile_levels")
    if trained is None:
        return tuple(wanted)
    reached = tuple(level for level in wanted if trained[0] - 1e-9 <= level <= trained[-1] + 1e-9)
    return reached if len(symmetric_pairs(reached)) else None


def coverage_table(forecasts: pd.DataFrame, place: np.ndarray, horizon: int) -> pd.DataFrame:
    """Return the coverage of central intervals, see `Backtest`, of forecasts with quantile columns and ``actual``.

    `place` (rows,) is the time of each row's cutoff in steps; the first row has the earliest.
    """
    import pandas as pd

    actual = forecasts["actual"].to_numpy()
    seen = elementwise.seen(actual)
    block = elementwise.time_blocks(place[seen] - place[:1], horizon)
    columns = quantile_columns(forecasts)
    rows = {}
    for share, low, high in reversed(symmetric_pairs(columns)):
        ends = (forecasts[columns[level]].to_numpy()[seen] for level in (low, high))
        rows[share] = held(elementwise.inside(actual[seen], *ends), block)
    table = pd.DataFrame.from_dict(rows, orient="index", columns=["share", "rows", "binomial_error", "block_error"])
    return table.rename_axis("interval").astype({"rows": "int64"})


def held(inside: np.ndarray, block: np.ndarray) -> tuple[float, int, float, float]:
    """Return the fraction of rows inside, the number of rows, and the binomial and block-aware standard errors."""
    n = len(inside)
    if not n:
        return np.nan, 0, np.nan, np.nan
    share = float(inside.mean())
    return share, n, float(np.sqrt(share * (1 - share) / n)), elementwise.block_error(inside, np.ones(n), block)


def coverage_by_third(test: Backtest) -> pd.DataFrame:
    """Return the fraction of actuals inside each interval (rows) in the first, middle and last third of the cutoffs.

    Cutoffs are counted back from the last one of each series.
    """
    import pandas as pd

    place, third = _places(test)
    parts = [coverage_table(test.forecasts[third == n], place[third == n], 1)["share"] for n in range(len(THIRDS))]
    return pd.concat(parts, axis=1, keys=THIRDS)


def drift(test: Backtest, interval: float, stride: int) -> float:
    """Return how much larger an interval's coverage is in the last third of the cutoffs than in the first.

    It is 0 unless the difference exceeds `LEAST_DRIFT` and twice its standard error, which treats rows of one block of
    time as dependent, and for fewer than three such blocks in a third.
    """
    horizon, (place, third) = int(test.forecasts["step"].max()), _places(test)
    parts = [(test.forecasts[third == n], stride * place[third == n]) for n in (0, len(THIRDS) - 1)]
    if min(len(np.unique(elementwise.time_blocks(own, horizon))) for _, own in parts) < elementwise.MIN_COMPARED:
        return 0.0
    first, last = (coverage_table(*part, horizon).loc[interval] for part in parts)
    difference = last["share"] - first["share"]
    error = np.hypot(first["block_error"], last["block_error"])
    return float(difference) if abs(difference) > max(2 * error, LEAST_DRIFT) else 0.0


def _places(test: Backtest) -> tuple[np.ndarray, np.ndarray]:
    """Return the number of each row's cutoff, from 0 to the last one of its series, and its third of the cutoffs."""
    import pandas as pd

    place = pd.Series(pd.factorize(test.forecasts["cutoff"], sort=True)[0])
    series = [test.forecasts[name].to_numpy() for name in test.reference.series]
    back = (place.groupby(series, sort=False) if series else place).rank(method="dense", ascending=False)
    count = int(back.max()) if len(back) else 0
    place = (count - back).to_numpy(dtype="int64")
    return place, np.minimum(place * len(THIRDS) // max(count, 1), len(THIRDS) - 1)
