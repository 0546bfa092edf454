"""The closed-form linear forecaster, by one recipe or by the mean of several that the data choose."""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from forecastkit.baselines import ridge
from forecastkit.data.windows import Windows, crop
from forecastkit.forecasters.linear_recipes import MAX_CELLS, LinearPart, Recipe, choose_recipes, scaler_for
from forecastkit.forecasters.pooling import choose_penalty, with_corrections
from forecastkit.forecasters.regression_learner import RegressionLearner
from forecastkit.preprocessing.scaler import buffers_of
from forecastkit.uncertainty.forecasts import PointForecast
from forecastkit.utils.types import Fourier
from forecastkit.utils.validation import check_choice, check_int
from forecastkit.utils.warn import warn_user

#: Number of training windows of a step below which missing targets cause a warning.
FEW_WINDOWS = 10


@dataclass(kw_only=True, eq=False, repr=False)
class LinearForecaster(RegressionLearner):
    """Ridge regression from the normalized window to the horizon, shared by all series.

    The regression is solved in closed form within seconds. The penalty is selected on the validation block, and the
    regression is then solved on all rows. `partial_fit` adds windows to the sums of the normal equations, which are
    saved too, so loaded forecasters continue in the same way. With a lookback above 1,920 steps, older steps share
    coefficients.

    Parameters
    ----------
    recipes : int
        Largest number of averaged regressions. With at least 2, all combinations of the normalizations, target
        transforms and lookbacks that are not given are fitted in closed form and evaluated on the validation windows;
        the best ones with errors within 5 % of the smallest are averaged. With more than two million values or without
        a validation block it is 1.
    pooling : {'auto', 'complete', 'partial'}
        Whether several series share all coefficients ('complete'), or each series adds corrections of its own, which
        are shrunk towards zero, the more the fewer rows it has ('partial'). With 'auto', corrections are used if they
        lower the error on the validation windows by at least 1 %. They need at most 20 million coefficients, and
        `partial_fit` leaves them as they are.
    normalization : {'last', 'mean', 'standard'}, optional
        Window normalization: by the last value, the mean, or mean and standard deviation. By default 'last', or
        selected with `recipes`.
    holidays : str, optional
        Country, or country and subdivision, whose holidays have a linear effect: 'DE', 'US-CA'. For steps of at most a
        day.
    fourier : int or dict, optional
        Fourier terms with a linear effect: number of sine and cosine pairs for every usual season, or by season length
        in steps, such as ``{365.25: 3}``.
    target_transform : {'sqrt', 'log1p', 'log', 'none'}, optional
        Transform of the target before scaling, which is inverted in forecasts; for counts and for values whose
        variation grows with their size. By default none, or selected with `recipes`.

    Attributes
    ----------
    parts_ : list of LinearPart
        The fitted regressions, the best first.
    penalty_of_corrections_ : float
        Number of windows that the shared coefficients count as beside those of a series; infinite if all series share
        all coefficients.

    References
    ----------
    Zeng et al. (2023), "Are Transformers effective for time series forecasting?", AAAI (NLinear, trained there by
    gradient descent). Toner and Darlow (2024), "An analysis of linear time series forecasting models", ICML.
    """

    recipes: int = 3
    pooling: Literal["auto", "complete", "partial"] = "auto"
    normalization: str | None = None
    holidays: str | None = None
    fourier: Fourier | None = None
    target_transform: str | None = None

    def _check_parameters(self):
        super()._check_parameters()
        check_int("LinearForecaster", "recipes", self.recipes)
        check_choice("LinearForecaster", "pooling", self.pooling, ("auto", "complete", "partial"))
        check_choice("LinearForecaster", "normalization", self.normalization, (*ridge.NORMALIZATIONS, None))

    def _fit(self, context):
        panel, split = context.panel, context.split
        own = Recipe(self.normalization or "last", self._transform(), self.lookback_)
        chosen = [own]
        small = panel.rows * panel.channels <= MAX_CELLS
        # Fewer windows do not allow a choice, and regressions in units of each window may diverge.
        enough = len(Windows.training(panel, split, self.lookback_, self.horizon_)) >= FEW_WINDOWS
        if self.recipes > 1 and small and enough and len(self._validation(context)):
            chosen = choose_recipes(self, context, own)
            self.lookback_ = max(recipe.lookback for recipe in chosen)
        parts = []
        for recipe in chosen:
            scaler, buffers = self._scaled_for(recipe, context, split)
            windows = Windows.training(panel, split, recipe.lookback, self.horizon_)
            validation = self._validation(context)
            sizes = recipe.lookback, self.horizon_, recipe.normalization, self._most(chosen)
            parts.append(LinearPart(scaler, ridge.Ridge.fit(buffers, windows, validation, *sizes)))
        self.penalty_of_corrections_ = choose_penalty(self, context, parts)
        self.parts_ = with_corrections(parts, self, context, split)
        self._warn_few(len(Windows.training(panel, split, chosen[0].lookback, self.horizon_)))

    def _warn_few(self, windows):
        """Warn of steps of the horizon with very few training windows."""
        counts = self.ridge_.counts
        few = np.flatnonzero(counts < min(FEW_WINDOWS, windows))
        if len(few):
            least = few[np.argmin(counts[few])]
            warn_user(
                f"LinearForecaster: {len(few)} of {self.horizon_} steps of the horizon have fewer than {FEW_WINDOWS} "
                f"training windows with an observed target: step {least + 1} has {counts[least]} of "
                f"{windows}. There the forecast is about the last value. Fill the gaps, give more rows, or pass "
                "another horizon=.",
            )

    def _most(self, parts):
        """Return the largest number of training windows of each of several regressions."""
        return ridge.MAX_WINDOWS // len(parts)

    def _scaled_for(self, recipe, context, stop):
        """Return the scaler of a recipe, fitted on the rows before ``stop[e]``, and the panel in its units."""
        if recipe.target_transform == self._transform():
            return self.scaler_, buffers_of(context, self.scaler_, self.lookback_, self.horizon_)
        scaler = scaler_for(self, recipe.target_transform, context, stop)
        return scaler, replace(scaler.buffers(context.panel, self.lookback_, self.horizon_), weight=context.weight)

    def _finish(self, context):
        self.scaler_ = self._scaler(context.panel, context.stop, self.scaler_.calendar, context.weight)
        self._solve_again(context, lambda part: self._scaled_for(part.recipe, context, context.stop))
        self.parts_ = with_corrections(self.parts_, self, context, context.stop)

    def _regressions(self):
        return self.parts_

    def _set_regressions(self, parts):
        self.parts_ = parts

    def _forecast(self, panel, origins):
        panel, origins = crop(panel, origins, self.lookback_, self.horizon_)
        forecasts = []
        for part in self.parts_:
            buffers = part.scaler.buffers(panel, self.lookback_, self.horizon_)
            forecasts.append(part.predict(panel, buffers, origins))
        mean = forecasts[0].copy()
        for forecast in forecasts[1:]:
            mean += (forecast - forecasts[0]) / len(forecasts)  # exact where all are equal
        return PointForecast(mean)

    def _adapted(self, panel, stop):
        other = super()._adapted(panel, stop)
        if other is not self:
            other.parts_ = [replace(part, scaler=part.scaler.extended(panel, stop)) for part in self.parts_]
        return other

    def _set_state(self, learned):
        learned = dict(learned)
        if "ridge_" in learned:  # files of versions with one regression
            learned["parts_"] = [LinearPart(learned["scaler_"], learned.pop("ridge_"))]
        super()._set_state(learned)

    def _linear_reference(self, context, panel, origins, own):
        return own

    def _is_trained(self):
        return hasattr(self, "parts_")

    @property
    def ridge_(self) -> ridge.Ridge:
        """The regression of the best recipe."""
        if not self._is_trained():
            raise AttributeError("ridge_ exists after fit")
        return self.parts_[0].ridge

    def _memory(self, panel):
        return self.lookback_
