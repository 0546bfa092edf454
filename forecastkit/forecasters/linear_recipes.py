"""Ridge regressions whose normalization, target transform and lookback are chosen on validation windows.

A regression on a few thousand windows is solved in closed form, so that dozens of combinations cost seconds. Networks,
which cannot be trained as often, use the same choice, and correct the mean of the best regressions: the linear path.
"""

from dataclasses import dataclass, replace
from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from forecastkit.baselines.ridge import MAX_WINDOWS, NORMALIZATIONS, Ridge, Strips
from forecastkit.baselines.series_corrections import SeriesCorrections
from forecastkit.data.panel import Panel
from forecastkit.data.windows import Buffers, Origins, Windows
from forecastkit.forecasters.model import FitContext
from forecastkit.networks.heads import OwnLoss
from forecastkit.networks.smoothing_maps import BEFORE, SmoothingMaps
from forecastkit.preprocessing.scaler import Scaler
from forecastkit.uncertainty.residuals import observed_after, scale_of
from forecastkit.utils.arrays import is_mapped, one_thread

if TYPE_CHECKING:
    import keras

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
#: Largest number of regressions that are averaged for the linear forecast.
REGRESSIONS = 3
#: A network uses another normalization than the usual one if the error of the regressions is below this multiple.
CLEARLY_LESS = 0.98
#: Fraction of a correction that is kept unless it saves more than a quarter of the validation loss: all of it may be
#: wrong in a season that was not held out. With half, no network was 3 % behind its linear path on development sets
#: (benchmarks/results/linear_path.jsonl); what covariates explain saves more.
KEPT = 0.5
#: Number of horizons in the validation block from which on its errors decide.
ENOUGH = 3
#: The linear path is averaged with exponential smoothing if this lowers the error below this multiple, on at most so
#: many validation windows.
CLEARLY_SMALLER, SMOOTHED_ON = 0.99, 300


@dataclass(frozen=True)
class Recipe:
    """How windows are prepared for a regression."""

    normalization: str
    target_transform: str | None
    lookback: int


@dataclass(frozen=True)
class LinearPart:
    """A fitted regression with the scales of its targets."""

    scaler: Scaler
    ridge: Ridge
    corrections: SeriesCorrections | None = None  #: What is added to the coefficients for each series

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

    Parameters that its constructor leaves open are chosen. If no error is known, `own` is used, the recipe of its
    parameters.
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

    All combinations of normalizations and transforms are tried with the lookback of `own`, then, if the constructor has
    none, other lookbacks with the best three of them. Recipes whose error is unknown are left out.
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
            with one_thread():
                ridge = Ridge.fit(buffers, windows, validation, *sizes, complete=True)
                forecast = ridge.predict(buffers, validation)
            wrong = np.abs(scaler.restore(forecast, panel, validation) - actual) / scale
            errors[recipe] = float(np.nanmean(wrong)) if not np.isnan(wrong).all() else np.inf
    return errors


@dataclass(frozen=True)
class NetworkRecipe:
    """How windows are prepared for a network."""

    normalization: str  #: The statistics of a window that are removed from it
    target_transform: str | None
    lookback: int
    #: The regressions of the linear forecast that the network corrects; empty without one
    regressions: tuple[Recipe, ...] = ()

    def to_dict(self, patch: int) -> dict:
        """Return the choices by name, with the patch length."""
        sizes = {"lookback": self.lookback, "patch": patch, "regressions": len(self.regressions)}
        return {"normalization": self.normalization, "target_transform": self.target_transform, **sizes}


def choose_network_recipe(forecaster, context: FitContext) -> NetworkRecipe:
    """Choose the recipe of a network by ridge regressions on the validation windows; parameters given are not changed.

    It has no regressions if there are no validation windows on which corrections can be measured, for distributions of
    positive values, which have no center to correct, and for memory-mapped data.
    """
    panel, normalization, transform = context.panel, forecaster._normalization(), forecaster._transform()
    usual = NetworkRecipe(normalization, transform, forecaster.lookback_)
    validated = len(forecaster._validation(context)) > 0
    if not forecaster.linear_path or normalization == "mean" or not validated or is_mapped(panel.target):
        return usual
    own, errors = Recipe("last", transform, forecaster.lookback_), {}
    if panel.rows * panel.channels <= MAX_CELLS:
        # Means and distributions do not survive a transform and its inverse; medians do.
        is_open = forecaster.target_transform is None and forecaster.loss in ("mae", "huber")
        transforms = (None, *transforms_for(panel)) if is_open else (transform,)
        errors = recipe_errors(forecaster, context, own, NORMALIZATIONS, transforms)
    if not errors:
        return replace(usual, regressions=(own,))
    transform = min(errors, key=errors.get).target_transform
    errors = {recipe: error for recipe, error in errors.items() if recipe.target_transform == transform}
    regressions = tuple(best_recipes(errors, REGRESSIONS))
    if forecaster.normalization is None:
        normalization = _network_normalization(errors)
    return NetworkRecipe(normalization, transform, max(recipe.lookback for recipe in regressions), regressions)


def _network_normalization(errors: dict[Recipe, float]) -> str:
    """Return 'standard' if removing the mean is clearly better than removing the last value, else 'last'."""
    last = [error for recipe, error in errors.items() if recipe.normalization == "last"]
    other = [error for recipe, error in errors.items() if recipe.normalization != "last"]
    better = min(other, default=np.inf) < CLEARLY_LESS * min(last, default=np.inf)
    return "standard" if better else "last"


