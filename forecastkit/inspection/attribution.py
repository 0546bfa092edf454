"""Attribution of a network's forecasts to its inputs, in the units of the target."""

from dataclasses import dataclass

import numpy as np

from forecastkit.data.panel import Panel
from forecastkit.data.windows import Origins, forward_fill, gather
from forecastkit.inspection.integrated_gradients import Pairs, Slopes, difference, integrate
from forecastkit.preprocessing.transforms import backward, forward_clipped

BASELINES = ("last", "mean")
#: Means of calendar features over a cycle, if they are not 0.
CALENDAR_MEANS = {"weekend": 2 / 7}


@dataclass(frozen=True)
class Attribution:
    """Integrated gradients of S steps of n origins, in the units of the targets."""

    #: (n, S, columns, lookback): attributions to the past values of the target columns in a window: one, or all if the
    #: network mixes channels
    target: np.ndarray
    past: np.ndarray  #: (n, S, lookback, features)
    known: np.ndarray  #: (n, S, lookback + horizon, features)
    calendar: np.ndarray  #: (n, S, lookback + horizon, features)
    static: np.ndarray  #: (n, S, features)
    forecast: np.ndarray  #: (n, S)
    baseline: np.ndarray  #: (n, S): the forecast at the baseline inputs
    #: Largest difference between the sum of the attributions and ``forecast - baseline``, relative to the largest such
    #: change over the steps of the origin
    error: float
    points: int  #: Number of gradients averaged for each attribution


def attribute(
    model, panel: Panel, origins: Origins, steps: np.ndarray, kind: str, tolerance, max_points
) -> Attribution:
    """Compute integrated gradients (Sundararajan et al. 2017) of the point forecasts of a fitted network.

    Scaling is affine, so a straight line in the user's units is a straight line in the network's inputs. With a target
    transform, the straight line is one of transformed values, and all contributions to a forecast are multiplied by the
    secant slope of the inverse transform between baseline and forecast (the rescale rule of DeepLIFT, Shrikumar et al.
    2017), so that they add up in the user's units. The linear effect of future covariates, which the scaler subtracts
    from the past and adds to the forecast, is attributed to these covariates.

    Parameters
    ----------
    model : NeuralForecaster
        A forecaster that knows all series of the panel.
    steps : ndarray of shape (S,)
        Steps to explain, counted from 0.
    kind : {'last', 'mean'}
        Baseline of the target: constant at its last observed value, or at the mean of the window.
    tolerance : float
        Largest completeness error; the number of points is doubled until it is met.
    max_points : int
        Largest number of points.
    """
    network, engine = model.network_.live()
    windows = Inputs.of(model, panel, origins, network.sizes)
    pairs = Pairs(
        np.repeat(windows.window_of, len(steps)),
        np.repeat(origins.channel, len(steps)),
        np.tile(steps, len(origins)),
    )
    baseline = windows.baseline(kind, model.scaler_)
    point = engine.head.point_weights
    input_gradients = integrate(engine, windows.given, baseline, pairs, point, tolerance, max_points)
    parts, change = _contributions(
        input_gradients, windows, baseline, pairs, linear_effects(model.scaler_), network.sizes
    )
    scale = model.scaler_.moments(panel).scale[origins.entity, origins.channel]
    empty = _empty(network.sizes, len(pairs))
    parts = {name: _by_origin(part, len(steps), scale) for name, part in {**empty, **parts}.items()}
    forecast = model._forecast(panel, origins).point()[:, steps]
    start, slope = _undo_transform(model.scaler_.transform, forecast, _by_origin(change, len(steps), scale))
    if slope is not None:
        parts = {name: part * slope.reshape(*slope.shape, *[1] * (part.ndim - 2)) for name, part in parts.items()}
    return Attribution(
        **parts, forecast=forecast, baseline=start, error=input_gradients.error, points=input_gradients.points
    )


def _undo_transform(name: str | None, forecast: np.ndarray, change: np.ndarray):
    """Return forecasts at the baseline (n, S), and the slope (n, S) from transformed units to those of the target.

    `change` are the forecasts less those at the baseline, both transformed. Without a transform the slope is None.
    """
    if name is None:
        return forecast - change, None
    end = forward_clipped(name, forecast)
    start = backward(name, end - change)
    step = np.where(np.abs(change) > 1e-6, change, 1e-6)  # a secant of no length has the slope of the tangent
    return start, (forecast - backward(name, end - step)) / step


