"""Choice of normalization, target transform and lookback by ridge regressions on validation windows.

A regression on a few thousand windows is solved in closed form, so that dozens of combinations cost seconds. Networks,
which cannot be trained as often, use the same choice.
"""

from dataclasses import dataclass, replace
from itertools import product

import numpy as np

from forecastkit.baselines.ridge import NORMALIZATIONS, Ridge
from forecastkit.baselines.series_corrections import SeriesCorrections
from forecastkit.data.panel import Panel
from forecastkit.data.windows import Buffers, Origins, Windows
from forecastkit.forecasters.fit_context import FitContext
from forecastkit.preprocessing.scaler import Scaler
from forecastkit.uncertainty.residuals import observed_after, scale_of

#: Largest numbers of training and validation windows for each combination.
TRAINED_ON, TRIED_ON = 6_000, 1_000
#: Recipes are compared up to this number of target values, as each transform needs a copy of them.
MAX_CELLS = 2_000_000
#: Recipes whose error is at most this multiple of the least are averaged.
WITHIN = 1.05
#: Number of recipes with the usual lookback that are also tried with other lookbacks.
OTHER_LOOKBACKS = 3
#: Longest lookback that is tried beside the usual one.
LONGEST = 512
#: Below this mean, log1p is nearly linear, and log is tried instead.
SMALL = 20.0


@dataclass(frozen=True)
class Recipe:
    """How windows are prepared for a regression.

    Attributes
    ----------
    normalization : str
    target_transform : str or None
    lookback : int
    """

    normalization: str
    target_transform: str | None
    lookback: int


@dataclass(frozen=True)
class LinearPart:
    """A fitted regression with the scales of its targets.

    Attributes
    ----------
    scaler : Scaler
    ridge : Ridge
    corrections : SeriesCorrections, optional
        What is added to the coefficients for each series.
    """

    scaler: Scaler
    ridge: Ridge
    corrections: SeriesCorrections | None = None

    @property
    def recipe(self) -> Recipe:
        return Recipe(self.ridge.normalization, self.scaler.transform, len(self.ridge.weights))

    @property
    def parameters(self) -> int:
        """Number of coefficients."""
        return self.ridge.weights.size + (0 if self.corrections is None else self.corrections.weights.size)

    def predict(self, panel: Panel, buffers: Buffers, origins: Origins) -> np.ndarray:
        """Return forecasts (n, horizon) in the user's units; `buffers` is the panel in those of the scaler."""
        return self.scaler.restore(self.ridge.predict(buffers, origins, self.corrections), panel, origins)


def choose_recipes(forecaster, context: FitContext, own: Recipe) -> list[Recipe]:
    """Return the recipes of the regressions that a forecaster averages, best first on the validation windows.

    Parameters
    ----------
    forecaster : LinearForecaster
        The forecaster being fitted. Parameters that its constructor leaves open are chosen.
    context : FitContext
    own : Recipe
        The recipe of the forecaster's parameters, used if no error is known.
    """
    normalizations = (own.normalization,) if forecaster.normalization else NORMALIZATIONS
    transforms = (own.target_transform,) if forecaster.target_transform else (None, *transforms_for(context.panel))
    errors = recipe_errors(forecaster, context, own, normalizations, transforms)
    return best_recipes(errors, forecaster.recipes) or [own]


def best_recipes(errors: dict[Recipe, float], most: int) -> list[Recipe]:
    """Return at most `most` recipes whose errors are within five percent of the least, best first."""
    ranked = sorted(errors, key=errors.get)
    return [recipe for recipe in ranked if errors[recipe] <= WITHIN * errors[ranked[0]]][:most]


def recipe_errors(
    forecaster,
    context: FitContext,
    own: Recipe,
    normalizations: tuple[str, ...],
    transforms: tuple[str | None, ...],
) -> dict[Recipe, float]:
    """Return mean absolute errors of recipes on the validation windows, in units of each series' scale.

    All combinations of normalizations and transforms are tried with the lookback of `own`, then other lookbacks with
    the best three of them. Recipes whose error is unknown are left out.

    Parameters
    ----------
    forecaster : Forecaster
        The forecaster being fitted. Other lookbacks are tried if its constructor has none.
    context : FitContext
    own : Recipe
    normalizations, transforms : tuple
        Values to try.
    """
    context = replace(context, panel=forecaster.scaler_.without_faults(context.panel))
    usual = [Recipe(*choice, own.lookback) for choice in product(normalizations, transforms)]
    errors = errors_of(forecaster, context, usual)
    best = sorted(errors, key=errors.get)[:OTHER_LOOKBACKS]
    lookbacks = other_lookbacks(own.lookback, context.panel, context.stop) if forecaster.lookback is None else ()
    others = [replace(recipe, lookback=n) for recipe in best for n in lookbacks]
    errors |= errors_of(forecaster, context, others)
    return {recipe: error for recipe, error in errors.items() if np.isfinite(error)}


def other_lookbacks(own: int, panel: Panel, stop: np.ndarray) -> list[int]:
    """Return half and twice the usual lookback, as far as the number of rows permits."""
    longest = int((stop - panel.indptr[:-1]).max())
    double = max(min(2 * own, max(longest // 2, 1), LONGEST), own)
    return sorted({max(own // 2, 1), double} - {own})


def scaler_for(forecaster, transform: str | None, context: FitContext, stop: np.ndarray) -> Scaler:
    """Return the scaler with another target transform, fitted on the rows before ``stop[e]``."""
    more = {"weight": context.weight, "codes": forecaster.schema_.codes(), "transform": transform}
    scaler = Scaler.fit(context.panel, stop, forecaster.horizon_, forecaster.scaler_.calendar, **more)
    return replace(scaler, broken=forecaster.scaler_.broken)


def transforms_for(panel: Panel) -> tuple[str, ...]:
    """Return the transforms that are defined for all observed targets."""
    least = np.fmin.reduce(panel.target, axis=None)
    if not least >= 0:
        return ()
    small = least > 0 and np.nanmean(panel.target) < SMALL
    return "sqrt", "log" if small else "log1p"


def errors_of(forecaster, context: FitContext, recipes: list[Recipe]) -> dict[Recipe, float]:
    """Return the mean absolute error of each recipe on the validation windows, infinite if it is unknown."""
    panel, split = context.panel, context.split
    validation = forecaster._validation(context, most=TRIED_ON)
    horizon, longest = forecaster.horizon_, max((one.lookback for one in recipes), default=1)
    actual = observed_after(panel, validation, horizon)
    scale = scale_of(forecaster.scaler_, panel, validation)[:, None]
    errors = {}
    for transform in dict.fromkeys(recipe.target_transform for recipe in recipes):
        scaler = scaler_for(forecaster, transform, context, split)
        buffers = replace(scaler.buffers(panel, longest, horizon), weight=context.weight)
        for recipe in recipes:
            if recipe.target_transform != transform:
                continue
            windows = Windows.training(panel, split, recipe.lookback, horizon)
            sizes = recipe.lookback, horizon, recipe.normalization, TRAINED_ON
            forecast = Ridge.fit(buffers, windows, validation, *sizes).predict(buffers, validation)
            wrong = np.abs(scaler.restore(forecast, panel, validation) - actual) / scale
            errors[recipe] = float(np.nanmean(wrong)) if not np.isnan(wrong).all() else np.inf
    return errors
