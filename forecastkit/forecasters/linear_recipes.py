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
from forecastkit.preprocessing.scaler import Scaler
from forecastkit.uncertainty.residuals import observed_after, scale_of

#: Training and validation windows that a combination is tried on.
TRAINED_ON, TRIED_ON = 6_000, 1_000
#: How much worse than the best a recipe may be that is averaged with it.
WITHIN = 1.05
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


def choose_recipes(forecaster, panel: Panel, split: np.ndarray, stop: np.ndarray, own: Recipe) -> list[Recipe]:
    """The best recipes on the validation windows, best first.

    Parameters
    ----------
    forecaster : Forecaster
        Being fitted; what its constructor leaves open is tried.
    panel : Panel
    split, stop : ndarray of shape (E,)
        First row of the validation block of each series, and one past its last.
    own : Recipe
        Of the forecaster's constructor and sizes, the one where nothing else can be told.
    """
    panel = forecaster.scaler_.without_faults(panel)
    normalizations, transforms, lookbacks = open_options(forecaster, panel, stop, own)
    usual = [Recipe(*choice, own.lookback) for choice in product(normalizations, transforms)]
    errors = recipe_errors(forecaster, panel, split, stop, usual)
    # Other lookbacks are tried with the best of these only.
    best = sorted(errors, key=errors.get)[: forecaster.recipes]
    others = [replace(recipe, lookback=n) for recipe in best for n in lookbacks if n != own.lookback]
    errors |= recipe_errors(forecaster, panel, split, stop, others)
    known = {recipe: error for recipe, error in errors.items() if np.isfinite(error)}
    if not known:
        return [own]
    ranked = sorted(known, key=known.get)
    most = WITHIN * known[ranked[0]]
    return [recipe for recipe in ranked if known[recipe] <= most][: forecaster.recipes]


def open_options(forecaster, panel, stop, own: Recipe) -> tuple[tuple, tuple, tuple]:
    """Normalizations, transforms and lookbacks that are tried."""
    transforms = (own.target_transform,) if own.target_transform else (None, *transforms_for(panel))
    normalizations = (own.normalization,) if forecaster.normalization else NORMALIZATIONS
    lookbacks = (own.lookback,)
    if forecaster.lookback is None:
        longest = int((stop - panel.indptr[:-1]).max())
        most = max(longest // 2, 1)
        double = max(min(2 * own.lookback, most, LONGEST), own.lookback)
        lookbacks = tuple(sorted({max(own.lookback // 2, 1), own.lookback, double}))
    return normalizations, transforms, lookbacks


def transforms_for(panel: Panel) -> tuple[str, ...]:
    """Transforms that all observed targets have."""
    least = np.fmin.reduce(panel.target, axis=None)
    if not least >= 0:
        return ()
    small = least > 0 and np.nanmean(panel.target) < SMALL
    return "sqrt", "log" if small else "log1p"


def recipe_errors(forecaster, panel: Panel, split, stop, recipes: list[Recipe]) -> dict[Recipe, float]:
    """Mean absolute error of each recipe on validation windows, in units of each series' scale."""
    validation = forecaster._validation(panel, split, stop, most=TRIED_ON)
    horizon, weight, longest = (
        forecaster.horizon_,
        forecaster._weight,
        max((one.lookback for one in recipes), default=1),
    )
    actual = observed_after(panel, validation, horizon)
    scale = scale_of(forecaster.scaler_, panel, validation)[:, None]
    errors = {}
    for transform in dict.fromkeys(recipe.target_transform for recipe in recipes):
        more = {"weight": weight, "codes": forecaster.schema_.codes(), "transform": transform}
        scaler = Scaler.fit(panel, split, horizon, forecaster.scaler_.calendar, **more)
        scaler = replace(scaler, broken=forecaster.scaler_.broken)
        buffers = replace(scaler.buffers(panel, longest, horizon), weight=weight)
        for recipe in recipes:
            if recipe.target_transform != transform:
                continue
            windows = Windows.training(panel, split, recipe.lookback, horizon)
            sizes = recipe.lookback, horizon, recipe.normalization, TRAINED_ON
            forecast = Ridge.fit(buffers, windows, validation, *sizes).predict(buffers, validation)
            wrong = np.abs(scaler.restore(forecast, panel, validation) - actual) / scale
            errors[recipe] = float(np.nanmean(wrong)) if not np.isnan(wrong).all() else np.inf
    return errors
