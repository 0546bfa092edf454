"""One contender of speed.py in a process of its own: ``python contenders.py ours gru 100000`` prints a JSON line.

Only the standard library is imported up here, so that a contender's environment need not have the others' packages.
All train on the first 8,640 rows and seven columns of ETTh1, each column a series: 96 values in, 24 out.
"""

import json
import logging
import os
import resource
import sys
import time
import warnings
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ROWS, LOOKBACK, HORIZON, BATCH, UNITS = 8640, 96, 24, 256, 64
PEERS = ("torch", "neuralforecast", "darts", "skforecast")
PACKAGES = ("keras", "tensorflow", "tensorflow-cpu", "numpy", "pandas", *PEERS)
TRANSFORMER = {"patch": 16, "layers": 2, "heads": 4, "feedforward": 128}


def standardised():
    """The training rows, each column with mean 0 and deviation 1."""
    import pandas as pd

    frame = pd.read_csv(ROOT / "datasets" / "ETTh1.csv", parse_dates=["date"], index_col="date")[:ROWS]
    return (frame - frame.mean()) / frame.std()


class Stopwatch:
    """When training was called, and when each of its parts had ended with how many windows done."""

    def start(self):
        self.imported, self.parts, self.began = peak(), [], time.perf_counter()

    def mark(self, windows: int):
        self.parts.append((time.perf_counter(), windows))

    def report(self, windows: int) -> dict:
        """Windows per second of the whole call, those of all parts but the first, and what all else cost beside them.

        Called as soon as training has returned.
        """
        seconds = time.perf_counter() - self.began
        (first, early), (last, late) = self.parts[0], self.parts[-1]
        steady = (late - early) / (last - first)
        return {
            "windows": windows,
            "seconds": seconds,
            "windows_per_second": windows / seconds,
            "steady_windows_per_second": steady,
            "start_seconds": seconds - windows / steady,
            "imported": self.imported,
        }


def ours(model: str, windows: int) -> dict:
    """This library, through `fit`: everything that it does is in the time, calibration and scores included."""
    import keras

    import forecastkit as fk

    per_epoch = windows // 2 // BATCH * BATCH
    watch = Stopwatch()

    class Marks(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            watch.mark((epoch + 1) * per_epoch)

    classes = {"gru": fk.GRUForecaster, "lstm": fk.LSTMForecaster, "transformer": fk.TransformerForecaster}
    size = {"patch": 1, "units": UNITS} if model != "transformer" else {"units": UNITS, **TRANSFORMER}
    forecaster = classes[model](
        horizon=HORIZON,
        lookback=LOOKBACK,
        batch_size=BATCH,
        epochs=2,
        windows_per_epoch=per_epoch,
        validation_size=0.02,
        random_state=0,
        callbacks=[Marks()],
        **size,
    )
    data = standardised()
    watch.start()
    forecaster.fit(data)
    return {**watch.report(2 * per_epoch), "weights": forecaster.model_.count_params()}


def count(series: int) -> int:
    """Windows of so many columns."""
    return series * (ROWS - LOOKBACK - HORIZON + 1)


def plain_keras(model: str, windows: int) -> dict:
    """What the Keras guides teach: `timeseries_dataset_from_array`, `compile` and `fit` with their defaults."""
    import keras

    data = standardised().to_numpy("float32")
    dataset, per_epoch = keras_windows(data)
    network = keras_transformer() if model == "transformer" else keras_recurrent(model)
    network.compile(optimizer="adam", loss="mae")
    epochs = max(2, round(windows / per_epoch))
    watch = Stopwatch()
    marks = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: watch.mark((epoch + 1) * per_epoch))
    watch.start()
    network.fit(dataset, epochs=epochs, verbose=0, callbacks=[marks])
    return {**watch.report(epochs * per_epoch), "weights": network.count_params()}


def keras_windows(data):
    """Windows of every column in one dataset, and how many there are."""
    import functools

    import keras
    import numpy as np

    columns = []
    for column in data.T:
        targets = np.lib.stride_tricks.sliding_window_view(column, HORIZON)[LOOKBACK:]
        columns.append(
            keras.utils.timeseries_dataset_from_array(
                column[:-HORIZON, None], targets, sequence_length=LOOKBACK, batch_size=BATCH, shuffle=True
            )
        )
    windows = data.shape[1] * (len(data) - LOOKBACK - HORIZON + 1)
    return functools.reduce(lambda one, other: one.concatenate(other), columns), windows


def keras_recurrent(model: str):
    import keras
    from keras import layers

    cell = {"gru": layers.GRU, "lstm": layers.LSTM}[model]
    return keras.Sequential(
        [keras.Input((LOOKBACK, 1)), layers.Dense(UNITS, activation="relu"), cell(UNITS), layers.Dense(HORIZON)]
    )