@dataclass(frozen=True)
class Inputs:
    """Inputs of a network for some origins."""

    given: dict[str, np.ndarray]  #: (windows, ...)
    #: (windows, [channels,] lookback): past targets before linear effects of future covariates were subtracted
    values: np.ndarray
    window_of: np.ndarray  #: (n,): index of the window of each origin

    @classmethod
    def of(cls, model, panel: Panel, origins: Origins, sizes) -> "Inputs":
        buffers = model.scaler_.buffers(panel, sizes.lookback, sizes.horizon)
        all_origins, window_of = origins.together() if sizes.channels else (origins, np.arange(len(origins)))
        inputs, _ = gather(np, buffers, all_origins.table(), sizes.lookback, sizes.horizon, False, sizes.channels)
        if not sizes.masked:
            inputs["target"] = forward_fill(inputs["target"])
        for name in {"past", "known"} & inputs.keys():
            inputs[name] = np.nan_to_num(inputs[name])  # the network also replaces missing values by the mean
        given = {name: inputs[name].astype(dtype) for name, (_, dtype) in sizes.inputs.items()}
        values = given["target"]
        for name, effect in linear_effects(model.scaler_).items():
            effects = np.einsum("nlk,kc->ncl", given[name][:, : sizes.lookback], effect)
            values = values + (effects if sizes.channels else effects[np.arange(len(all_origins)), all_origins.channel])
        return cls(given, values, window_of)

    def baseline(self, kind: str, scaler) -> dict[str, np.ndarray]:
        """Return inputs with a constant target and every covariate at its mean."""
        out = {name: np.zeros_like(given) for name, given in self.given.items()}
        out["target"] = self.constant_target(kind).astype("float32")
        if "calendar" in out:
            out["calendar"][:] = [CALENDAR_MEANS.get(name, 0.0) for name in scaler.calendar]
        for name in out.keys() & {"series", "unit", "past_codes", "known_codes", "static_codes"}:
            out[name] = self.given[name]  # categories cannot be interpolated
        return out

    def constant_target(self, kind: str) -> np.ndarray:
        """Return constant past targets; missing values stay missing."""
        missing = np.isnan(self.values)
        if kind == "last":
            level = forward_fill(self.values)[..., -1:]
        else:
            counts = np.maximum((~missing).sum(axis=-1, keepdims=True), 1)
            level = np.nansum(self.values, axis=-1, keepdims=True) / counts
        return np.where(missing, np.nan, level)


def linear_effects(scaler) -> dict[str, np.ndarray]:
    """Return the effects (features, C) that the scaler subtracts from the target, by input."""
    effects = {"known": scaler.effect, "calendar": scaler.calendar_effect}
    return {name: effect for name, effect in effects.items() if effect is not None and effect.any()}


def _contributions(input_gradients: Slopes, windows: Inputs, baseline, pairs: Pairs, effects, sizes):
    """Return gradients times input differences, and the changes of the forecasts, both in scaled units.

    The first result is a dict of arrays (P, columns, lookback) for the target and (P, ..., features) for covariates,
    the second an array (P,).
    """
    parts, by = {}, input_gradients.by
    for name in by.keys() - {"target"}:
        parts[name] = by[name] * difference(windows.given[name], baseline[name])[pairs.window]
    if sizes.cycles:
        parts["calendar"][..., : sizes.cycles] = shared_by_patch(parts["calendar"][..., : sizes.cycles], sizes)
    difference_of_target = difference(windows.values, baseline["target"])[pairs.window]
    parts["target"] = (by["target"] * difference_of_target).reshape(len(pairs), -1, difference_of_target.shape[-1])
    change = input_gradients.end - input_gradients.start
    for name, effect in effects.items():
        change = change + _add_effect(parts[name], by["target"], windows.given[name][pairs.window], pairs, effect)
    return parts, change


def shared_by_patch(part: np.ndarray, sizes) -> np.ndarray:
    """Divide attributions (P, lookback + horizon, features) evenly among the steps of each patch.

    Networks read the calendar of a patch only at its first step, which would otherwise receive all of it.
    """
    padding = sizes.past_tokens * sizes.patch - sizes.lookback
    past = (np.arange(sizes.lookback) + padding) // sizes.patch
    patch = np.concatenate([past, sizes.past_tokens + np.arange(sizes.horizon) // sizes.patch])
    starts = np.flatnonzero(np.diff(patch, prepend=-1))
    lengths = np.diff(starts, append=len(patch))
    return np.repeat(np.add.reduceat(part, starts, axis=1) / lengths[:, None], lengths, axis=1)


def _add_effect(part, slope, known, pairs: Pairs, effect):
    """Attribute linear effects to the covariates, in place; return the effect on each forecast, shape (P,)."""
    coefficients, lookback = effect[:, pairs.channel].T, slope.shape[-1]
    # The effect is subtracted from the past of every column in the window and added to the forecast of one column.
    subtracted = (
        np.einsum("pcl,kc->plk", slope, effect) if slope.ndim == 3 else slope[..., None] * coefficients[:, None]
    )
    part[:, :lookback] -= subtracted * known[:, :lookback]
    rows, target_row = np.arange(len(pairs)), lookback + pairs.step
    added = known[rows, target_row] * coefficients
    part[rows, target_row] += added
    return added.sum(axis=1)


def _empty(sizes, pairs: int) -> dict[str, np.ndarray]:
    """Return empty attributions to absent covariates."""
    steps = sizes.lookback + sizes.horizon
    shapes = {"past": (sizes.lookback, 0), "known": (steps, 0), "calendar": (steps, 0), "static": (0,)}
    return {name: np.zeros((pairs, *shape)) for name, shape in shapes.items()}


def _by_origin(part, steps: int, scale):
    """Reshape pairs (P, ...) to (n, S, ...) and multiply by the scale (n,) of each origin."""
    part = part.reshape(len(scale), steps, *part.shape[1:])
    return part * scale.reshape(-1, *[1] * (part.ndim - 1))
