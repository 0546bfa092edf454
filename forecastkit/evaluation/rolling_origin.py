"""Rolling-origin cross-validation for scikit-learn, with gaps, strides and panels."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from sklearn.model_selection import BaseCrossValidator

from forecastkit.data.array_checks import as_array
from forecastkit.data.ingest.read_panel import to_pandas
from forecastkit.data.schema import holds_times
from forecastkit.utils.exceptions import ParameterError
from forecastkit.utils.types import Data
from forecastkit.utils.validation import check_int, refuse

WHERE = "RollingOrigin"


class RollingOrigin(BaseCrossValidator):
    """Cross-validation folds whose test rows are the `horizon` steps after successive cutoffs.

    A step is a distinct time, so that in a panel every fold splits all series at the same time: all rows before it are
    training rows. Times are taken from the column or level `time` of X, else from the index of X, else from that of y.
    Without times, rows are used in order; rows of several series, identified by `groups`, are assumed to end together.

    Parameters
    ----------
    horizon : int
        Number of test steps; that of the forecaster, so that no forecast is recursive.
    n_windows : int
        Number of folds.
    gap : int
        Steps between training and test rows that are excluded.
    stride : int, optional
        Steps between cutoffs; by default the horizon, so that test rows do not overlap.
    max_train_size : int, optional
        Largest number of training steps, the latest ones; by default all.
    time : str, optional
        Column or index level of X with the times, if X has several.

    References
    ----------
    Tashman (2000), "Out-of-sample tests of forecasting accuracy: an analysis and review", IJF 16.

    Examples
    --------
    >>> import numpy as np
    >>> from forecastkit import RollingOrigin
    >>> for train, test in RollingOrigin(horizon=2, n_windows=2).split(np.zeros((6, 1))):
    ...     print(train, test)
    [0 1] [2 3]
    [0 1 2 3] [4 5]
    """

    __metadata_request__split = {"groups": True}  # noqa: RUF012

    def __init__(
        self,
        horizon: int,
        n_windows: int = 5,
        *,
        gap: int = 0,
        stride: int | None = None,
        max_train_size: int | None = None,
        time: str | None = None,
    ):
        self.horizon, self.n_windows, self.gap, self.stride = horizon, n_windows, gap, stride
        self.max_train_size, self.time = max_train_size, time

    def get_n_splits(self, X: Data | None = None, y: Data | None = None, groups: None = None) -> int:
        """Return the number of folds; the arguments are ignored."""
        return self.n_windows

    def split(self, X: Data, y: Data | None = None, groups: None = None) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield the row numbers of the training and the test rows of each fold, the earliest fold first.

        Parameters
        ----------
        X : array, Series or frame of n rows
        y : array, Series or frame, optional
            Its index provides the times if X has none.
        groups : array of shape (n,), optional
            Series of each row, if there are no times.

        Raises
        ------
        InputError
            If a parameter is invalid, or the first fold has no training rows.
        """
        self._check()
        step = self._steps(X, y, groups)
        stride, first = self.stride or self.horizon, int(step.max(initial=-1)) + 1 - self.horizon
        cuts = first - stride * np.arange(self.n_windows)[::-1]
        if cuts[0] - self.gap < 1:
            needed = self.horizon + stride * (self.n_windows - 1) + self.gap + 1
            rule = f"{self.n_windows} folds of {self.horizon} steps need at least {needed} steps"
            refuse(WHERE, rule, f"{int(step.max(initial=-1)) + 1}", "Pass a smaller n_windows=, stride= or gap=.")
        for cut in cuts.tolist():
            stop = cut - self.gap
            begin = 0 if self.max_train_size is None else stop - self.max_train_size
            train = np.flatnonzero((step >= begin) & (step < stop))
            yield train, np.flatnonzero((step >= cut) & (step < cut + self.horizon))

    def _check(self):
        for name in ("horizon", "n_windows"):
            check_int(WHERE, name, getattr(self, name))
        check_int(WHERE, "gap", self.gap, low=0)
        for name in ("stride", "max_train_size"):
            check_int(WHERE, name, getattr(self, name), optional=True)

    def _steps(self, X, y, groups):
        """Return the step number of each row, from 0; the last step is common to all series."""
        X, y = to_pandas(X)[0], to_pandas(y)[0]
        rows = len(X) if isinstance(X, (pd.DataFrame, pd.Series)) else len(as_array(X))
        times = self._times(X, y)
        if times is not None:
            if times.isna().any():
                refuse(WHERE, "every row must have a time", f"{int(times.isna().sum())} without")
            return np.unique(times, return_inverse=True)[1]
        if groups is None:
            return np.arange(rows)
        series = pd.Series(np.asarray(groups))
        if len(series) != rows:
            refuse(WHERE, f"groups must name the series of each of the {rows} rows", f"{len(series)}")
        after = series.groupby(series, dropna=False).cumcount(ascending=False).to_numpy()
        return after.max(initial=0) - after

    def _times(self, X, y):
        """Return the times of the rows, or None."""
        index = X.index if isinstance(X, (pd.DataFrame, pd.Series)) else None
        if self.time is not None:
            if isinstance(X, pd.DataFrame) and self.time in X.columns:
                return pd.Index(X[self.time])
            if index is not None and self.time in index.names:
                return index.get_level_values(self.time)
            refuse(WHERE, "time= must name a column or an index level of X", repr(self.time), error=ParameterError)
        indexes = [data.index for data in (X, y) if isinstance(data, (pd.DataFrame, pd.Series))]
        levels = [index.get_level_values(i) for index in indexes for i in range(index.nlevels)]
        return next((level for level in levels if holds_times(level)), None)
