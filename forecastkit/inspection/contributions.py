"""Contributions of inputs to the forecasts of any forecaster, in the units of the target.

Networks are explained by integrated gradients (`forecastkit.inspection.attribution`), means of forecasters by the
weighted sum of their members' contributions, all others by replacing inputs one after another.
"""

from dataclasses import dataclass, fields, replace

import numpy as np

from forecastkit.data.panel import Panel, pointers
from forecastkit.data.windows import Origins, crop, forward_fill
from forecastkit.forecasters.base import Forecaster
from forecastkit.forecasters.composite import Composite
from forecastkit.forecasters.neural import NeuralForecaster
from forecastkit.inspection.attribution import Attribution, attribute
from forecastkit.inspection.input_names import column_names, group_columns

#: Inputs replaced one by one; more steps than this are replaced in blocks.
MAX_INPUTS = 400
#: Cells of the copies of a window that are forecast at once.
MAX_CELLS = 2_000_000
#: Pairs of orders, beyond the first, in which inputs are replaced if their contributions depend on the order.
MORE_ORDERS = 3
#: Largest difference between two orders, relative to the largest contribution, of a forecast that is linear.
LINEAR = 1e-3


def contributions(
    model: Forecaster, panel: Panel, origins: Origins, steps: np.ndarray, baseline: str, tolerance: float, most: int
) -> tuple[Attribution, tuple[str, ...]]:
    """Return the contributions of the inputs to the point forecasts of a forecaster, and the names of the calendar.

    The parameters are those of `forecastkit.inspection.attribution.attribute`; the model is one of any kind.
    """
    if isinstance(model, NeuralForecaster):
        window = crop(panel, origins, model.lookback_, model.horizon_)
        return attribute(model, *window, steps, baseline, tolerance, most), model.scaler_.calendar
    if isinstance(model, Composite) and getattr(model, "how", "mean") == "mean":
        given = (panel, origins, steps, baseline, tolerance, most)
        parts = [contributions(member, *given) for member in model.forecasters_]
        weights = vars(model).get("weights_", np.ones(1))  # a tuned forecaster has one member
        return _weighted_sum(parts, weights, origins.channel)
    return _replaced(model, panel, origins, steps, baseline), ()


def _weighted_sum(parts, weights, channel) -> tuple[Attribution, tuple[str, ...]]:
    """Return the weighted sum of contributions of several forecasters, whose lookbacks and calendars may differ."""
    names = tuple(dict.fromkeys(name for _, calendar in parts for name in calendar))
    lookback = max(found.target.shape[3] for found, _ in parts)
    columns = max(found.target.shape[2] for found, _ in parts)
    totals = {}
    for (found, calendar), weight in zip(parts, weights, strict=True):
        aligned = _aligned(found, calendar, lookback, names)
        if found.target.shape[2] < columns:  # only others mix the target columns
            own = np.zeros((*aligned["target"].shape[:2], columns, lookback))
            own[np.arange(len(channel)), :, channel] = aligned["target"][:, :, 0]
            aligned["target"] = own
        for name, part in aligned.items():
            totals[name] = totals.get(name, 0.0) + weight * part
    error, points = max(found.error for found, _ in parts), max(found.points for found, _ in parts)
    return Attribution(**totals, error=error, points=points), names


def _aligned(found, calendar, lookback, names) -> dict[str, np.ndarray]:
    """Return the arrays of an attribution, with zeros for earlier steps and for calendar features of others."""
    arrays = {name.name: getattr(found, name.name) for name in fields(found) if name.name not in ("error", "points")}
    lacking = lookback - found.target.shape[3]
    arrays["target"] = _padded_before(arrays["target"], 3, lacking)
    for name in ("past", "known", "calendar"):
        arrays[name] = _padded_before(arrays[name], 2, lacking)
    if len(names) > len(calendar):
        wide = np.zeros((*arrays["calendar"].shape[:-1], len(names)))
        wide[..., [names.index(name) for name in calendar]] = arrays["calendar"]
        arrays["calendar"] = wide
    return arrays


def _padded_before(array, axis, count):
    widths = [(0, 0)] * array.ndim
    widths[axis] = (count, 0)
    return np.pad(array, widths)


