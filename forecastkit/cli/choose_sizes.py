"""Sizes of a training run: horizon and test rows. Estimators choose the others, see `forecastkit.data.sizes`."""

import copy
from dataclasses import dataclass

import numpy as np

from forecastkit.cli.read_data import Data
from forecastkit.data.season_detection import infer_season
from forecastkit.data.sizes import (
    choose_horizon,
    held_out_ends,
    held_out_length,
    held_out_rows,
    stride_within,
    usual_horizon,
    validation_start,
)
from forecastkit.utils.validation import check_int, refuse


@dataclass(frozen=True)
class Sizes:
    """Sizes in rows."""

    rows: int  #: Number of rows of the longest series, or the median if the series end at different times
    horizon: int
    test: int
    test_start: np.ndarray  #: Ordinal of the first row of the test of each series
    stride: int  #: Rows between the forecast origins of the test
    season: int | None  #: Season length of the values before the test if rows have no times and none is given
    shortened: bool  #: Whether the horizon is shorter than usual because of few rows

    @property
    def parameters(self) -> dict:
        """Return the sizes as constructor parameters."""
        return {"horizon": self.horizon, **({} if self.season is None else {"season_length": self.season})}

    @property
    def is_staggered(self) -> bool:
        """Return whether the test rows are the last ones of each series, which end at different times."""
        return bool((self.test_start != self.test_start[0]).any())

    @property
    def cutoffs(self) -> int:
        """Return the number of forecast origins in the test of the longest series."""
        return (self.test - self.horizon) // self.stride + 1

    def validation(self, size: int | float) -> int:
        """Return the validation rows of the longest series if `size` is the `validation_size` of a forecaster."""
        rows = np.array([max(self.rows - self.test, 0)])
        return int((rows - validation_start(np.zeros(1, dtype="int64"), rows, size, self.horizon))[0])


def choose_sizes(data: Data, parameters: dict, test_size: int | float | None = None) -> Sizes:
    """Choose the horizon, as estimators do, and the test rows: two horizons or a tenth, at most a quarter of the rows.

    Where the test of a panel ends is said in `forecastkit.data.sizes.held_out_ends`.
    """
    longest, given = int(data.lengths.max()), parameters.get("horizon")
    check_int("--horizon", "horizon", given, optional=True)
    season_length = parameters.get("season_length")
    horizon = choose_horizon(given, season_length, data.panel, data.panel.schema)
    ends = held_out_ends(data.panel, held_out_rows(longest, horizon), horizon, data.roles.time is not None)
    if longest < 2 * horizon + 2:
        rule = f"a horizon of {horizon} needs {2 * horizon + 2} rows, {horizon} of them for the test"
        refuse(str(data.path), rule, f"{longest} in the longest series", "Pass a shorter horizon= or more rows.")
    rows = max(held_out_length(data.panel, ends), 2 * horizon + 2)
    test, season = _test_rows(data, rows, horizon, test_size), None
    if season_length is None and not data.panel.grid.is_time:
        season = infer_season(data.panel, data.panel.row_at(np.arange(len(ends)), ends - test + 1))
    stride = stride_within(test - horizon + 1, len(data.panel.ids) * data.panel.channels)
    shortened = given is None and horizon < usual_horizon(data.panel.grid)
    return Sizes(rows, horizon, test, ends - test + 1, stride, season, shortened)


def sized(member, forecaster, data: Data, sizes: Sizes):
    """Return a copy of an unfitted member, or forecaster, with the sizes that it chooses before the test."""
    chosen, panel = copy.copy(member), data.rows_before(sizes.test_start)
    chosen.schema_ = data.schema
    for name in ("horizon", "lookback", "season_length"):
        setattr(chosen, name, getattr(member, name) or getattr(forecaster, name))
    if chosen.lookback is not None:  # of a longer one the fit warns
        chosen.lookback = min(chosen.lookback, int(panel.lengths.max()) - sizes.horizon)
    chosen._choose_sizes(panel, panel.last_observed() + 1)
    return chosen


def _test_rows(data: Data, rows: int, horizon: int, given: int | float | None) -> int:
    most = rows - horizon - 2
    if given is None:
        return held_out_rows(rows, horizon)
    test = given if isinstance(given, int) else round(given * rows)
    if not horizon <= test <= most:
        got = f"{test} of {rows} rows"
        refuse(str(data.path), f"the test must have between {horizon} (the horizon) and {most} rows", got)
    return test
