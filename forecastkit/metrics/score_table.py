"""Scores of a long forecast frame as one table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from forecastkit.metrics import elementwise
from forecastkit.utils.validation import check_levels, check_names, refuse

if TYPE_CHECKING:
    import pandas as pd

#: Fewest quantiles from which the continuous ranked probability score is approximated.
ENOUGH_FOR_CRPS = 5


def quantile_columns(frame: pd.DataFrame) -> dict[float, str]:
    """Return the quantile columns (``q0.1``, ``q0.5``, ...) of a forecast frame by increasing level."""
    named = {_level_of(name): name for name in frame.columns}
    return {level: named[level] for level in sorted(level for level in named if 0 < level < 1)}


def score_table(
    frame: pd.DataFrame,
    *,
    by: str | Sequence[str] = (),
    scale: float | ArrayLike | pd.Series | None = None,
    squared_scale: float | ArrayLike | pd.Series | None = None,
    levels: Sequence[float] | None = None,
) -> pd.DataFrame:
    """Compute scores of a long forecast frame, one row per group.

    Parameters
    ----------
    frame : DataFrame
        Has the columns ``actual`` and ``forecast``, and optionally quantile columns (``q0.1``) or ``lower`` and
        ``upper``.
    by : str or list of str
        Columns to group by, such as the series, the target, ``step`` or ``cutoff``; without any, the table has one row.
    scale : float, Series or array-like, optional
        `seasonal_scale` of the history: one number, a Series whose index levels are named like columns of the frame
        (the series), or one value per row. Rows without a scale are excluded from the scaled scores only.
    squared_scale : float, Series or array-like, optional
        `seasonal_scale_squared` of the history, in the same forms as `scale`.
    levels : list of float, optional
        Quantile levels to score; by default all levels of the frame.

    Returns
    -------
    DataFrame
        Indexed by `by`, with the columns ``rows`` (number of observed rows) and ``mae, mse, rmse, bias, wape, smape``;
        ``mase`` with `scale` and ``rmsse`` with `squared_scale`; ``pinball_q0.1`` for each quantile, ``wql`` over all
        and ``crps`` for at least five; ``coverage_0.8``, ``winkler_0.8`` and (with `scale`) ``msis_0.8`` for each pair
        of symmetric quantiles; ``coverage`` and ``width`` for lower and upper. Means are over the rows of a group; for
        ``rmse`` and ``rmsse`` they are taken before the root. Units are those of the functions of the same names.

    Raises
    ------
    InputError
        If a column is missing, or the shape of `scale` does not match the rows.
    """
    import pandas as pd

    by = [by] if isinstance(by, str) else list(by)
    columns = _wanted_quantiles(frame, levels)
    check_names("score_table", "the columns scored", ["actual", "forecast", *by, *columns.values()], frame.columns)
    codes, index = _groups(frame, by)
    actual = _column(frame, "actual")
    seen = elementwise.seen(actual)
    scales = [None if given is None else _row_scale(frame, given)[seen] for given in (scale, squared_scale)]
    rows = _Rows(actual[seen], codes[seen], len(index), *scales)
    table = rows.point(_column(frame, "forecast")[seen])
    table |= rows.quantiles({level: _column(frame, name)[seen] for level, name in columns.items()})
    if {"lower", "upper"} <= set(frame.columns):
        table |= rows.interval(_column(frame, "lower")[seen], _column(frame, "upper")[seen])
    return pd.DataFrame(table, index=index)


class _Rows:
    """Observed rows and their groups.

    Sums use `bincount`, because pandas' groupby would skip NaN forecasts instead of propagating them.
    """

    def __init__(self, actual: np.ndarray, codes: np.ndarray, n_groups: int, scale=None, squared_scale=None):
        self.actual, self.codes, self.n_groups = actual, codes, n_groups
        self.scale, self.squared_scale = scale, squared_scale
        self.counts = np.bincount(codes, minlength=n_groups)
        self.size = self.mean(np.abs(actual))

    def mean(self, values: np.ndarray) -> np.ndarray:
        return elementwise.divide(np.bincount(self.codes, values, self.n_groups), self.counts)

    def scaled(self, name: str, values: np.ndarray) -> dict[str, np.ndarray]:
        return {} if self.scale is None else {name: self._over(values, self.scale)}

    def _over(self, values, scale):
        """Return the group means of scaled values over the rows that have a scale."""
        use = elementwise.seen(scale)
        codes = self.codes[use]
        total = np.bincount(codes, elementwise.divide(values[use], scale[use]), self.n_groups)
        return elementwise.divide(total, np.bincount(codes, minlength=self.n_groups))

    def point(self, forecast: np.ndarray) -> dict[str, np.ndarray]:
        error = forecast - self.actual
        size = np.abs(error)
        mean_size, mean_square = self.mean(size), self.mean(np.square(error))
        squares = {} if self.squared_scale is None else {"rmsse": np.sqrt(self._over(error**2, self.squared_scale))}
        return {
            "rows": self.counts,
            "mae": mean_size,
            "mse": mean_square,
            "rmse": np.sqrt(mean_square),
            "bias": self.mean(error),
            "wape": elementwise.divide(mean_size, self.size),
            "smape": self.mean(elementwise.symmetric(self.actual, forecast)),
            **self.scaled("mase", size),
            **squares,
        }

    def quantiles(self, quantiles: dict[float, np.ndarray]) -> dict[str, np.ndarray]:
        losses = {
            level: self.mean(elementwise.pinball(self.actual, values, level)) for level, values in quantiles.items()
        }
        table = {f"pinball_q{level:g}": loss for level, loss in losses.items()}
        if losses:
            table["wql"] = elementwise.divide(2 * np.mean(list(losses.values()), axis=0), self.size)
        if len(losses) >= ENOUGH_FOR_CRPS:
            table["crps"] = 2 * elementwise.level_weights(list(losses)) @ np.array(list(losses.values()))
        for level, low, high in symmetric_pairs(quantiles):
            score = elementwise.winkler(self.actual, quantiles[low], quantiles[high], level)
            table[f"coverage_{level:g}"] = self.mean(elementwise.inside(self.actual, quantiles[low], quantiles[high]))
            table[f"winkler_{level:g}"] = self.mean(score)
            table |= self.scaled(f"msis_{level:g}", score)
        return table

    def interval(self, lower: np.ndarray, upper: np.ndarray) -> dict[str, np.ndarray]:
        return {"coverage": self.mean(elementwise.inside(self.actual, lower, upper)), "width": self.mean(upper - lower)}


def symmetric_pairs(levels: Sequence[float]) -> list[tuple[float, float, float]]:
    """Return (coverage, low, high) of each pair of levels that is symmetric about the median, widest first."""
    upper = {round(level, 9): level for level in levels if level > 0.5}
    pairs = [(low, upper.get(round(1 - low, 9))) for low in sorted(levels) if low < 0.5]
    return [(round(high - low, 9), low, high) for low, high in pairs if high is not None]


def _level_of(name: object) -> float:
    """Return the level in the name of a column such as ``q0.1``, 0 for other columns."""
    try:
        return float(name[1:]) if isinstance(name, str) and name.startswith("q") else 0.0
    except ValueError:
        return 0.0


def _wanted_quantiles(frame: pd.DataFrame, levels: Sequence[float] | None) -> dict[float, str]:
    if levels is None:
        return quantile_columns(frame)
    return {level: f"q{level:g}" for level in check_levels("score_table", levels)}


def _groups(frame: pd.DataFrame, by: list[str]) -> tuple[np.ndarray, pd.Index]:
    """Return the group number of each row and the index of the groups."""
    import pandas as pd

    if not by:
        return np.zeros(len(frame), dtype="int64"), pd.RangeIndex(1)
    groups = frame.groupby(by if len(by) > 1 else by[0], observed=True, dropna=False)
    return groups.ngroup().to_numpy(), groups.size().index


def _row_scale(frame: pd.DataFrame, scale: object) -> np.ndarray:
    """Return the scale of each row, shape (rows,)."""
    import pandas as pd

    if isinstance(scale, pd.Series) and any(name is not None for name in scale.index.names):
        keys = list(scale.index.names)
        check_names("score_table", "the index levels of scale", keys, frame.columns)
        # One lookup per group is ten times faster than joining a million rows to the scales.
        codes, index = _groups(frame, keys)
        return scale.reindex(index).to_numpy("float64", na_value=np.nan)[codes]
    scale = np.asarray(scale, dtype="float64")
    if scale.shape not in ((), (len(frame),)):
        refuse("score_table", f"scale must be one number, one per row ({len(frame)}) or a Series by key", scale.shape)
    return np.broadcast_to(scale, len(frame))


def _column(frame: pd.DataFrame, name: str) -> np.ndarray:
    return frame[name].to_numpy("float64", na_value=np.nan)
