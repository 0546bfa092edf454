"""The steps before and after the network: from raw windows to its inputs, and from its output to forecasts.

They are written by names of TensorFlow's operations, which `t` evaluates: it writes ONNX, or calls TensorFlow.
"""

from typing import Any

import numpy as np

from forecastkit.exporting.constants import Constants
from forecastkit.uncertainty.residuals import interpolate_levels


def raw_inputs(forecaster, exact: str) -> dict[str, tuple[tuple, str]]:
    """Return the shape without the batch axis, and the data type, of each input of the exported graph."""
    panel, lookback, inputs = forecaster.history_, window_length(forecaster), {}
    if hasattr(forecaster, "network_"):
        for name, (shape, dtype) in forecaster.network_.sizes.inputs.items():
            if name not in ("unit", "series"):
                inputs[name] = shape, exact if dtype == "float32" else "int64"
    steps, several = lookback + forecaster.horizon_, () if panel.channels == 1 else (panel.channels,)
    inputs["target"] = (lookback, *several), exact
    known, calendar = forecaster.scaler_.known.center.shape[1], len(forecaster.scaler_.calendar)
    if known:
        inputs["known"] = (steps, known), exact
    if calendar:
        inputs["calendar"] = (steps, calendar), exact
    return {**inputs, **({"series": ((), "int64")} if len(panel.ids) > 1 else {})}


def window_length(forecaster) -> int:
    """Return the number of values of the window that a graph takes."""
    return forecaster.lookback_ if hasattr(forecaster, "network_") else forecaster._memory(forecaster.history_)


