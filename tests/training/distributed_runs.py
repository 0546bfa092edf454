"""What the tests of distributed training run in processes of their own: ``distributed_runs.py NAME FOLDER``."""

import json
import os
import sys
import time
from pathlib import Path

import numpy as np
from conftest import make_panel

#: Trains in seconds; batches and validation rows that two and three replicas do not divide.
SIZES = {"horizon": 6, "lookback": 24, "units": 8, "epochs": 2, "windows_per_epoch": 800, "batch_size": 67,
         "validation_size": 37, "final_epochs": 1, "random_state": 0, "linear_path": False}  # fmt: skip
ROLES = {"target": "load", "past": ["temp", "wind", "size"], "series_id": "unique_id", "time": "ds"}


def forecaster(**changes):
    import forecastkit as fk

    return fk.RNNForecaster(**{**SIZES, "dropout": 0.2, **ROLES, **changes})


def keep(model, folder: Path, name: str, **more) -> None:
    """Weights, forecasts and losses of a fitted forecaster for the test to compare."""
    record = model.training_history_
    arrays = {f"w{i}": weight for i, weight in enumerate(model.model_.get_weights())}
    forecast = model.forecast()["forecast"].to_numpy()
    np.savez(folder / f"{name}.npz", forecast=forecast, loss=record.loss, val_loss=record.val_loss, **arrays, **more)


def mirrored(folder: Path) -> None:
    """One device, two of them, and a scope of one's own."""
    tf, data = with_two_devices(), make_panel()
    one, two = forecaster().fit(data), forecaster(distribute="mirrored").fit(data)
    assert len(two.network_.live()[1].strategy.extended.worker_devices) == 2
    keep(one, folder, "one")
    keep(two, folder, "two")
    two.save(folder / "two.forecast")
    with tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]).scope():
        own = forecaster(final_epochs=0).fit(data)
        keep(own, folder, "own")
        own.partial_fit(data)
    keep(forecaster(final_epochs=0).fit(data), folder, "short")


def compiled(folder: Path) -> None:
    """One device and two of them, compiled and with more dropout."""
    with_two_devices()
    from forecastkit.forecasters import neural

    data = make_panel()
    neural.WORTH_COMPILING = 0
    changes = {"dropout": 0.3, "batch_size": 64, "distribute": "auto"}
    keep(forecaster(**changes).fit(data), folder, "two-compiled")
    keep(forecaster(**{**changes, "distribute": None}).fit(data), folder, "one-compiled")


def with_two_devices():
    """TensorFlow with two devices on one CPU."""
    import tensorflow as tf

    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
    return tf


def worker(folder: Path) -> None:
    """What one of several workers does: the same as all, until the last is killed."""
    import forecastkit as fk

    task = json.loads(os.environ["TF_CONFIG"])
    index, last = task["task"]["index"], len(task["cluster"]["worker"]) - 1
    data = make_panel()
    keep(forecaster(distribute="multiworker").fit(data), folder, f"same{index}", chief=fk.is_chief())
    # Clocks and seeds of their own: the first worker's count.
    changes = {"random_state": None, "time_limit": 1.0, "epochs": 1000, "dropout": 0.1}
    keep(forecaster(distribute="auto", **changes).fit(data), folder, f"timed{index}")
    try:
        forecaster(distribute="multiworker").fit(data if index else data.assign(load=data["load"] * 2))
    except fk.InputError as error:
        (folder / f"other{index}.txt").write_text(str(error), encoding="utf-8")
    die_or_notice(folder, data, index, last)


def die_or_notice(folder, data, index, last):
    """The last worker is killed in its third epoch; the others write how long they took to end, and what was said."""
    import keras

    import forecastkit as fk

    class Death(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 2:
                (folder / "killed").write_text(str(time.time()), encoding="utf-8")
                os.kill(os.getpid(), 9)

    callbacks = [Death()] if index == last else []
    try:
        long(folder, index, callbacks=callbacks).fit(data)
    except fk.InputError as error:
        seconds = time.time() - float((folder / "killed").read_text(encoding="utf-8"))
        (folder / f"lost{index}.txt").write_text(f"{seconds}\n{error}", encoding="utf-8")


def long(folder, index, **changes):
    """A fit of six epochs that each worker is told to keep in a folder of its own."""
    return forecaster(distribute="multiworker", epochs=6, patience=None, resume=folder / f"kept{index}", **changes)


def again(folder: Path) -> None:
    """The fit that was killed, started anew on all workers."""
    import keras

    index = json.loads(os.environ["TF_CONFIG"])["task"]["index"]
    begun = []
    note = keras.callbacks.LambdaCallback(on_epoch_begin=lambda epoch, logs: begun.append(epoch))
    keep(long(folder, index, callbacks=[note]).fit(make_panel()), folder, f"again{index}", begun=begun[0])


def alone(folder: Path) -> None:
    """What the workers did, in one process."""
    keep(forecaster().fit(make_panel()), folder, "alone")
    keep(forecaster(epochs=6, patience=None).fit(make_panel()), folder, "long")


if __name__ == "__main__":
    runs = {"mirrored": mirrored, "compiled": compiled, "worker": worker, "again": again, "alone": alone}
    runs[sys.argv[1]](Path(sys.argv[2]))
