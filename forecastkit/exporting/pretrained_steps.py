"""The pre-trained forecaster as a graph: its NumPy code, recorded, and the steps of every exported forecaster."""

import numpy as np

from forecastkit.exporting.recorded import Recorded
from forecastkit.exporting.steps import Steps
from forecastkit.pretrained.candidates import Context
from forecastkit.pretrained.forward import forward
from forecastkit.pretrained.inputs import PLACES, context_width, make_inputs, trial_length


class PretrainedSteps(Steps):
    """Steps from raw windows to forecasts that need no TensorFlow network."""

    def __init__(self, t, forecaster, constants, inputs, exact="float64"):
        super().__init__(t, forecaster, constants, inputs, exact)
        self.forecaster = forecaster

    def all_forecasts(self) -> dict:
        """Return points and quantiles by name, as `Steps.forecasts`."""
        forecaster, windows = self.forecaster, self._rows(self.target)
        with np.errstate(all="ignore"):
            context = Context(self._latest(windows), forecaster.season_length_, forecaster.second_season_)
            inputs = make_inputs(context, self.horizon, self._regressed(windows))
            outputs = forward(forecaster.network_weights(), inputs.of_both_signs())
            found = inputs.mean_of_both_signs(outputs).astype(self.exact)
        values = self.t("Reshape", found.value, np.array([-1, self.channels, *found.shape[1:]], "int32"))
        return self.finished(self._with_effects(values))

    def _rows(self, values):
        """Return windows (batch, C, steps) as recorded rows (batch * C, steps)."""
        return self._recorded(self.t("Reshape", values, np.array([-1, self.lookback], "int32")))

    def _recorded(self, value):
        return Recorded(self.t, value, self.exact)

    def _moments(self):
        """Center, divisor and scale (batch * C, 1) of the windows' series; (1, 1) for a single one."""
        tables = self.constants.center, self.constants.divisor, self.constants.scale
        if self.series == self.channels == 1:
            return [table.astype(self.exact) for table in tables]
        zeros = np.zeros_like(self._recorded(self.target)[:, :, 0])  # one for each window
        found = [self.by_series(table) for table in tables]
        found = [self._recorded(table) if self.series > 1 else table for table in found]
        return [(zeros + table).reshape(-1, 1) for table in found]

    def _latest(self, windows):
        """Return the latest values without the effects of covariates."""
        width = context_width(self.forecaster.season_length_, self.forecaster.second_season_)
        for effect in self._effects(slice(None, self.lookback)):
            windows = windows - self._rows(effect).astype(self.exact) * self._moments()[2]
        return windows[:, -width:]

    def _regressed(self, windows):
        """Linear forecasts from the end of the window and from the earlier origins, (batch * C, steps) each."""
        ridge = self.forecaster.ridge_
        if ridge is None:
            return None
        center, divisor, scale = self._moments()
        length, lookback = trial_length(self.forecaster.season_length_), len(ridge.weights)
        scaled, begun = (windows - center) / divisor, (~np.isnan(windows)).astype("int64")
        for effect in self._effects(slice(None, self.lookback)):
            scaled = scaled - self._rows(effect).astype(self.exact)
        found = []
        for place in range(PLACES + 1):
            stop = self.lookback - place * length
            part = scaled[:, stop - lookback : stop]
            filled = Context(part, 1).filled
            last = filled[:, -1:]
            values = ((filled - last) @ ridge.weights.astype(self.exact) + last) * scale + center
            usable = begun[:, : stop - 1].max(1)[:, None] > 0  # two rows of the series at least
            found.append(np.where(usable, values, np.nan))
        return found

    def _with_effects(self, values):
        """Return forecasts (batch, C, steps, levels) with the effects of future covariates."""
        t = self.t
        for effect in self._effects(slice(self.lookback, None)):
            effect = t("ExpandDims", t("Cast", effect, DstT=self.exact), np.int32(3))
            values = t("AddV2", values, t("Mul", effect, self.by_series(self.constants.scale, 2)))
        return values