def _replaced(model, panel: Panel, origins: Origins, steps: np.ndarray, baseline: str) -> Attribution:
    """Replace baseline inputs by the actual ones, one after another, and attribute each change of the forecast.

    These are contributions along a path, which sum to the change of the forecast. For a forecast that is linear in its
    inputs they are coefficients times differences from the baseline, whatever the order; otherwise they are averaged
    over several orders, an estimate of Shapley values [1]_.

    References
    ----------
    .. [1] Castro, J., Gómez, D., & Tejada, J. (2009). Polynomial calculation of the Shapley value based on sampling.
       Computers & Operations Research 36. Departure: orders come in pairs of an order and its reverse.
    """
    panel = model.scaler_.without_faults(panel)
    windows = [_Window.of(model, panel, *origin, baseline) for origin in zip(*origins.table().T, strict=True)]
    lookback, n, horizon = max(window.past for window in windows), len(windows), model.horizon_
    # Codes of categories are not replaced, and have no contributions.
    width = {role: getattr(model.scaler_, role).center.shape[1] for role in ("past", "known", "static")}
    arrays = {
        "target": np.zeros((n, len(steps), 1, lookback)),
        "past": np.zeros((n, len(steps), lookback, width["past"])),
        "known": np.zeros((n, len(steps), lookback + horizon, width["known"])),
        "calendar": np.zeros((n, len(steps), lookback + horizon, 0)),
        "static": np.zeros((n, len(steps), width["static"])),
    }
    ends, most = np.zeros((2, n, len(steps))), 0
    for i, window in enumerate(windows):
        parts, ends[:, i], orders = window.explain(model, steps)
        most = max(most, orders)
        first = lookback - window.past
        arrays["target"][i, :, 0, first:] = parts["target"][..., 0]
        arrays["past"][i, :, first:] = parts["past"][..., : width["past"]]
        arrays["known"][i, :, first:] = parts["known"][..., : width["known"]]
        arrays["static"][i] = parts["static"][:, 0, : width["static"]]
    return Attribution(**arrays, baseline=ends[0], forecast=ends[1], error=0.0, points=most)


