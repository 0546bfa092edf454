"""Lags, moving means and calendar as a feature table for any scikit-learn regressor."""

from collections.abc import Sequence
from typing import Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from forecastkit.data.array_checks import as_array
from forecastkit.data.ingest.read_panel import read_more, read_panel, read_rows
from forecastkit.data.panel import spread
from forecastkit.data.windows import Origins
from forecastkit.features.lags import Lags, Unscaled, calendar_column_names, calendar_columns, values_at_step
from forecastkit.utils.exceptions import ParameterError
from forecastkit.utils.types import Columns, Data
from forecastkit.utils.validation import check_int, refuse


class WindowFeatures(TransformerMixin, BaseEstimator):
    """Scikit-learn transformer that computes features known `horizon` steps before each row.

    The columns are lags and moving means of every target, past covariates `horizon` steps before, future covariates of
    the row itself, and its calendar. A row uses no target later than `horizon` steps before it; unknown values are NaN.
    Rows with times also use the last rows seen by `fit`, so that a pipeline can forecast the rows that follow them.

    Parameters
    ----------
    lags : int or list of int
        Lags in rows, at least `horizon`; a single number means all lags from `horizon` to it.
    means : list of int
        Lengths in rows of moving means, which end `horizon` rows before each row.
    horizon : int
        Distance in rows between a row and the latest target that its features may use.
    calendar : bool
        Whether to add the hour, weekday, month or day of the year, depending on the frequency.
    target, known : str or list of str, optional
        Target columns and future covariates. By default all columns without another role are targets; if targets are
        named, the remaining columns are past covariates.
    time, series_id, freq : str, optional
        As for forecasters. Arrays and frames without times are treated as consecutive rows.

    Attributes
    ----------
    n_features_in_ : int
    feature_names_in_ : ndarray of str
        Column names of X, if it has names.

    Examples
    --------
    >>> import numpy as np, forecastkit as fk
    >>> fk.WindowFeatures(lags=[1, 2]).fit_transform(np.array([[3.0], [5.0], [8.0]]))
    array([[nan, nan],
           [ 3., nan],
           [ 5.,  3.]])
    """

    def __init__(
        self,
        lags: int | Sequence[int] = 1,
        *,
        means: Sequence[int] = (),
        horizon: int = 1,
        calendar: bool = True,
        target: str | None = None,
        known: Columns | None = None,
        time: str | None = None,
        series_id: str | None = None,
        freq: str | None = None,
    ):
        self.lags, self.means, self.horizon, self.calendar = lags, means, horizon, calendar
        self.target, self.known, self.time, self.series_id, self.freq = target, known, time, series_id, freq

    def fit(self, X: Data, y: Data | None = None) -> Self:
        """Learn the columns, the frequency and the last rows of X; `y` is ignored.

        Returns
        -------
        self

        Raises
        ------
        InputError
            If data or parameters are invalid, such as a lag shorter than the horizon.
        """
        lags, X = self._check_parameters(), self._two_dimensional(X)
        roles = {"target": self.target, "known": self.known, "time": self.time, "series_id": self.series_id}
        panel, self.schema_ = read_panel(X, freq=self.freq, **roles)
        back = tuple(lag - self.horizon for lag in lags)
        self.lags_ = Lags(recent=back, means=tuple(self.means), reach=max(*back, *self.means, 0) + 1)
        self.n_features_in_ = X.shape[1]
        vars(self).pop("feature_names_in_", None)
        if hasattr(X, "columns") and all(isinstance(name, str) for name in X.columns):
            self.feature_names_in_ = np.asarray(X.columns, dtype=object)
        self.history_ = panel.between(panel.indptr[1:] - self.lags_.reach - self.horizon, panel.indptr[1:]).copy()
        return self

    def _two_dimensional(self, X):
        """Return X as a frame or a two-dimensional array with at least one column."""
        if isinstance(X, pd.Series):
            X = X.to_frame()
        X = X if hasattr(X, "columns") else as_array(X)
        if len(X.shape) != 2:
            remedy = "Reshape your data: X.reshape(-1, 1) is one column."
            refuse(type(self).__name__, "X must be rows and columns", f"shape {X.shape}", remedy)
        if not X.shape[1]:
            got = f"0 feature(s) (shape={X.shape}) while a minimum of 1 is required"
            refuse(type(self).__name__, "X must have columns", got)
        return X

    def _check_parameters(self):
        """Validate the parameters and return the lags as a tuple."""
        where = type(self).__name__
        check_int(where, "horizon", self.horizon)
        for length in self.means:
            check_int(where, "means", length)
        for lag in [self.lags] if np.ndim(self.lags) == 0 else self.lags:
            check_int(where, "lags", lag, low=self.horizon)
        lags = range(self.horizon, self.lags + 1) if np.ndim(self.lags) == 0 else self.lags
        if len(set(lags)) < len(tuple(lags)):
            refuse(where, "lags must not repeat", list(lags), error=ParameterError)
        return tuple(lags)

    def transform(self, X: Data) -> pd.DataFrame:
        """Return the features of each row of X, in the order of X.

        Parameters
        ----------
        X : array, Series or frame
            Has the columns seen by `fit`. Targets of future rows may be NaN.

        Returns
        -------
        ndarray of shape (rows, features), float64
            A frame after ``set_output(transform="pandas")``.
        """
        check_is_fitted(self, "lags_")
        X, grid = self._two_dimensional(X), self.history_.grid
        rows, panel = read_rows(self.schema_, X), read_more(self.schema_, grid, X)
        if grid.is_time:
            panel, _ = self.history_.merge(panel)
        entity = panel.places(rows.ids)[rows.entity]
        return self._table(panel, entity, self._ordinals(rows, grid))

    @staticmethod
    def _ordinals(rows, grid):
        if rows.timestamps is not None:
            return grid.ordinals(rows.timestamps)[0]
        order = np.argsort(rows.entity, kind="stable")
        out = np.empty(len(order), dtype="int64")
        out[order] = spread(np.bincount(rows.entity, minlength=len(rows.ids)))[1]
        return out

    def _table(self, panel, entity, ordinal):
        values, row = Unscaled.of(panel), panel.row_at(entity, ordinal)
        columns = []
        for channel in range(panel.channels):
            origins = Origins(entity, row - self.horizon, np.full(len(row), channel))
            columns.append(self.lags_.of_origins(values, origins))
        columns.append(values_at_step(panel.past, values, origins, 0))
        columns.append(panel.known[row])
        if self.calendar:
            columns.append(calendar_columns(panel.grid, ordinal, calendar_column_names(panel.grid)))
        return np.hstack([column.astype("float64") for column in columns])

    def get_feature_names_out(self, input_features: ArrayLike | None = None) -> np.ndarray:
        """Return the feature names: ``load_lag_24``, ``load_mean_168``, names of future covariates, ``hour``."""
        check_is_fitted(self, "lags_")
        schema = self.schema_
        of_target = [f"lag_{back + self.horizon}" for back in self.lags_.recent]
        of_target += [f"mean_{length}" for length in self.lags_.means]
        names = [f"{target}_{column}" for target in schema.target for column in of_target]
        names += [f"{name}_lag_{self.horizon}" for name in self._spread_names(schema.past)]
        names += self._spread_names(schema.known)
        return np.array(names + list(calendar_column_names(self.history_.grid) if self.calendar else ()), dtype=object)

    def _spread_names(self, names):
        """Return a name for each encoded column; a categorical column has several."""
        widths = [self.schema_.width((name,)) for name in names]
        return [
            str(name) if width == 1 else f"{name}_{i}"
            for name, width in zip(names, widths, strict=True)
            for i in range(width)
        ]

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags
