"""Attribution of a network's forecasts to its inputs, in the units of the target."""

from dataclasses import dataclass

import numpy as np

from forecastkit.data.panel import Panel
from forecastkit.data.windows import Origins, forward_fill, gather
from forecastkit.inspection.integrated_gradients import Pairs, Slopes, difference, integrate
from forecastkit.uncertainty.forecasts import forecast_of
from forecastkit.utils.validation import refuse

BASELINES = ("last", "mean")
#: Means of calendar features whose mean over a cycle is not 0.
CALENDAR_MEANS = {"weekend": 2 / 7}


@dataclass(frozen=True)
class Attribution:
    """Integrated gradients of n origins and S steps, in the units of each target.

    Parameters
    ----------
    target : ndarray of shape (n, S, columns, lookback)
        By the past values of the target columns that a window holds: one, or all where the network mixes them.
    past : ndarray of shape (n, S, lookback, features)
    known, calendar : ndarray of shape (n, S, lookback + horizon, features)
    static : ndarray of shape (n, S, features)
    forecast, baseline : ndarray of shape (n, S)
        The forecast, and the forecast from the baseline.
    error : float
        Largest gap between the attributions' sum and ``forecast - baseline``, by the largest such change over the
        origin's steps.
    points : int
        Gradients averaged for each attribution.
    """

    target: np.ndarray
    past: np.ndarray
    known: np.ndarray
    calendar: np.ndarray
    static: np.ndarray
    forecast: np.ndarray
    baseline: np.ndarray
    error: float
    points: int


def attribute(model, panel: Panel, origins: Origins, steps: np.ndarray, kind: str, tolerance, most) -> Attribution:
    """Integrated gradients (Sundararajan et al. 2017) of the point forecasts of a fitted network.

    All around the network is affine, so that a straight line in the user's units is one in the network's inputs. The
    linear effect of future covariates, which the scaler takes out of the past and adds to the forecast, is its own.

    Parameters
    ----------
    model : NeuralForecaster
        Which knows all series of the panel.
    steps : ndarray of shape (S,)
        Steps to explain, from 0.
    kind : {'last', 'mean'}
        Of the baseline: the target stands still at its last observed value, or at the mean of the window.
    tolerance : float
        Of the error; points are doubled until it is met.
    most : int
        Points at most.
    """
    if model.scaler_.transform is not None:
        rule = "attribution needs a forecast that is affine around its network, which a target_transform is not"
        remedy = "Pass what='attention', or fit without target_transform=."
        refuse("interpret", rule, f"target_transform={model.scaler_.transform!r}", remedy)
    network, engine = model.network_.live()
    windows = Inputs.of(model, panel, origins, network.sizes)
    pairs = Pairs(
        np.repeat(windows.place, len(steps)),
        np.repeat(origins.channel, len(steps)),
        np.tile(steps, len(origins)),
    )
    baseline = windows.baseline(kind, model.scaler_)
    input_gradients = integrate(engine, windows.given, baseline, pairs, point_weights(model), tolerance, most)
    parts, change = _contributions(
        input_gradients, windows, baseline, pairs, linear_effects(model.scaler_), network.sizes
    )
    scale = model.scaler_.moments(panel).scale[origins.entity, origins.channel]
    blank = _blank(network.sizes, len(pairs))
    parts = {name: _by_origin(part, len(steps), scale) for name, part in {**blank, **parts}.items()}
    forecast = model._forecast(panel, origins).point()[:, steps]
    start = forecast - _by_origin(change, len(steps), scale)
    return Attribution(
        **parts, forecast=forecast, baseline=start, error=input_gradients.error, points=input_gradients.points
    )


def point_weights(model) -> np.ndarray:
    """What each output of the head counts in the point forecast, (outputs,)."""
    head = model.network_.live()[1].head
    outputs = head.outputs

    def unchanged(values, spread=False):
        return values

    # Points are linear in outputs that rise: those of 1 1 1, 0 1 1 and 0 0 1 differ by one weight each.
    points = forecast_of(np.triu(np.ones((outputs, outputs)))[:, None], head, unchanged).point()[:, 0]
    return points - np.append(points[1:], 0.0)