@dataclass(frozen=True)
class _Window:
    """The inputs of one forecast."""

    rows: Panel  #: The rows of the series that the forecast reads, and those of the horizon, whose targets are NaN
    channel: int  #: Target column
    past: int  #: Number of rows up to the cutoff
    start: dict[str, np.ndarray]  #: (rows, columns): inputs at the baseline by role; static ones have a single row
    end: dict[str, np.ndarray]  #: (rows, columns): inputs as they are
    inputs: list[tuple[str, np.ndarray, slice]]  #: Role, columns and rows of what is replaced at once

    @classmethod
    def of(cls, model, panel: Panel, entity: int, row: int, channel: int, baseline: str) -> "_Window":
        memory, begin = model._memory(panel), panel.indptr[entity]
        first = begin if memory is None else max(begin, row + 1 - memory)
        rows = panel.take([entity]).between(np.array([first - begin]), np.array([row + 1 + model.horizon_ - begin]))
        past = int(row + 1 - first)
        rows = rows.pad(past + model.horizon_ - rows.rows)
        target = rows.target.astype("float64")
        target[past:] = np.nan
        rows = replace(rows, target=target)
        end = {"target": target[:past, [channel]], "past": rows.past[:past], "known": rows.known, "static": rows.static}
        start = {name: _at_mean(part, getattr(model.scaler_, name)) for name, part in end.items() if name != "target"}
        own = end["target"]
        observed = own[~np.isnan(own)]
        level = forward_fill(own[:, 0])[-1] if baseline == "last" else observed.sum() / max(len(observed), 1)
        start["target"] = np.where(np.isnan(own), np.nan, level)
        return cls(rows, channel, past, start, end, _inputs(model.schema_, start, end))

    def explain(self, model, steps: np.ndarray) -> tuple[dict[str, np.ndarray], np.ndarray, int]:
        """Return contributions by role (S, rows, columns), forecasts at both ends (2, S), and the number of orders."""
        rng, order = np.random.default_rng(0), np.arange(len(self.inputs))
        ends, first = self._along(model, order, steps)
        changes = [first, self._along(model, order[::-1], steps)[1]]
        if np.abs(first - changes[1]).max(initial=0.0) > LINEAR * np.abs(first).max(initial=0.0):
            for _ in range(MORE_ORDERS):
                order = rng.permutation(len(order))
                changes += [self._along(model, each, steps)[1] for each in (order, order[::-1])]
        parts = {role: np.zeros((len(steps), *part.shape)) for role, part in self.end.items()}
        for (role, columns, rows), change in zip(self.inputs, np.mean(changes, axis=0), strict=True):
            moved = (
                np.flatnonzero(_differs(self.start[role], self.end[role])[rows][:, columns].any(axis=1)) + rows.start
            )
            parts[role][:, moved, columns[0]] = change[:, None] / len(moved)
        return parts, ends, len(changes)

    def _along(self, model, order, steps) -> tuple[np.ndarray, np.ndarray]:
        """Return the forecasts at both ends (2, S), and the changes (inputs, S) as inputs are replaced in an order."""
        rank = np.argsort(order)
        ranks = {role: np.zeros(part.shape, dtype="int64") for role, part in self.end.items()}
        for place, (role, columns, rows) in zip(rank, self.inputs, strict=True):
            ranks[role][rows, columns] = place
        at_once = max(1, MAX_CELLS // max(self.rows.rows * (self.rows.channels + self.rows.known.shape[1]), 1))
        found = []
        for low in range(0, len(order) + 1, at_once):
            number = np.arange(low, min(low + at_once, len(order) + 1))[:, None, None]
            copies = {role: np.where(ranks[role] < number, self.end[role], self.start[role]) for role in self.end}
            found.append(self._forecast(model, copies)[:, steps])
        forecasts = np.concatenate(found)
        return forecasts[[0, -1]], np.diff(forecasts, axis=0)[rank]

    def _forecast(self, model, copies) -> np.ndarray:
        """Return point forecasts (copies, horizon) of the window with other inputs (copies, rows, columns) by role."""
        rows, count = self.rows, len(copies["target"])
        target, past = (np.repeat(part[None], count, axis=0) for part in (rows.target, rows.past))
        target[:, : self.past, self.channel] = copies["target"][..., 0]
        past[:, : self.past] = copies["past"]
        parts = {"target": target, "past": past, "known": copies["known"]}
        panel = replace(
            rows,
            ids=rows.ids * count,
            start=np.repeat(rows.start, count),
            indptr=pointers(np.full(count, rows.rows)),
            static=copies["static"][:, 0],
            earlier=None if rows.earlier is None else rows.earlier.take(np.zeros(count, dtype="int64")),
            **{role: part.reshape(count * rows.rows, -1) for role, part in parts.items()},
        )
        origins = Origins(np.arange(count), panel.indptr[:-1] + self.past - 1, np.full(count, self.channel))
        return model._forecast(panel, origins).point()


def _at_mean(values, moments) -> np.ndarray:
    """Return covariates at their means over the training rows; codes of categories and missing values stay."""
    mean, out = moments.center[0], values.copy()
    out[:, : len(mean)] = np.where(np.isnan(values[:, : len(mean)]), np.nan, mean)
    return out


def _inputs(schema, start, end) -> list[tuple[str, np.ndarray, slice]]:
    """Return role, columns and rows of the inputs that differ from the baseline; the columns of a category together."""
    names = {**column_names(schema, ()), "target": ["target"]}
    columns = [(role, np.flatnonzero(mask)) for role in end for mask in group_columns(names[role])[1].T]
    size = max(1, -(-sum(len(end[role]) for role, _ in columns) // MAX_INPUTS))
    places = [(role, own, slice(low, low + size)) for role, own in columns for low in range(0, len(end[role]), size)]
    differs = {role: _differs(start[role], end[role]) for role in end}
    return [(role, own, rows) for role, own, rows in places if differs[role][rows][:, own].any()]


def _differs(start, end):
    return (start != end) & ~np.isnan(end)
