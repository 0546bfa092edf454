"""Bike sharing by the hour: the next day forecast at every midnight of sixty days, weather and calendar known ahead.

Choices were made on the block `validation`, the sixty days before the last sixty; the block `test` is the last sixty.
A model is fitted once on all rows before its block and then only told newer rows. One JSON line is appended per model,
seed and block; those there are not run again. The table of all lines is printed at the end.
"""

import time
from pathlib import Path

import blocks
import numpy as np
import pandas as pd

KNOWN = ["temp", "atemp", "hum", "windspeed", "weathersit", "holiday", "workingday"]
DAY, DAYS, HORIZON = pd.Timedelta("1D"), 60, 24
#: The noise of square roots of counts hardly depends on their size.
ROOTS = {"target_transform": "sqrt"}
NETWORK = {"lookback": 336, "patch": 24, "calendar": True, "epochs": 8, "windows_per_epoch": 25_600, **ROOTS}
#: Name: class, parameters. What is not said is the library's default.
MODELS = {
    "seasonal_naive": ("SeasonalNaiveForecaster", {"season_length": 168}),
    "linear": ("LinearForecaster", {"lookback": 336, **ROOTS}),
    "tabular": ("TabularForecaster", {"lookback": 672}),
    "tabular_sqrt": ("TabularForecaster", {"lookback": 672, **ROOTS}),
    "gru": ("GRUForecaster", NETWORK),
    "lstm_transformer": ("LSTMTransformerForecaster", NETWORK),
    "gru_as_is": ("GRUForecaster", {}),
    "gru_tuned": ("TunedForecaster", {"time_limit": 1200, "verbose": 1}),
}


def read(path: Path) -> pd.DataFrame:
    """Counts and what is known ahead, by the hour; absent hours stay absent."""
    frame = pd.read_csv(path, parse_dates=["datetime"]).set_index("datetime")
    return frame[["cnt", *KNOWN]].astype("float64")


def block_of(frame: pd.DataFrame, block: str, days: int = DAYS) -> tuple[pd.DataFrame, pd.Timestamp]:
    """The rows up to the end of the block, and its first midnight."""
    end = frame.index[-1].normalize() + DAY
    if block == "validation":
        end -= days * DAY
    return frame[frame.index < end], end - days * DAY


def task_of(frame: pd.DataFrame, start: pd.Timestamp) -> blocks.Task:
    """Fit before `start`, forecast every day from it; averages are of the square roots of the forecasts."""
    import forecastkit as fk

    actual = frame["cnt"].reindex(pd.date_range(start, frame.index[-1].normalize() + DAY, freq="h", inclusive="left"))

    def measure(name, seed, changes):
        kind, parameters = MODELS[name]
        seeded = {} if seed is None else {"random_state": seed}
        common = {"horizon": HORIZON, "target": "cnt", "known": KNOWN, "validation_size": 30 * HORIZON}
        searched = [fk.GRUForecaster()] if kind == "TunedForecaster" else []
        model = getattr(fk, kind)(*searched, **common, **{**parameters, **changes}, **seeded)
        began = time.perf_counter()
        model.fit(frame[frame.index < start])
        seconds = time.perf_counter() - began
        long = fk.backtest(model, frame, start=start, stride=HORIZON).forecasts.set_index("datetime")["forecast"]
        return np.sqrt(np.maximum(long.reindex(actual.index).to_numpy(), 0)), seconds

    def score(forecast):
        error = np.abs(forecast**2 - actual.to_numpy())
        hours = int((~np.isnan(error)).sum())
        return {"mae": round(float(np.nanmean(error)), 3), "hours": hours, "days": len(error) // HORIZON}

    return blocks.Task(measure, score)


def main(argv=None) -> None:
    args = blocks.arguments(__doc__, argv)
    blocks.run(task_of(*block_of(read(args.csv), args.block)), args, ["mae"])


if __name__ == "__main__":
    blocks.use_checkout()
    main()