class Steps:
    """Steps of one forecaster on raw inputs of the data type `exact`.

    An operation is evaluated by ``t(name, *values, **attributes)``.
    """

    def __init__(self, t: Any, forecaster, constants: Constants, inputs: dict, exact: str = "float64"):
        self.t, self.constants, self.inputs, self.exact = t, constants, inputs, exact
        self.scaler, self.trained = forecaster.scaler_, forecaster.trained_levels_
        self.lookback, self.horizon = window_length(forecaster), forecaster.horizon_
        if hasattr(forecaster, "network_"):
            self.sizes, self.outputs = forecaster.network_.sizes, forecaster.network_.head.outputs
        self.series, self.channels = len(forecaster.history_.ids), forecaster.history_.channels
        self.known = self._known()
        target = inputs["target"]
        if self.channels == 1:
            self.target = self._forward(t("ExpandDims", target, np.int32(1)))
        else:
            self.target = self._forward(t("Transpose", target, np.array([0, 2, 1], "int32")))

    # -------------------------------------------------------------------------------------- helpers

    def by_series(self, table: np.ndarray, axes: int = 0) -> Any:
        """The rows (batch, C, ...) of a table (E, C, ...) for the series of the windows, with more axes at the end."""
        table = np.asarray(table, self.exact if table.dtype.kind == "f" else table.dtype)
        table = table.reshape(*table.shape, *[1] * axes)
        return table[:1] if self.series == 1 else self.t("GatherV2", table, self.inputs["series"], np.int32(0))

    def _single(self, value):
        return self.t("Cast", value, DstT="float32")

    def _without_missing(self, values):
        return self.t("SelectV2", self.t("IsNan", values), np.zeros((), self.exact), values)

    def _scaled(self, values, moments):
        center, scale = (part[0].astype(self.exact) for part in (moments.center, moments.scale))
        divisor = np.where(scale == 0, np.inf, scale).astype(self.exact)
        return self.t("RealDiv", self.t("Sub", values, center), divisor)

    def _known(self):
        """Scaled future covariates without missing values, (batch, lookback + horizon, features)."""
        if not self.scaler.known.center.shape[1]:
            return None
        return self._single(self._without_missing(self._scaled(self.inputs["known"], self.scaler.known)))

    def _forward(self, values):
        """Return transformed target values; NaN outside the domain of the transform."""
        t, name = self.t, self.scaler.transform
        if name is None:
            return values
        inside = t("Maximum", values, np.array(np.nextafter(0.0, 1.0) if name == "log" else 0.0, self.exact))
        done = t({"sqrt": "Sqrt", "log1p": "Log1p", "log": "Log"}[name], inside)
        outside = t("LessEqual" if name == "log" else "Less", values, np.zeros((), self.exact))
        return t("SelectV2", t("LogicalOr", outside, t("IsNan", values)), np.array(np.nan, self.exact), done)

    def _backward(self, values):
        name, zero = self.scaler.transform, np.zeros((), self.exact)
        if name is None:
            return values
        if name == "log":
            return self.t("Exp", values)
        return self.t({"sqrt": "Square", "log1p": "Expm1"}[name], self.t("Maximum", values, zero))

    def _clipped_forward(self, values):
        """Return transformed values, clipped to the domain of the transform first."""
        name = self.scaler.transform
        edge = np.nextafter(0.0, 1.0) if name == "log" else 0.0
        return values if name is None else self._forward(self.t("Maximum", values, np.array(edge, self.exact)))

    def _effects(self, places: slice):
        """What is subtracted from the targets at these steps, (batch, C, steps), in single precision."""
        rows, t, found = np.arange(self.lookback + self.horizon)[places].astype("int32"), self.t, []
        if self.scaler.effect.any():
            found.append((self.known, self.scaler.effect))
        if self.scaler.calendar_effect is not None:
            found.append((self._single(self.inputs["calendar"]), self.scaler.calendar_effect))
        parts = [t("MatMul", t("GatherV2", values, rows, np.int32(1)), effect.astype("float32"))
                 for values, effect in found]  # fmt: skip
        return [t("Transpose", part, np.array([0, 2, 1], "int32")) for part in parts]

    def _filled(self, windows, steps):
        """Windows (batch, C, steps) with each missing value replaced by the last observed, or the first, one."""
        t, missing = self.t, self.t("IsNan", windows)
        place = np.arange(steps, dtype="int32")
        last, gap = t("SelectV2", missing, np.zeros(steps, "int32"), place), 1
        while gap < steps:  # a running maximum, over twice as many steps in each pass
            earlier = t("GatherV2", last, np.maximum(place - gap, 0), np.int32(2))
            last, gap = t("Maximum", last, earlier), 2 * gap
        first = t("Min", t("SelectV2", missing, np.full(steps, steps - 1, "int32"), place), np.int32(2), keep_dims=True)
        flat = np.array([-1, steps], "int32")
        found = t("GatherV2", t("Reshape", windows, flat), t("Reshape", t("Maximum", last, first), flat), np.int32(1),
                  batch_dims=1)  # fmt: skip
        return t("Reshape", found, np.array([-1, self.channels, steps], "int32"))

    # -------------------------------------------------------------------------------------- before

    def network_inputs(self) -> dict[str, Any]:
        """Return the inputs of the network."""
        given = {"target": self._network_target(), **self._covariates()}
        lookback, together = self.lookback, self.sizes.channels
        if not together:
            given["target"] = self.t("Reshape", given["target"], np.array([-1, lookback], "int32"))
            given = {name: value if name == "target" else self._repeated(value) for name, value in given.items()}
        if self.sizes.series:
            number = (np.arange(self.series)[:, None] + 1) * self.channels + np.arange(self.channels)
            given["series"] = self._of_windows(number.astype("int32"))
        if self.sizes.unit:
            given["unit"] = self._single(self._of_windows(self.constants.unit))
        return given

    def _of_windows(self, table):
        """Return the values of each series for the windows of the network."""
        t = self.t
        if self.series == 1:  # one row for every window of the batch
            batch = t("GatherV2", t("Shape", self.inputs["target"]), np.int32(0), np.int32(0))
            rows = t("Tile", table, t("Pack", batch, np.int32(1)))
        else:
            rows = t("GatherV2", table, self.inputs["series"], np.int32(0))
        return rows if self.sizes.channels else t("Reshape", rows, np.array([-1], "int32"))

    def _repeated(self, values):
        """Return the covariates of each window, repeated for each of its targets."""
        if self.channels == 1:
            return values
        t, shape = self.t, self._shapes[id(values)]
        wide = t("Tile", t("ExpandDims", values, np.int32(1)), np.array([1, self.channels, *[1] * len(shape)], "int32"))
        return t("Reshape", wide, np.array([-1, *shape], "int32"))

    def _network_target(self):
        t, constants = self.t, self.constants
        center, divisor = (self.by_series(table, 1) for table in (constants.center, constants.divisor))
        scaled = t("RealDiv", t("Sub", self.target, center), divisor)
        scaled = self._single(scaled)
        for effect in self._effects(slice(None, self.lookback)):
            scaled = t("Sub", scaled, effect)
        if self.sizes.masked:
            return scaled
        filled = self._filled(scaled, self.lookback)
        return t("SelectV2", t("IsNan", filled), np.float32(0), filled)

    def _covariates(self):
        found, self._shapes = {}, {}
        if self.sizes.past:
            found["past"] = self._single(self._scaled(self.inputs["past"], self.scaler.past))
        if self.sizes.known:
            found["known"] = self.known
        if self.sizes.calendar:
            found["calendar"] = self._single(self.inputs["calendar"])
        if self.sizes.static:
            found["static"] = self._single(
                self._without_missing(self._scaled(self.inputs["static"], self.scaler.static))
            )
        for role, met in self.scaler.met.items():
            found[f"{role}_codes"] = self._codes(role, met)
        shapes = self.sizes.inputs
        self._shapes = {id(value): shapes[name][0] for name, value in found.items()}
        return found

    def _codes(self, role, met):
        """Return codes of categories; 0 for categories that did not occur in training."""
        t, columns, codes = self.t, [], self.inputs[f"{role}_codes"]
        for place, known in enumerate(met):
            column = t("GatherV2", codes, np.int32(place), np.int32(-1))
            columns.append(
                t("GatherV2", np.where(known, np.arange(len(known)), 0).astype("int32"), column, np.int32(0))
            )
        return t("Pack", *columns, axis=1 if role == "static" else 2)

    # -------------------------------------------------------------------------------------- after

    def forecasts(self, output: Any) -> dict[str, Any]:
        """Points (batch, horizon[, C]) and quantiles (batch, horizon[, C], levels) from the network's output."""
        t = self.t
        shape = np.array([-1, self.channels, self.horizon, self.outputs], "int32")
        values = t("Cast", t("Reshape", output, shape), DstT=self.exact)
        for effect in self._effects(slice(self.lookback, None)):
            effect = t("ExpandDims", t("Cast", effect, DstT=self.exact), np.int32(3))
            values = t("AddV2", values, effect)
        center, scale = self._restoring()
        return self.finished(self._backward(t("AddV2", t("Mul", values, scale), center)))

    def finished(self, values: Any) -> dict[str, Any]:
        """Points and quantiles from the outputs (batch, C, horizon, outputs) in the units of the data."""
        point, quantiles = self._point_and_quantiles(values)
        found = {"forecast": self._bounded(point, 1)}
        if quantiles is not None:
            found["quantiles"] = self._bounded(quantiles, 2)
        return {name: self._channels_last(value, name == "quantiles") for name, value in found.items()}

    def _restoring(self):
        """Center and scale (batch, C, 1, 1); the last value and 0 for series that were constant in training."""
        t, constants = self.t, self.constants
        center, scale = (self.by_series(table, 2) for table in (constants.center, constants.scale))
        if not constants.constant.any():
            return center, scale
        steps = self.lookback
        last = t("GatherV2", self._filled(self.target, steps), np.array([steps - 1], "int32"), np.int32(2))
        last = t("ExpandDims", last, np.int32(3))
        usable = t("LogicalAnd", self.by_series(constants.constant, 2), t("LogicalNot", t("IsNan", last)))
        return t("SelectV2", usable, last, center), scale

    def _point_and_quantiles(self, values):
        t, constants, horizon_axis = self.t, self.constants, np.int32(3)
        levels, trained = constants.levels, self.trained
        if trained is None:
            point = t("GatherV2", values, np.int32(0), horizon_axis)
            if not levels:
                return point, None
            quantiles = self._shifted(t("GatherV2", values, np.array([0], "int32"), horizon_axis), constants.residuals)
        else:
            values = t("Sort", values)
            nearest = min(max(0.5, trained[0]), trained[-1])
            point = t("GatherV2", self._interpolated(values, (nearest,)), np.int32(0), horizon_axis)
            quantiles = self._interpolated(values, levels)
        if constants.corrections is not None:
            quantiles = t("Sort", self._shifted(quantiles, constants.corrections))
        return point, quantiles

    def _interpolated(self, values, levels):
        """Quantiles at levels between the trained ones: each is a mean of two."""
        trained = np.array(self.trained)
        weights = interpolate_levels(np.eye(len(trained)), trained, np.array(levels))
        return self.t("MatMul", values, weights.astype(self.exact))

    def _shifted(self, values, residuals):
        """Values with residuals (E, C, horizon, levels) added in the transformed space."""
        return self._backward(self.t("AddV2", self._clipped_forward(values), self.by_series(residuals)))

    def _bounded(self, values, axes):
        t, constants = self.t, self.constants
        for operation, bound in (("Maximum", constants.lower), ("Minimum", constants.upper)):
            if np.isfinite(bound).any():
                values = t(operation, values, self.by_series(bound, axes))
        return values

    def _channels_last(self, values, quantiles):
        t, horizon, levels = self.t, self.horizon, len(self.constants.levels)
        if self.channels == 1:
            return t("Reshape", values, np.array([-1, horizon, *([levels] if quantiles else [])], "int32"))
        return t("Transpose", values, np.array([0, 2, 1, *([3] if quantiles else [])], "int32"))
