"""The library as a user's program calls it, for mypy: it is checked and never run.

Lines that are wrong carry the error that mypy must find; an unused ``type: ignore`` is an error too.
"""

import numpy as np
import pandas as pd

import forecastkit as fk

model: fk.GRUForecaster = fk.GRUForecaster(horizon=12, units=8, quantile_levels=[0.1, 0.9], known="temp")
model = model.fit(np.ones(9)).update(np.ones(3))
backtest: fk.Backtest = fk.backtest(model, pd.DataFrame(), start="2024-01-01", refit=True)
score: float = model.score(np.ones(9))
linear = fk.LinearForecaster(fourier={24.0: 3}, calibrate="rolling")
ensemble = fk.EnsembleForecaster(forecasters=[model, linear], weights=[0.5, 0.5])
tuned = fk.TunedForecaster(model, {"units": [8, 16]}, time_limit="2m")
network: fk.Backbone = fk.backbones.find("gru")()
custom = fk.KerasForecaster(backbone=network)
error = fk.metrics.mase([1.0], [2.0], 1.0)
figure = fk.plots.plot_forecast(pd.DataFrame())
forecast = fk.load("model.forecast").update(np.ones(3)).predict()
later: fk.Backtest = fk.backtest(model, pd.DataFrame(), gap=1, quantile_levels=[0.1, 0.9], verbose=print)
table = fk.compare([model, "gru"], pd.DataFrame(), horizon=3)

fk.GRUForecaster(horizn=12)  # type: ignore[call-arg]
fk.GRUForecaster(horizon="twelve")  # type: ignore[arg-type]
fk.load(12)  # type: ignore[arg-type]
fk.compare(models=3, X=pd.DataFrame())  # type: ignore[arg-type]
fk.backtest(model, pd.DataFrame(), gpa=1)  # type: ignore[call-arg]
fk.tune(model, pd.DataFrame(), n_jobs="all")  # type: ignore[arg-type]
fk.GRUForcaster  # type: ignore[attr-defined] # noqa: B018
fk.metrics.mean_error  # type: ignore[attr-defined]  # noqa: B018
