"""Darts and skforecast as contenders of speed.py, in an environment of their own; imported by contenders.py.

Networks of the sizes of the others there: one recurrent layer of 64 units reads 96 values one by one, 24 come out.
"""

import logging
import os
import warnings


def darts(model: str, windows: int, task) -> dict:
    """Darts' BlockRNNModel on the seven columns as series, the whole `fit`."""
    quiet()
    import numpy as np
    import torch
    from darts import TimeSeries
    from darts.models import BlockRNNModel

    series = [TimeSeries.from_series(column.astype(np.float32)) for _, column in task.standardised().items()]
    per_epoch = task.count(len(series))
    epochs = max(2, round(windows / per_epoch))
    watch = task.Stopwatch()
    network = BlockRNNModel(
        input_chunk_length=task.LOOKBACK,
        output_chunk_length=task.HORIZON,
        model=model.upper(),
        hidden_dim=task.UNITS,
        n_rnn_layers=1,
        batch_size=task.BATCH,
        n_epochs=epochs,
        loss_fn=torch.nn.L1Loss(),
        random_state=0,
        pl_trainer_kwargs={
            "accelerator": "cpu",
            "callbacks": [epoch_marks(watch, per_epoch)],
            "logger": False,
            "enable_progress_bar": False,
            "enable_checkpointing": False,
            "enable_model_summary": False,
        },
    )
    watch.start()
    network.fit(series)
    report = watch.report(epochs * per_epoch)
    return {**report, "weights": sum(values.numel() for values in network.model.parameters())}


def epoch_marks(watch, per_epoch):
    """A Lightning callback that marks the end of every epoch."""
    import pytorch_lightning as pl

    class Marks(pl.Callback):
        def on_train_epoch_end(self, trainer, module):
            watch.mark((trainer.current_epoch + 1) * per_epoch)

    return Marks()


def skforecast(model: str, windows: int, task) -> dict:
    """skforecast's ForecasterRnn, the whole `fit`.

    One column: its windows are of one series or of all, and a window of seven would be another task.
    """
    quiet()
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    import keras
    from skforecast.deep_learning import ForecasterRnn, create_and_compile_model

    data = task.standardised()[["OT"]].asfreq("h")
    per_epoch = task.count(1)
    epochs = max(2, round(windows / per_epoch))
    watch = task.Stopwatch()
    marks = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: watch.mark((epoch + 1) * per_epoch))
    network = create_and_compile_model(
        data,
        lags=task.LOOKBACK,
        steps=task.HORIZON,
        levels="OT",
        recurrent_layer=model.upper(),
        recurrent_units=task.UNITS,
        dense_units=None,
        compile_kwargs={"optimizer": keras.optimizers.Adam(), "loss": "mae"},
    )
    forecaster = ForecasterRnn(
        network,
        levels="OT",
        lags=task.LOOKBACK,
        transformer_series=None,
        fit_kwargs={"epochs": epochs, "batch_size": task.BATCH, "verbose": 0, "callbacks": [marks]},
    )
    watch.start()
    forecaster.fit(data)
    return {**watch.report(epochs * per_epoch), "weights": network.count_params()}


def quiet():
    warnings.filterwarnings("ignore")
    for name in ("pytorch_lightning", "darts"):
        logging.getLogger(name).setLevel(logging.ERROR)
