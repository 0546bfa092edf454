"""What the tests of tuning share: a quick forecaster that can get into every kind of trouble."""

import os
import signal
import time
from dataclasses import dataclass

import numpy as np

import forecastkit as fk
from forecastkit.uncertainty.forecasts import PointForecast
from forecastkit.utils.exceptions import InputError


@dataclass(kw_only=True, eq=False, repr=False)
class TroubledForecaster(fk.LinearForecaster):
    """The linear forecaster, with a bias, and a trouble by name."""

    bias: float = 1.0
    trouble: str = "none"
    random_state: object = None

    def _fit(self, context):
        if self.trouble == "diverge":
            raise InputError("Troubled: the loss must be a number, got nan.")
        if self.trouble == "bug":
            raise KeyError("a bug")
        if self.trouble == "memory":
            raise MemoryError("no more")
        if self.trouble == "killed":
            os.kill(os.getpid(), signal.SIGKILL)
        if self.trouble.startswith("sleep"):
            time.sleep(float(self.trouble.removeprefix("sleep")))
        if self.trouble == "interrupt":
            raise KeyboardInterrupt
        super()._fit(context)

    def _forecast(self, panel, origins):
        points = super()._forecast(panel, origins).point() + self.bias
        return PointForecast(points * np.nan if self.trouble == "nan" else points)