@dataclass(frozen=True)
class Inputs:
    """What a network is given for some origins.

    Parameters
    ----------
    given : dict of ndarray, (windows, ...)
    values : ndarray of shape (windows, [channels,] lookback)
        The past targets before the linear effect of the known covariates was taken out of them.
    place : ndarray of shape (n,)
        Window of each origin.
    """

    given: dict[str, np.ndarray]
    values: np.ndarray
    place: np.ndarray

    @classmethod
    def of(cls, model, panel: Panel, origins: Origins, sizes) -> "Inputs":
        buffers = model.scaler_.buffers(panel, sizes.lookback, sizes.horizon)
        whole, place = origins.together() if sizes.channels else (origins, np.arange(len(origins)))
        inputs, _ = gather(np, buffers, whole.table(), sizes.lookback, sizes.horizon, False, sizes.channels)
        if not sizes.masked:
            inputs["target"] = forward_fill(inputs["target"])
        for name in {"past", "known"} & inputs.keys():
            inputs[name] = np.nan_to_num(inputs[name])  # the network takes what is missing as the mean, too
        given = {name: inputs[name].astype(dtype) for name, (_, dtype) in sizes.inputs().items()}
        values = given["target"]
        for name, effect in linear_effects(model.scaler_).items():
            effects = np.einsum("nlk,kc->ncl", given[name][:, : sizes.lookback], effect)
            values = values + (effects if sizes.channels else effects[np.arange(len(whole)), whole.channel])
        return cls(given, values, place)

    def baseline(self, kind: str, scaler) -> dict[str, np.ndarray]:
        """Inputs at which the target stands still and every covariate is at its mean."""
        out = {name: np.zeros_like(given) for name, given in self.given.items()}
        out["target"] = self.standing_still(kind).astype("float32")
        if "calendar" in out:
            out["calendar"][:] = [CALENDAR_MEANS.get(name, 0.0) for name in scaler.calendar]
        for name in out.keys() & {"series", "unit", "past_codes", "known_codes", "static_codes"}:
            out[name] = self.given[name]  # no line leads from one category to another
        return out

    def standing_still(self, kind: str) -> np.ndarray:
        """The past targets at one level; missing values stay missing."""
        missing = np.isnan(self.values)
        if kind == "last":
            level = forward_fill(self.values)[..., -1:]
        else:
            counts = np.maximum((~missing).sum(axis=-1, keepdims=True), 1)
            level = np.nansum(self.values, axis=-1, keepdims=True) / counts
        return np.where(missing, np.nan, level)


def linear_effects(scaler) -> dict[str, np.ndarray]:
    """Effects (features, C) that the scaler takes out of the target, by the input whose features have them."""
    effects = {"known": scaler.effect, "calendar": scaler.calendar_effect}
    return {name: effect for name, effect in effects.items() if effect is not None and effect.any()}


def _contributions(input_gradients: Slopes, windows: Inputs, baseline, pairs: Pairs, effects, sizes):
    """Slopes times what changed, and how much the forecasts changed, both in scaled units.

    A dict of arrays (P, columns, lookback) for the target and (P, ..., features) for covariates, and an array (P,).
    """
    parts, by = {}, input_gradients.by
    for name in by.keys() - {"target"}:
        parts[name] = by[name] * difference(windows.given[name], baseline[name])[pairs.window]
    if sizes.cycles:
        parts["calendar"][..., : sizes.cycles] = shared_by_patch(parts["calendar"][..., : sizes.cycles], sizes)
    still = difference(windows.values, baseline["target"])[pairs.window]
    parts["target"] = (by["target"] * still).reshape(len(pairs), -1, still.shape[-1])
    change = input_gradients.end - input_gradients.start
    for name, effect in effects.items():
        change = change + _add_effect(parts[name], by["target"], windows.given[name][pairs.window], pairs, effect)
    return parts, change


def shared_by_patch(part: np.ndarray, sizes) -> np.ndarray:
    """Attributions (P, lookback + horizon, features), what the steps of a patch have divided evenly among them.

    Networks read the calendar of a patch at its first step.
    """
    padding = sizes.past_tokens * sizes.patch - sizes.lookback
    past = (np.arange(sizes.lookback) + padding) // sizes.patch
    patch = np.concatenate([past, sizes.past_tokens + np.arange(sizes.horizon) // sizes.patch])
    starts = np.flatnonzero(np.diff(patch, prepend=-1))
    lengths = np.diff(starts, append=len(patch))
    return np.repeat(np.add.reduceat(part, starts, axis=1) / lengths[:, None], lengths, axis=1)


def _add_effect(part, slope, known, pairs: Pairs, effect):
    """Give covariates their linear effect, in place; returns what it adds to each forecast, (P,)."""
    own, lookback = effect[:, pairs.channel].T, slope.shape[-1]
    # It is taken out of the past of every column in the window, and added to the forecast of one.
    taken = np.einsum("pcl,kc->plk", slope, effect) if slope.ndim == 3 else slope[..., None] * own[:, None]
    part[:, :lookback] -= taken * known[:, :lookback]
    rows, ahead = np.arange(len(pairs)), lookback + pairs.step
    added = known[rows, ahead] * own
    part[rows, ahead] += added
    return added.sum(axis=1)


def _blank(sizes, pairs: int) -> dict[str, np.ndarray]:
    """Attributions to covariates of which there are none."""
    steps = sizes.lookback + sizes.horizon
    shapes = {"past": (sizes.lookback, 0), "known": (steps, 0), "calendar": (steps, 0), "static": (0,)}
    return {name: np.zeros((pairs, *shape)) for name, shape in shapes.items()}


def _by_origin(part, steps: int, scale):
    """Pairs (P, ...) as (n, S, ...), times the scale (n,) of each origin."""
    part = part.reshape(len(scale), steps, *part.shape[1:])
    return part * scale.reshape(-1, *[1] * (part.ndim - 1))
