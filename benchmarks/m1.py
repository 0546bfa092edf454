"""M1 monthly: 617 series, the official split, horizon 18, one global model each: mean MASE and mean sMAPE.

Choices were made on the block `validation`, the last 18 training months of every series; the block `test` is the
official one. Values are forecast as their square roots, whose seasons hardly grow with the level. One JSON line is
appended per model, seed and block; those there are not run again. The table of all lines is printed at the end.
"""

import time
from pathlib import Path

import blocks
import numpy as np
import pandas as pd

HORIZON, SEASON = 18, 12
NETWORK = {"lookback": 72, "patch": 12, "normalization": "standard"}
#: Name: class and parameters. What is not said is the library's default.
MODELS = {
    "seasonal_naive": ("SeasonalNaiveForecaster", {}),
    "linear": ("LinearForecaster", {"lookback": 72}),
    "tabular": ("TabularForecaster", {"lookback": 72}),
    "gru": ("GRUForecaster", NETWORK),
    "lstm_transformer": ("LSTMTransformerForecaster", NETWORK),
}


def read(path: Path, block: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The rows to learn from, and the 18 rows of every series to forecast; columns id, ds, y."""
    frame = pd.read_csv(path, dtype={"id": str})
    frame["ds"] = pd.to_datetime(frame["ds"], format="%Y-%m")
    train, test = (frame.loc[frame["split"] == split, ["id", "ds", "y"]] for split in ("train", "test"))
    if block == "test":
        return train, test
    held_out = train.groupby("id").cumcount(ascending=False) < HORIZON
    return train[~held_out], train[held_out]


def task_of(train: pd.DataFrame, test: pd.DataFrame) -> blocks.Task:
    """Fit on all series at once and forecast each; averages are of the square roots of the forecasts."""
    import forecastkit as fk

    def measure(name, seed, changes):
        kind, parameters = MODELS[name]
        seeded = {} if seed is None else {"random_state": seed}
        common = {"horizon": HORIZON, "series_id": "id", "time": "ds", "target": "y"}
        model = getattr(fk, kind)(**common, **{**parameters, **changes}, **seeded)
        began = time.perf_counter()
        model.fit(train.assign(y=np.sqrt(train["y"])))
        long = model.forecast(quantile_levels=[]).set_index(["id", "ds"])["forecast"]
        seconds = time.perf_counter() - began
        return np.maximum(long.reindex(pd.MultiIndex.from_frame(test[["id", "ds"]])).to_numpy(), 0), seconds

    return blocks.Task(measure, lambda forecast: errors_of(train, test, forecast**2))


def errors_of(train: pd.DataFrame, test: pd.DataFrame, forecast: np.ndarray) -> dict:
    """Mean over series of MASE (seasonal naive within the training rows) and of sMAPE, in percent."""
    from forecastkit import metrics

    mase, smape = [], []
    history = dict(list(train.groupby("id", sort=False)["y"]))
    for name, rows in test.assign(forecast=forecast).groupby("id", sort=False):
        past = history[name].to_numpy()
        scale = metrics.seasonal_scale(past, SEASON if len(past) > SEASON else 1)
        mase.append(metrics.mase(rows["y"], rows["forecast"], scale))
        smape.append(metrics.smape(rows["y"], rows["forecast"]))
    return {"mase": round(float(np.mean(mase)), 4), "smape": round(float(np.mean(smape)), 3), "series": len(mase)}


def main(argv=None) -> None:
    args = blocks.arguments(__doc__, argv)
    blocks.run(task_of(*read(args.csv, args.block)), args, ["mase", "smape"])


if __name__ == "__main__":
    blocks.use_checkout()
    main()
