"""TabularForecaster: a scikit-learn regressor on lags, calendar and covariates."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.base import RegressorMixin, clone
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.utils import check_random_state, get_tags

from forecastkit.data.windows import Origins, Windows, crop
from forecastkit.features.lags import Lags, calendar_column_names, calendar_columns, values_at_step
from forecastkit.forecasters.base import Forecaster
from forecastkit.preprocessing.scaler import buffers_of
from forecastkit.uncertainty.forecasts import PointForecast
from forecastkit.utils.exceptions import ParameterError
from forecastkit.utils.types import Fourier, Seed
from forecastkit.utils.validation import check_choice, check_int, refuse

#: Of a season's values before the step, and of the last values, this many are columns where `lags` is not given.
DEPTH, RECENT = 4, 12
#: Rows forecast at a time.
CHUNK = 1 << 16
ANCHORS = ("auto", "last", "season", "mean", "none")


@dataclass(kw_only=True, eq=False, repr=False)
class TabularForecaster(Forecaster):
    """A scikit-learn regressor for all series and steps, on a table of lags, calendar and covariates.

    A row of the table is a step of a forecast from a cutoff. Its features are the number of the step; the last values
    and their means; known values at multiples of the season before the step; past covariates at the cutoff; future
    covariates and calendar at the step; static covariates. One model forecasts all steps (the direct strategy with the
    step as a feature). A model per step would take `horizon` times as long and could not learn from other steps, and
    lags of at least the horizon would exclude the latest values.

    Parameters
    ----------
    regressor : scikit-learn regressor, optional
        Regressor, which is cloned and fitted; by default ``HistGradientBoostingRegressor()``. Missing values stay NaN
        if the regressor supports them; otherwise they are replaced by the mean of the column.
    lags : int or list of int, optional
        Lags up to the cutoff, 1 being the last value; a number means all lags up to it. By default the last twelve.
    anchor : {'auto', 'last', 'season', 'mean', 'none'}
        Value subtracted from a row's values and target and added to the forecast: the last value, the value one season
        before the step, or the mean of the last season. 'auto' selects the one closest to the training targets.
    calendar : bool
        Whether to add calendar features.
    holidays : str, optional
        Country, or country and subdivision, whose holidays are features: 'DE', 'US-CA'. For steps of at most a day.
        Their linear effect is removed from the target first, as for future covariates.
    fourier : int or dict, optional
        Fourier terms as features: number of sine and cosine pairs for every usual season, or by season length in steps,
        such as ``{365.25: 3}``. Their linear effect is removed from the target first.
    target_transform : {'sqrt', 'log1p', 'log', 'none'}, optional
        Transform of the target before scaling, which is inverted in forecasts; for counts and for values whose
        variation grows with their size.
    max_rows : int
        Largest number of rows of the table, drawn from all windows and steps.
    random_state : int or RandomState
        Seed of that draw, and of the regressor if it has none.

    Attributes
    ----------
    regressor_ : scikit-learn regressor
        Fitted to values in units of each series' scale.
    feature_names_ : list of str
        Columns of the table.
    anchor_ : str
        The selected anchor.

    Notes
    -----
    `save` refuses wrapped regressors: use ``joblib.dump`` instead. `partial_fit` fits the regressor again on all known
    rows.

    References
    ----------
    Ben Taieb et al. (2012), "A review and comparison of strategies for multi-step ahead time series forecasting based
    on the NN5 forecasting competition", Expert Systems with Applications. Januschowski et al. (2022), "Forecasting with
    trees", International Journal of Forecasting.
    """

    regressor: RegressorMixin | None = None
    lags: int | Sequence[int] | None = None
    anchor: str = "auto"
    calendar: bool = True
    holidays: str | None = None
    fourier: Fourier | None = None
    target_transform: str | None = None
    max_rows: int = 200_000
    random_state: Seed = 0

    def _check_parameters(self):
        super()._check_parameters()
        where, regressor = type(self).__name__, self.regressor
        check_choice(where, "anchor", self.anchor, ANCHORS)
        check_int(where, "max_rows", self.max_rows)
        for lag in [self.lags] if self.lags is None or np.ndim(self.lags) == 0 else self.lags:
            check_int(where, "lags", lag, optional=True)
        usable = hasattr(regressor, "fit") and hasattr(regressor, "predict") and not isinstance(regressor, type)
        if regressor is not None and (not usable or isinstance(regressor, Forecaster)):
            refuse(where, "regressor must be a scikit-learn regressor", repr(regressor), error=ParameterError)

    # ------------------------------------------------------------------------------------------ the table

    def _columns(self, grid) -> Lags:
        """Return the lags that are columns."""
        wanted = RECENT if self.lags is None else self.lags
        wanted = range(1, wanted + 1) if np.ndim(wanted) == 0 else wanted
        seasons = sorted({s for s in (self.season_length_, *grid.seasons) if 1 < s <= self.lookback_})
        return Lags(
            recent=tuple(lag - 1 for lag in wanted if lag <= self.lookback_),
            seasons=tuple(seasons),
            depth=DEPTH,
            means=tuple(sorted({*seasons, self.lookback_})),
            reach=self.lookback_,
        )

    def _names(self, buffers, grid):
        def numbered(role, values):
            return [f"{role}_{i}" for i in range(values.shape[1])]

        names = [*self.lags_.at_origin, *self.lags_.at_step, "anchor", "step"]
        for role in ("past", "static", "known"):
            names += numbered(role, getattr(buffers, role))
        return (
            names
            + (list(calendar_column_names(grid)) if self.calendar else [])
            + numbered("calendar", buffers.calendar)
        )

    def _table(self, panel, buffers, origins: Origins, steps: np.ndarray):
        """Return the features (n, columns) of a step of each of n origins, and their anchors (n,)."""
        values = self._values(buffers, origins, steps)
        anchor = self._anchor(values)
        values -= anchor[:, None]
        columns = [values, anchor[:, None], steps[:, None], values_at_step(buffers.past, buffers, origins, 0)]
        columns += [buffers.static[origins.entity], values_at_step(buffers.known, buffers, origins, steps)]
        if self.calendar:
            ordinals = panel.ordinal_at(origins.entity, origins.row) + steps
            columns.append(calendar_columns(panel.grid, ordinals, calendar_column_names(panel.grid)))
        columns.append(buffers.calendar[origins.row + steps + buffers.shift[origins.entity]])
        return np.hstack(columns).astype("float32", copy=False), anchor

    def _values(self, buffers, origins, steps):
        """Return lags and means (n, columns); those shared by all steps of an origin are computed once."""
        rows, channels = buffers.target.shape
        key = (origins.entity * (rows + 1) + origins.row + 1) * channels + origins.channel
        _, first, place = np.unique(key, return_index=True, return_inverse=True)
        shared = self.lags_.of_origins(buffers, origins[first])[place]
        return np.hstack([shared, self.lags_.of_steps(buffers, origins, steps)])

    def _anchor(self, values):
        """Return the anchor of each row, (n,): the first observed value of the columns that stand for it."""
        out = np.zeros(len(values), dtype=values.dtype)
        for column in self._stand_ins(self.anchor_)[::-1]:
            out = np.where(np.isnan(values[:, column]), out, values[:, column])
        return out

    def _stand_ins(self, anchor):
        """Return the columns of values that stand for an anchor, best first."""
        names = [*self.lags_.at_origin, *self.lags_.at_step]
        season = self.season_length_
        wanted = {"last": ["lag_1"], "season": [f"season_{season}_1"], "mean": [f"mean_{season}"], "none": []}[anchor]
        return [names.index(name) for name in [*wanted, f"mean_{self.lookback_}"] if name in names and wanted]

    # ------------------------------------------------------------------------------------------ learning

    def _fit(self, context):
        self.lags_ = self._columns(context.panel.grid)
        self.anchor_ = "none" if self.anchor == "auto" else self.anchor
        self._learn_rows(context, context.split, choose=self.anchor == "auto")

    def _finish(self, context):
        self._train_on(context)

    def _train_on(self, context):
        self._learn_rows(context, context.stop)

    def _learn_rows(self, context, stop, choose=False):
        """Fit the regressor on windows that end before `stop`."""
        panel, rng = context.panel, check_random_state(self.random_state)
        buffers = buffers_of(context, self.scaler_, self.lookback_, self.horizon_)
        origins, steps = self._drawn(Windows.training(panel, stop, self.lookback_, self.horizon_), rng)
        target = values_at_step(buffers.target, buffers, origins, steps)[np.arange(len(steps)), origins.channel]
        known = ~np.isnan(target)
        if not known.any():
            remedy = "Pass a smaller validation_size=, or give more rows."
            refuse(type(self).__name__, "training windows must have an observed target", "none", remedy)
        origins, steps, target = origins[known], steps[known], target[known]
        if choose:
            self.anchor_ = self._nearest_anchor(buffers, origins, steps, target)
        table, anchor = self._table(panel, buffers, origins, steps)
        # A column that is missing everywhere, such as a season beyond the reach, says nothing and breaks regressors.
        self.kept_ = ~np.isnan(table).all(axis=0)
        self.means_ = _column_means(table)
        self.feature_names_ = [
            name for name, kept in zip(self._names(buffers, panel.grid), self.kept_, strict=True) if kept
        ]
        weights = {} if buffers.weight is None else {"sample_weight": buffers.weight[origins.row + steps]}
        regressor = self._fresh(rng)
        self.regressor_ = regressor.fit(self._taken(regressor, table), (target - anchor).astype("float64"), **weights)

    def _drawn(self, windows, rng):
        """Return origins and steps of the training rows: all, or `max_rows` drawn without replacement."""
        total = len(windows) * self.horizon_
        if total <= self.max_rows:
            number = np.arange(total)
        else:
            number = np.unique(rng.randint(0, total, size=self.max_rows, dtype="int64"))
        window, step = np.divmod(number, self.horizon_)
        return windows.at(window), step + 1

    def _nearest_anchor(self, buffers, origins, steps, target):
        """Return the anchor with the smallest mean absolute difference to the targets.

        Not 'none', which in units of the series' scale is the mean of all training rows: it knows those to come.
        """
        values, errors = self._values(buffers, origins, steps), {}
        for name in ("last", "season", "mean"):
            if columns := self._stand_ins(name):
                errors[name] = np.abs(target - np.nan_to_num(values[:, columns[0]])).mean()
        return min(errors, key=errors.get, default="none")

    def _fresh(self, rng):
        """Return a clone of the regressor, with seeds where it has none."""
        made = HistGradientBoostingRegressor() if self.regressor is None else clone(self.regressor)
        seeds = {
            name: int(rng.randint(2**31 - 1))
            for name, value in sorted(made.get_params().items())
            if value is None and (name == "random_state" or name.endswith("__random_state"))
        }
        return made.set_params(**seeds)

    def _taken(self, regressor, table):
        """Return the table with the columns in use, without missing values if the regressor does not support them."""
        if not get_tags(regressor).input_tags.allow_nan:
            table = np.where(np.isnan(table), self.means_, table)
        return table if self.kept_.all() else table[:, self.kept_]

    # ------------------------------------------------------------------------------------------ forecasting

    def _forecast(self, panel, origins):
        panel, origins = crop(panel, origins, self.lookback_, self.horizon_)
        buffers = self.scaler_.buffers(panel, self.lookback_, self.horizon_)
        out = np.empty((len(origins), self.horizon_))
        size = max(CHUNK // self.horizon_, 1)
        for low in range(0, len(origins), size):
            part = origins[low : low + size]
            steps = np.tile(np.arange(1, self.horizon_ + 1), len(part))
            table, anchor = self._table(panel, buffers, part[np.repeat(np.arange(len(part)), self.horizon_)], steps)
            values = self.regressor_.predict(self._taken(self.regressor_, table)) + anchor
            out[low : low + size] = values.reshape(len(part), -1)
        return PointForecast(self.scaler_.restore(out, panel, origins))

    def _is_trained(self):
        return hasattr(self, "regressor_")

    def _memory(self, panel):
        return self.lookback_

    def _rows_to_train(self):
        return np.inf  # the regressor is fitted afresh, which the last rows alone do not do


def _column_means(table):
    """Return the mean of each column's observed cells, float32, 0 where there are none."""
    observed = ~np.isnan(table)
    totals = np.where(observed, table, 0).sum(axis=0, dtype="float64")
    return (totals / np.maximum(observed.sum(axis=0), 1)).astype("float32")
