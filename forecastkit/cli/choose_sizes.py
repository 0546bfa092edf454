"""Sizes of a training run: horizon, lookback, validation and test rows."""

from dataclasses import dataclass

import numpy as np

from forecastkit.cli.read_data import Data
from forecastkit.data.season_detection import infer_season
from forecastkit.data.sizes import (
    SEASONS,
    held_out_ends,
    held_out_length,
    held_out_rows,
    horizon_within,
    lookback_within,
    stride_within,
    usual_sizes,
    validation_rows,
)
from forecastkit.utils.validation import check_int, refuse


@dataclass(frozen=True)
class Sizes:
    """Sizes in rows."""

    rows: int  #: Number of rows of the longest series, or the median if the series end at different times
    horizon: int
    lookback: int
    validation: int | float  #: Rows or a fraction of them, as in forecasters
    test: int
    test_start: np.ndarray  #: Ordinal of the first row of the test of each series
    stride: int  #: Rows between the forecast origins of the test
    season: int | None  #: Season length of the values before the test if rows have no times and none is given
    shortened: bool  #: Whether horizon or lookback are shorter than usual because of few rows

    @property
    def parameters(self) -> dict:
        """Return the sizes as constructor parameters."""
        season = {} if self.season is None else {"season_length": self.season}
        return {"horizon": self.horizon, "lookback": self.lookback, "validation_size": self.validation, **season}

    @property
    def is_staggered(self) -> bool:
        """Return whether the test rows are the last ones of each series, which end at different times."""
        return bool((self.test_start != self.test_start[0]).any())

    @property
    def cutoffs(self) -> int:
        """Return the number of forecast origins in the test of the longest series."""
        return (self.test - self.horizon) // self.stride + 1


def choose_sizes(data: Data, parameters: dict, test_size: int | float | None = None) -> Sizes:
    """Choose the sizes that the user has not given, such that there are enough rows.

    The horizon is the usual one of the frequency, at most a fifth of the rows. Validation and test have two horizons or
    a tenth of the rows each. The lookback leaves at least a third of the training rows of the longest series as window
    starts. Where the test of a panel ends is said in `forecastkit.data.sizes.held_out_ends`.
    """
    longest = int(data.lengths.max())
    usual_horizon, usual_lookback = usual_sizes(data.panel.grid)
    given = parameters.get("horizon")
    check_int("--horizon", "horizon", given, optional=True)
    horizon = given or horizon_within(usual_horizon, longest)
    ends = held_out_ends(data.panel, held_out_rows(longest, horizon), horizon, data.roles.time is not None)
    rows = held_out_length(data.panel, ends)
    horizon = given or horizon_within(usual_horizon, rows)
    if longest < 2 * horizon + 2:
        rule = f"a horizon of {horizon} needs {2 * horizon + 2} rows, {horizon} of them for the test"
        refuse(str(data.path), rule, f"{longest} in the longest series", "Pass a shorter horizon= or more rows.")
    rows = max(rows, 2 * horizon + 2)
    test = _test_rows(data, rows, horizon, test_size)
    season = parameters.get("season_length") or data.panel.grid.seasons[0]
    inferred = None
    if parameters.get("season_length") is None and not data.panel.grid.is_time:
        start = data.panel.row_at(np.arange(len(ends)), ends - test + 1)
        season = inferred = infer_season(data.panel, start)
        usual_lookback = max(usual_lookback, SEASONS * season)
    validation = parameters.get("validation_size")
    if validation is None:
        validation = validation_rows(rows, test, horizon)
    lookback = parameters.get("lookback")
    check_int("--lookback", "lookback", lookback, optional=True)
    if lookback is None:
        kept = validation if isinstance(validation, int) else round(validation * (rows - test))
        lookback = lookback_within(usual_lookback, longest - test - kept - horizon, season)
    shortened = (horizon < usual_horizon and "horizon" not in parameters) or (
        lookback < usual_lookback and "lookback" not in parameters
    )
    stride = stride_within(test - horizon + 1, len(data.panel.ids) * data.panel.channels)
    return Sizes(rows, horizon, lookback, validation, test, ends - test + 1, stride, inferred, shortened)


def _test_rows(data: Data, rows: int, horizon: int, given: int | float | None) -> int:
    most = rows - horizon - 2
    if given is None:
        return held_out_rows(rows, horizon)
    test = given if isinstance(given, int) else round(given * rows)
    if not horizon <= test <= most:
        got = f"{test} of {rows} rows"
        refuse(str(data.path), f"the test must have between {horizon} (the horizon) and {most} rows", got)
    return test