@dataclass(frozen=True)
class LinearPath:
    """The mean of ridge regressions with the same scales, a linear map from the window to the horizon, which may be
    averaged with exponential smoothing of the window.
    """

    regressions: tuple[Ridge, ...]
    smoothing: SmoothingMaps | None = None

    @classmethod
    def fit(cls, forecaster, context: FitContext, buffers: Buffers, recipe: NetworkRecipe) -> "LinearPath":
        """Fit on the rows before the validation block, which chooses the regularization strengths."""
        validation, horizon = forecaster._validation(context), forecaster.horizon_
        found = []
        for one in recipe.regressions:
            windows = Windows.training(context.panel, context.split, one.lookback, horizon)
            sizes = one.lookback, horizon, one.normalization, MAX_WINDOWS // len(recipe.regressions)
            found.append(Ridge.fit(buffers, windows, validation, *sizes))
        return cls(tuple(found)).averaged(forecaster, context, buffers, recipe.lookback)

    def averaged(self, forecaster, context: FitContext, buffers: Buffers, lookback: int) -> "LinearPath":
        """Return the path averaged with exponential smoothing if that suits the validation windows, else itself.

        Averages are the better guess where fewer than `ENOUGH` horizons fit into the validation block.
        """
        horizon, panel = forecaster.horizon_, context.panel
        seasons = fitting_seasons(lookback, horizon, forecaster.season_length_, panel.grid.seasons)
        if not seasons:
            return self
        averaged = replace(self, smoothing=SmoothingMaps.of(lookback, horizon, seasons))
        if validation_horizons(forecaster, context) < ENOUGH:
            return averaged
        origins, scaler = forecaster._validation(context, most=SMOOTHED_ON), forecaster.scaler_
        actual, unit = observed_after(panel, origins, horizon), scale_of(scaler, panel, origins)[:, None]
        alone, both = (
            np.nansum(np.abs(scaler.restore(path.predict(buffers, origins), panel, origins) - actual) / unit)
            for path in (self, averaged)
        )
        return averaged if both < CLEARLY_SMALLER * alone else self

    def predict(self, buffers: Buffers, origins: Origins) -> np.ndarray:
        """Return scaled forecasts (n, horizon)."""
        mean = np.mean([one.predict(buffers, origins) for one in self.regressions], axis=0)
        if self.smoothing is None:
            return mean
        window, last, _, _ = Strips(buffers, len(self.smoothing.matrix), 0).normalised(origins)
        return 0.5 * (mean + self.smoothing.forecast(window) + last)

    def refit(self, buffers: Buffers, panel: Panel, stop: np.ndarray) -> "LinearPath":
        """Fit again with the same strengths on all rows before ``stop``."""
        most = MAX_WINDOWS // len(self.regressions)
        found = []
        for one in self.regressions:
            windows = Windows.training(panel, stop, *one.weights.shape)
            found.append(one.refit(buffers, windows, most))
        return replace(self, regressions=tuple(found))

    def sizes(self) -> dict[str, int]:
        """Return the `Sizes` of a network with this path."""
        maps = self.smoothing
        return {"linear": True} | ({} if maps is None else {"smoothings": maps.maps, "compared": maps.compared})

    def give(self, network: "keras.Model") -> None:
        """Set the weights of a network that are this path."""
        network.linear.assign(self.matrix(network.sizes.lookback))
        if self.smoothing is not None:
            network.smoothing.assign(self.smoothing.matrix)

    def matrix(self, lookback: int) -> np.ndarray:
        """Return weights (lookback, horizon) of the regressions before normalization; columns sum to 1.

        This is possible because the center of a window, its last value or mean, is linear in the values, and the
        divisor cancels out.
        """
        total = np.zeros((lookback, self.regressions[0].weights.shape[1]))
        for one in self.regressions:
            weights = one.weights.astype("float64")
            rest = 1.0 - weights.sum(axis=0)
            total[lookback - len(weights) :] += weights
            if one.normalization == "last":
                total[-1] += rest
            else:
                total[lookback - len(weights) :] += rest / len(weights)
        return (total / len(self.regressions)).astype("float32")


def fitting_seasons(lookback: int, horizon: int, main: int, longer: tuple[int, ...]) -> tuple[int, ...]:
    """Return 1 and the seasons of which two fit into a window before the last compared steps.

    There are none if the main season is too long. Longer ones are used if they are multiples of it.
    """
    most = (lookback - -(-horizon // max(BEFORE))) // 2
    candidates = sorted({main, *(season for season in longer if season > main > 1 and season % main == 0)})
    fitting = [season for season in candidates if season <= most]
    return tuple(sorted({1, *fitting})) if main in fitting else ()


def correction_kept(forecaster, context: FitContext) -> float:
    """Return the fraction of a network's corrections of the linear path that is kept.

    It is `KEPT`, or twice the fraction of the validation loss that the network saves if that is more. If fewer than
    `ENOUGH` horizons fit into the validation block, n of them, it is n / (n + `ENOUGH`), as the gain may be that of one
    period. It is 0 if no epoch was better than the linear path, and 1 for Keras losses.
    """
    record = forecaster.training_history_
    if record.best_epoch < 0:
        return 0.0
    if isinstance(forecaster.network_.head, OwnLoss):
        return 1.0  # absolute errors are not what such a loss makes small
    horizons = validation_horizons(forecaster, context)
    if horizons < ENOUGH:
        return horizons / (horizons + ENOUGH)
    return max(KEPT, min(2 * record.gain, 1.0))


def validation_horizons(forecaster, context: FitContext) -> int:
    """Return how many horizons fit into the longest validation block."""
    return int((context.stop - context.split).max()) // forecaster.horizon_
