"""Which normalization, target transform and lookback suit the data: told by ridge regressions on validation windows.

Each is solved in closed form on a few thousand windows, so that dozens of combinations cost seconds. The same evidence
chooses for networks, which cannot be trained as often.
"""

from dataclasses import dataclass, replace
from itertools import product

import numpy as np

from forecastkit.baselines.ridge import NORMALIZATIONS, Ridge
from forecastkit.data.panel import Panel
from forecastkit.data.windows import Windows
from forecastkit.forecasters.fit_context import FitContext
from forecastkit.preprocessing.scaler import Scaler
from forecastkit.uncertainty.residuals import observed_after, scale_of

#: Training and validation windows that a combination is tried on.
TRAINED_ON, TRIED_ON = 6_000, 1_000
#: Values of the targets up to which recipes are tried: each transform is a copy of them.
MAX_CELLS = 2_000_000
#: How much worse than the best a recipe may be that is averaged with it.
WITHIN = 1.05
#: How many of the recipes with the usual lookback are tried with others.
OTHER_LOOKBACKS = 3
#: Longest lookback that is tried beyond what is asked for or usual.
LONGEST = 512
#: Mean below which values are so small that log1p does little, and the logarithm itself is tried instead.
SMALL = 20.0


@dataclass(frozen=True)
class Recipe:
    """How windows are made ready for a regression.

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
    """

    scaler: Scaler
    ridge: Ridge

    @property
    def recipe(self) -> Recipe:
        return Recipe(self.ridge.normalization, self.scaler.transform, len(self.ridge.weights))


def choose_recipes(forecaster, context: FitContext, own: Recipe) -> list[Recipe]:
    """The best recipes on the validation windows for the mean of a forecaster's regressions, best first.

    Parameters
    ----------
    forecaster : LinearForecaster
        Being fitted; what its constructor leaves open is tried.
    context : FitContext
    own : Recipe
        Of the forecaster's constructor and sizes, the one where nothing else can be told.
    """
    normalizations = (own.normalization,) if forecaster.normalization else NORMALIZATIONS
    transforms = (own.target_transform,) if forecaster.target_transform else (None, *transforms_for(context.panel))
    errors = recipe_errors(forecaster, context, own, normalizations, transforms)
    return best_recipes(errors, forecaster.recipes) or [own]


def best_recipes(errors: dict[Recipe, float], most: int) -> list[Recipe]:
    """At most so many recipes whose errors are within a few percent of the least, best first."""
    ranked = sorted(errors, key=errors.get)
    return [recipe for recipe in ranked if errors[recipe] <= WITHIN * errors[ranked[0]]][:most]


def recipe_errors(
    forecaster,
    context: FitContext,
    own: Recipe,
    normalizations: tuple[str, ...],
    transforms: tuple[str | None, ...],
) -> dict[Recipe, float]:
    """Mean absolute errors on validation windows of the recipes that are open, in units of each series' scale.

    All combinations of normalizations and transforms are tried with the lookback of `own`, then other lookbacks with
    the best three of them. Recipes whose error is unknown are left out.

    Parameters
    ----------
    forecaster : Forecaster
        Being fitted; other lookbacks are tried where its constructor has none.
    context : FitContext
    own : Recipe
    normalizations, transforms : tuple
        Those to try.
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
    """Half the usual lookback and twice of it, as far as there are rows."""
    longest = int((stop - panel.indptr[:-1]).max())
    double = max(min(2 * own, max(longest // 2, 1), LONGEST), own)
    return sorted({max(own // 2, 1), double} - {own})


def scaler_for(forecaster, transform: str | None, context: FitContext, stop: np.ndarray) -> Scaler:
    """The scaler of a forecaster that is being fitted with another target transform, of rows before ``stop[e]``."""
    more = {"weight": context.weight, "codes": forecaster.schema_.codes(), "transform": transform}
    scaler = Scaler.fit(context.panel, stop, forecaster.horizon_, forecaster.scaler_.calendar, **more)
    return replace(scaler, broken=forecaster.scaler_.broken)


def transforms_for(panel: Panel) -> tuple[str, ...]:
    """Transforms that all observed targets have."""
    least = np.fmin.reduce(panel.target, axis=None)
    if not least >= 0:
        return ()
    small = least > 0 and np.nanmean(panel.target) < SMALL
    return "sqrt", "log" if small else "log1p"


def errors_of(forecaster, context: FitContext, recipes: list[Recipe]) -> dict[Recipe, float]:
    """Mean absolute error of each recipe on validation windows, infinite where it is unknown."""
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