def keras_transformer():
    import keras
    from keras import layers

    tokens = LOOKBACK // TRANSFORMER["patch"]
    inputs = keras.Input((LOOKBACK, 1))
    x = layers.Dense(UNITS)(layers.Reshape((tokens, TRANSFORMER["patch"]))(inputs))
    x = x + layers.Embedding(tokens, UNITS)(keras.ops.arange(tokens))
    for _ in range(TRANSFORMER["layers"]):
        y = layers.LayerNormalization()(x)
        x = x + layers.MultiHeadAttention(TRANSFORMER["heads"], UNITS // TRANSFORMER["heads"])(y, y)
        y = layers.Dense(TRANSFORMER["feedforward"], activation="gelu")(layers.LayerNormalization()(x))
        x = x + layers.Dense(UNITS)(y)
    outputs = layers.Dense(HORIZON)(layers.Flatten()(layers.LayerNormalization()(x)))
    return keras.Model(inputs, outputs)


def neuralforecast(model: str, windows: int) -> dict:
    """neuralforecast's GRU, LSTM or PatchTST of the same size."""
    warnings.filterwarnings("ignore")
    logging.getLogger("pytorch_lightning").setLevel(logging.ERROR)
    from neuralforecast import NeuralForecast

    steps = windows // BATCH
    watch = Stopwatch()
    network = neuralforecast_model(model, steps, lightning_marks(watch, steps))
    wide = standardised().reset_index()
    data = wide.melt("date", var_name="unique_id", value_name="y").rename(columns={"date": "ds"})
    watch.start()
    NeuralForecast(models=[network], freq="h").fit(data)
    report = watch.report(steps * BATCH)
    return {**report, "weights": sum(values.numel() for values in network.parameters())}


def neuralforecast_model(model, steps, callback):
    from neuralforecast import models
    from neuralforecast.losses.pytorch import MAE

    common = {
        "h": HORIZON,
        "input_size": LOOKBACK,
        "max_steps": steps,
        "batch_size": 7,
        "windows_batch_size": BATCH,
        "loss": MAE(),
        "scaler_type": "identity",
        "accelerator": "cpu",
        "callbacks": [callback],
        "logger": False,
        "enable_progress_bar": False,
        "enable_checkpointing": False,
        "enable_model_summary": False,
    }
    if model == "transformer":
        return models.PatchTST(
            hidden_size=UNITS,
            linear_hidden_size=TRANSFORMER["feedforward"],
            n_heads=TRANSFORMER["heads"],
            encoder_layers=TRANSFORMER["layers"],
            patch_len=16,
            stride=16,
            revin=True,
            **common,
        )
    recurrent = {"gru": models.GRU, "lstm": models.LSTM}[model]
    return recurrent(
        encoder_hidden_size=UNITS,
        encoder_n_layers=1,
        decoder_hidden_size=UNITS,
        decoder_layers=1,
        recurrent=False,
        **common,
    )


def lightning_marks(watch, steps):
    """A callback that marks the middle and the end of training."""
    import pytorch_lightning as pl

    class Marks(pl.Callback):
        done = 0

        def on_train_batch_end(self, *arguments, **keywords):
            self.done += 1
            if self.done in (steps // 2, steps):
                watch.mark(self.done * BATCH)

    return Marks()


def backtest(model: str, windows: int) -> dict:
    """This library's forecasts from 2,785 origins of 7 series, 96 steps each, after a token training."""
    import pandas as pd

    import forecastkit as fk

    data = pd.read_csv(ROOT / "datasets" / "ETTh1.csv", parse_dates=["date"], index_col="date")[:14400]
    classes = {"gru": fk.GRUForecaster, "lstm": fk.LSTMForecaster, "transformer": fk.TransformerForecaster}
    forecaster = classes[model](
        horizon=96, lookback=528, validation_size=2880, epochs=1, windows_per_epoch=windows, random_state=0
    )
    forecaster.fit(data[:11520])
    began = time.perf_counter()
    table = fk.backtest(forecaster, data, start=11520, stride=1).forecasts
    return {"seconds": time.perf_counter() - began, "forecasts": len(table), "origins": table["cutoff"].nunique()}


def peak() -> float:
    """Peak resident memory of this process so far, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024) / 1e6


def versions() -> dict:
    found = {}
    for package in PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


def other(name: str):
    """The contender of that name in peers.py."""

    def call(model: str, windows: int) -> dict:
        import peers

        return getattr(peers, name)(model, windows, sys.modules[__name__])

    return call


CONTENDERS = {
    "ours": ours,
    "keras": plain_keras,
    "neuralforecast": neuralforecast,
    "darts": other("darts"),
    "skforecast": other("skforecast"),
    "backtest": backtest,
}

if __name__ == "__main__":
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    sys.path.insert(0, str(ROOT))
    name, architecture, number = sys.argv[1:]
    measured = CONTENDERS[name](architecture, int(number))
    print(json.dumps({**measured, "peak": peak(), "versions": versions()}))
