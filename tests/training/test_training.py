"""The training loop: by a stand-in for the engine where only its order matters, by real fits where weights do."""

import io
import os
import pickle
import random
import subprocess
import sys
import time

import keras
import numpy as np
import pytest
from conftest import wave, weights_of
from sklearn.exceptions import NotFittedError

import forecastkit as fk
from forecastkit.data.windows import Windows
from forecastkit.forecasters import neural
from forecastkit.training import callbacks, loop
from forecastkit.training.loop import IMPROVEMENT, MOST_CONSTANT, STALLED, USUAL_EPOCHS, WARM_UP, Plan, Record, train
from forecastkit.utils.exceptions import InputError

TINY = {
    "horizon": 4,
    "lookback": 12,
    "patch": 4,
    "units": 8,
    "windows_per_epoch": 64,
    "random_state": 0,
    "linear_path": False,
    "final_epochs": 0,
}


def plan(**changes):
    usual = {"epochs": 6, "steps": 4, "batch_size": 2, "learning_rate": 0.1, "seed": 3}
    return Plan(**{**usual, "patience": None, "time_limit": None, **changes})


# ---------------------------------------------------------------------------------------------- the plan


@pytest.mark.parametrize(("windows", "wanted", "cap", "batch", "steps"), [
    (100_000, 256, None, 256, 100),  # many windows: an epoch is capped
    (20_000, 256, None, 256, 79),  # every window once
    (1_000, 256, None, 32, 50),  # few: small batches, so that there are enough steps
    (100, 256, None, 16, 50),
    (1, 256, None, 16, 50),
    (1_000, 8, None, 8, 100),  # the user's own batch is never enlarged
    (100_000, 256, 1_000, 256, 4),  # the user's own epoch
    (100_000, 256, 1, 256, 1),
])  # fmt: skip
def test_a_plan_suits_the_number_of_windows(windows, wanted, cap, batch, steps):
    rest = {"epochs": 2, "learning_rate": 1e-3, "patience": None, "time_limit": None, "seed": 0}
    suited = Plan.suited(windows, batch_size=wanted, windows_per_epoch=cap, **rest)
    assert (suited.batch_size, suited.steps) == (batch, steps)


def test_rates_warm_up_and_fall_along_half_a_cosine():
    long = plan(epochs=10, steps=100)
    rates = np.concatenate([long.rates(epoch) for epoch in range(10)])
    steps = np.arange(1000)
    warm_up = np.minimum((steps + 1) / WARM_UP, 1)
    np.testing.assert_allclose(rates, 0.1 * warm_up * (1 + np.cos(np.pi * steps / 1000)) / 2)
    assert (np.diff(rates[: WARM_UP - 5]) > 0).all()
    assert (np.diff(rates[WARM_UP:]) < 0).all()
    assert 0 < rates[-1] < 1e-6


def test_time_that_is_gone_is_progress_too():
    long = plan(epochs=10, steps=100)
    np.testing.assert_array_equal(long.rates(5, spent=0.3), long.rates(5))  # half of the steps are done already
    np.testing.assert_allclose(long.rates(2, spent=0.75), 0.1 * (1 + np.cos(0.75 * np.pi)) / 2)
    np.testing.assert_allclose(long.rates(2, spent=3.0), 0.0, atol=1e-9)


def test_the_warm_up_of_a_short_run_is_a_quarter_of_it():
    rates = plan(epochs=2, steps=4).rates(0)
    assert rates.argmax() == 1
    assert plan(epochs=1, steps=1).rates(0) == pytest.approx([0.1])


def test_epochs_that_are_given_win_and_those_that_are_not_follow_the_validation_loss():
    rest = {"batch_size": 8, "windows_per_epoch": None, "learning_rate": 0.1, "patience": 4, "time_limit": None}
    given, open_ended, blind = (
        Plan.suited(100, epochs=epochs, validated=validated, seed=0, **rest)
        for epochs, validated in ((7, True), (None, True), (None, False))
    )
    assert (given.epochs, given.adaptive) == (7, False)
    assert open_ended.adaptive
    assert (blind.epochs, blind.adaptive) == (USUAL_EPOCHS, False)


def test_the_rate_is_constant_until_the_decay_and_then_a_cosine():
    adaptive = plan(epochs=40, steps=100, adaptive=True)
    np.testing.assert_array_equal(adaptive.rates(9), 0.1)
    np.testing.assert_array_equal(adaptive.rates(9, spent=0.6), 0.1)
    assert adaptive.decay_epochs(10) == 5
    rates = np.concatenate([adaptive.rates(epoch, decay_start=10) for epoch in range(10, 15)])
    np.testing.assert_allclose(rates, 0.05 * (1 + np.cos(np.pi * np.arange(500) / 500)))
    np.testing.assert_allclose(adaptive.rates(9, spent=0.8), 0.05)  # half of the time that is left for the decay
    np.testing.assert_allclose(adaptive.rates(12, spent=1.2, decay_start=10), 0.0, atol=1e-9)


@pytest.mark.parametrize(("losses", "spent", "reason"), [
    ([3.0, 2.0, 1.0, 0.9], 0.0, ""),
    ([3.0, 1.0, *[1.0 - IMPROVEMENT / 2] * STALLED], 0.0, "convergence"),
    ([3.0, 1.0, *[1.0 - 2 * IMPROVEMENT] * STALLED], 0.0, ""),
    ([1.0] * STALLED, 0.0, ""),  # too early to say
    (np.linspace(9.0, 1.0, MOST_CONSTANT).tolist(), 0.0, "epochs"),
    ([3.0, 2.0], 0.7, "time limit"),
])  # fmt: skip
def test_the_decay_begins_when_the_loss_stalls_or_the_budget_ends(losses, spent, reason):
    assert plan(adaptive=True).decay_reason(losses, spent) == reason


def test_the_loss_before_the_first_epoch_is_no_reason_to_decay():
    """The first steps from a linear forecast may increase the loss."""
    record = Record(val_loss=np.linspace(1.3, 1.1, STALLED).tolist(), start_loss=1.0)
    loop._start_decay(record, plan(adaptive=True), lambda: 0.0)
    assert record.decay_start is None


# ---------------------------------------------------------------------------------------------- the loop


class RunLog(keras.callbacks.Callback):
    """Writes down what is called, and the weights it sees."""

    def __init__(self):
        super().__init__()
        self.calls, self.seen = [], []

    def on_train_begin(self, logs=None):
        self.calls.append("train begin")

    def on_epoch_begin(self, epoch, logs=None):
        self.calls.append(f"epoch {epoch} begin")

    def on_epoch_end(self, epoch, logs=None):
        self.calls.append(f"epoch {epoch} end {' '.join(logs)}")
        self.seen.append(self.model.get_weights()[0].copy())

    def on_train_end(self, logs=None):
        self.calls.append(f"train end {' '.join(logs)}")


class Engine:
    """Stands in for an engine: every call to `train` adds 1 to the one weight; losses are as told."""

    def __init__(self, losses=(), val_losses=(), on_train=None):
        self.network = keras.Sequential(
            [keras.Input((1,)), keras.layers.Dense(1, use_bias=False, kernel_initializer="zeros")]
        )
        self.losses, self.val_losses = iter(losses or [0.0] * 1000), iter(val_losses)
        self.on_train, self.swaps, self.batches, self.rates, self.seeds = on_train, 0, [], [], []

    def prepare(self, buffers, batch_size):
        self.prepared = batch_size

    def train(self, tables, rates, seeds):
        self.batches.append(tables.copy())
        self.rates.extend(rates)
        self.seeds.extend(seeds)
        self.network.set_weights([self.network.get_weights()[0] + 1])
        if self.on_train:
            self.on_train()
        return next(self.losses)

    def agreed(self, value):
        return value

    def swap(self):
        self.swaps += 1

    def evaluate(self, table):
        return next(self.val_losses)

    @property
    def weight(self):
        return float(self.network.get_weights()[0].item())


WINDOWS = Windows([3], [20], 1)


def go(engine, plan, callbacks=(), validation_origins=True, record=None):
    validation_origins = WINDOWS.at(np.arange(3)) if validation_origins else None
    return train(engine, None, WINDOWS, validation_origins, plan, callbacks, record)


def test_the_best_weights_are_restored():
    engine = Engine(val_losses=[5, 3, 4, 2, 6, 6])
    record = go(engine, plan())
    assert (engine.weight, record.best_epoch, record.ended) == (4.0, 3, "epochs")
    assert record.val_loss == [5, 3, 4, 2, 6, 6]


@pytest.mark.parametrize(("patience", "epochs"), [(1, 3), (2, 4), (None, 6)])
def test_patience_ends_training(patience, epochs):
    engine = Engine(val_losses=[5, 3, 4, 4, 4, 4])
    record = go(engine, plan(patience=patience))
    assert (len(record.loss), engine.weight) == (epochs, 2.0)
    assert record.ended == ("epochs" if patience is None else "patience")


def test_an_adaptive_plan_goes_on_while_the_loss_falls_and_ends_with_a_decay():
    falling = [20.0, 15.0, 12.0, 10.0, 9.0, 8.0, 8.0, 8.0, 8.0]
    engine = Engine(val_losses=[*falling, 7.0, 6.5, 6.4, 6.45, 1.0])
    record = go(engine, plan(epochs=40, adaptive=True, patience=1))
    assert record.decay_start == 9
    assert len(record.loss) == 9 + 4
    assert (record.ended, record.best_epoch) == ("convergence", 11)
    assert engine.rates[-1] < 0.1 * 0.1


def test_without_validation_the_last_weights_are_kept_and_patience_is_idle():
    engine = Engine(losses=[1, 2, 3, 4, 5, 6])
    record = go(engine, plan(patience=1), validation_origins=False)
    assert (engine.weight, record.best_epoch, record.val_loss) == (6.0, 5, [])


def test_averages_are_in_place_while_an_epoch_is_judged_and_out_again_for_the_next():
    engine = Engine(val_losses=[1] * 6)
    go(engine, plan())
    assert engine.swaps == 12


def test_an_epoch_is_cut_into_pieces_with_their_rates_and_seeds():
    engine, long = Engine(val_losses=[1] * 2), plan(epochs=2, steps=60)
    go(engine, long)
    assert [batch.shape for batch in engine.batches] == [(25, 2, 3), (25, 2, 3), (10, 2, 3)] * 2
    np.testing.assert_array_equal(engine.rates, np.concatenate([long.rates(0), long.rates(1)]))
    assert engine.seeds == list(range(1, 121))


def test_every_window_is_drawn_before_any_is_drawn_again():
    engine = Engine(val_losses=[1])
    go(engine, plan(epochs=1, steps=17))
    rows = np.concatenate(engine.batches).reshape(-1, 3)[:, 1]
    np.testing.assert_array_equal(np.sort(rows), np.repeat(np.arange(3, 20), 2))


def test_batches_depend_on_the_seed_and_the_epoch_only():
    drawn = [Engine(val_losses=[1] * 2) for _ in range(3)]
    for engine, seed in zip(drawn, (3, 3, 4), strict=True):
        go(engine, plan(epochs=2, seed=seed))
    first, again, other = (np.concatenate(engine.batches) for engine in drawn)
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()
    assert (first[:4] != first[4:]).any()


def test_the_time_limit_is_kept_within_a_piece(monkeypatch):
    clock = [0.0]
    monkeypatch.setattr(loop.time, "monotonic", lambda: clock[0])
    engine = Engine(val_losses=[1] * 6, on_train=lambda: clock.__setitem__(0, clock[0] + 1.0))
    record = go(engine, plan(steps=1000, time_limit=2.5))
    assert (len(engine.batches), record.ended, record.seconds) == (3, "time limit", 3.0)
    assert len(record.val_loss) == 1


def test_the_rate_has_fallen_when_the_time_is_over(monkeypatch):
    clock = [0.0]
    monkeypatch.setattr(loop.time, "monotonic", lambda: clock[0])
    engine = Engine(val_losses=[1] * 6, on_train=lambda: clock.__setitem__(0, clock[0] + 1.0))
    record = go(engine, plan(steps=1000, time_limit=4.0))
    assert record.pieces == [(25, 1.0)] * 5
    np.testing.assert_allclose(engine.rates[-25:], 0.0, atol=1e-9)
    assert engine.rates[50] > 0.5 * max(engine.rates)
    assert record.epoch_seconds() == 1000 / 25
    assert Record(steps=10, pieces=[(5, 50.0), (5, 2.0), (5, 3.0)]).epoch_seconds() == 5.0


def test_callbacks_are_called_in_the_order_of_keras():
    ours, theirs = RunLog(), RunLog()
    go(Engine(val_losses=[1] * 2), plan(epochs=2), [ours])
    x = np.zeros((4, 1), "float32")
    model = keras.Sequential([keras.layers.Dense(1)])
    model.compile(loss="mse")
    model.fit(x, x, epochs=2, validation_data=(x, x), callbacks=[theirs], verbose=0)
    assert ours.calls == theirs.calls


def test_callbacks_are_left_as_they_were():
    callback = keras.callbacks.EarlyStopping(patience=1)
    before = dict(vars(callback))
    go(Engine(val_losses=[1, 2, 3, 4, 5, 6]), plan(), [callback])
    assert vars(callback) == before


def test_early_stopping_of_keras_works():
    engine = Engine(val_losses=[1, 2, 3, 4, 5, 6])
    record = go(engine, plan(), [keras.callbacks.EarlyStopping(monitor="val_loss", patience=2)])
    assert (len(record.loss), record.ended, engine.weight) == (3, "callback", 1.0)


def test_a_callback_that_stopped_one_training_does_not_stop_the_next():
    engine = Engine(val_losses=[1, 2, 3] + [1] * 6)
    go(engine, plan(), [keras.callbacks.EarlyStopping(patience=1)])
    assert len(go(engine, plan()).loss) == 6


def test_an_interruption_leaves_the_best_weights_and_the_record():
    record = Record()

    class Interrupts(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 3:
                raise KeyboardInterrupt

    engine = Engine(val_losses=[5, 3, 4])
    with pytest.raises(KeyboardInterrupt):
        go(engine, plan(), [Interrupts()], record=record)
    assert engine.weight == 2.0
    assert (record.ended, record.best_epoch, len(record.loss)) == ("interrupted", 1, 3)


@pytest.mark.parametrize(
    "broken", [{"losses": [1, 1, np.nan]}, {"losses": [1, 1, np.inf]}, {"val_losses": [5, 3, np.nan]}]
)
def test_a_loss_that_is_no_number_ends_training_at_the_best_weights(broken):
    engine = Engine(**{"losses": [1] * 6, "val_losses": [5, 3, 4, 2], **broken})
    with pytest.warns(UserWarning, match=r"got .*(nan|inf).* in epoch 3\. The weights of epoch 2 are kept"):
        record = go(engine, plan())
    assert (engine.weight, record.ended, len(record.loss)) == (2.0, "loss is not finite", 3)


def test_losses_that_are_never_numbers_are_refused():
    with pytest.raises(
        InputError, match=r"losses must stay finite, got .*nan.* in epoch 1\. Pass a lower learning_rate="
    ):
        go(Engine(losses=[np.nan], val_losses=[np.nan]), plan())


def test_lines(capsys):
    go(Engine(losses=[0.5] * 2, val_losses=[0.25] * 2), plan(epochs=2), [callbacks.Lines("GRU")])
    lines = capsys.readouterr().out.splitlines()
    assert lines == [f"GRU  epoch {epoch}/2  loss 0.5000  val_loss 0.2500" for epoch in (1, 2)]


# ---------------------------------------------------------------------------------------------- real fits


class Breaks(keras.callbacks.Callback):
    """Makes the weights no numbers at the start of an epoch."""

    def __init__(self, epoch, error=None):
        super().__init__()
        self.epoch, self.error = epoch, error

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == self.epoch and self.error:
            raise self.error
        if epoch == self.epoch:
            self.model.trainable_variables[0].assign(np.full(self.model.trainable_variables[0].shape, np.nan))


def test_a_forecaster_that_diverged_at_once_is_refused_and_not_fitted():
    forecaster = fk.GRUForecaster(**TINY, epochs=2, callbacks=[Breaks(0)])
    with pytest.raises(InputError, match="losses must stay finite"):
        forecaster.fit(wave(120))
    with pytest.raises(NotFittedError):
        forecaster.predict()


def test_a_forecaster_that_diverged_later_forecasts_by_its_best_weights():
    run_log = RunLog()
    forecaster = fk.GRUForecaster(**TINY, epochs=3, callbacks=[run_log, Breaks(1)])
    with pytest.warns(UserWarning, match="The weights of epoch 1 are kept"):
        forecaster.fit(wave(120))
    np.testing.assert_array_equal(weights_of(forecaster)[0], run_log.seen[0])
    assert np.isfinite(forecaster.predict()).all()


def test_an_interrupted_forecaster_forecasts_by_its_best_weights():
    run_log = RunLog()
    forecaster = fk.GRUForecaster(**TINY, epochs=3, callbacks=[run_log, Breaks(1, KeyboardInterrupt())])
    with pytest.raises(KeyboardInterrupt):
        forecaster.fit(wave(120))
    np.testing.assert_array_equal(weights_of(forecaster)[0], run_log.seen[0])
    assert np.isfinite(forecaster.predict(coverage=0.8)).all(axis=None)
    assert forecaster.training_history_.ended == "interrupted"


@pytest.mark.parametrize("error", [KeyboardInterrupt, InputError])
def test_an_interrupted_final_training_leaves_the_best_weights_and_a_refused_one_nothing(monkeypatch, error):
    def breaks(engine, buffers, windows, validation_origins, plan, callbacks=(), record=None, checkpoint=None):
        if validation_origins is not None:
            return train(engine, buffers, windows, validation_origins, plan, callbacks, record)
        engine.network.set_weights([weight * 0 for weight in engine.network.get_weights()])
        raise error

    monkeypatch.setattr(neural, "train", breaks)
    run_log = RunLog()
    forecaster = fk.GRUForecaster(**{**TINY, "final_epochs": 1}, epochs=1, callbacks=[run_log])
    with pytest.raises(error):
        forecaster.fit(wave(120))
    if error is InputError:
        assert not hasattr(forecaster, "model_")
        return
    np.testing.assert_array_equal(weights_of(forecaster)[0], run_log.seen[0])
    assert np.isfinite(forecaster.predict()).all()


def test_a_time_limit_of_nothing_still_gives_a_forecaster():
    began = time.monotonic()
    forecaster = fk.GRUForecaster(**TINY, epochs=1000, time_limit=0.01).fit(wave(120))
    assert time.monotonic() - began < 60
    assert forecaster.training_history_.ended == "time limit"
    assert np.isfinite(forecaster.predict()).all()


# ---------------------------------------------------------------------------------------------- the same again

CHILD = """
import sys
import numpy as np
import forecastkit as fk
from forecastkit.forecasters import neural

series = np.sin(np.arange(1400) / 4) + np.random.default_rng(0).normal(0, 0.1, 1400)
out = {}
for compiled in (False, True):
    neural.WORTH_COMPILING = 0 if compiled else 1e18
    forecaster = fk.GRUForecaster(
        horizon=4, lookback=12, patch=4, units=8, epochs=2, final_epochs=1, windows_per_epoch=512, random_state=5,
        linear_path=False)
    out[f"forecast {compiled}"] = forecaster.fit(series).predict()
    out.update({f"weight {compiled} {i}": w for i, w in enumerate(forecaster.model_.get_weights())})
    out[f"parts {compiled}"] = forecaster.network_.live()[1].parts
np.savez(sys.argv[1], **out)
"""


@pytest.mark.rotated
def test_two_fresh_processes_give_the_same_forecast_bit_for_bit(tmp_path):
    files = [tmp_path / f"{i}.npz" for i in range(2)]
    # Different hash seeds: nothing may depend on the order of a set.
    children = [
        subprocess.Popen([sys.executable, "-c", CHILD, str(file)], env={**os.environ, "PYTHONHASHSEED": str(i)})
        for i, file in enumerate(files)
    ]
    assert [child.wait(timeout=300) for child in children] == [0, 0]
    with np.load(files[0]) as one, np.load(files[1]) as other:
        first, second = dict(one), dict(other)
    assert set(first) == set(second)
    for key in first:
        np.testing.assert_array_equal(first[key], second[key], err_msg=key)
    # Compiling and division into parts change nothing but the order of sums.
    np.testing.assert_allclose(first["forecast False"], first["forecast True"], rtol=1e-4)
    if len(os.sched_getaffinity(0)) > 1:
        assert first["parts True"] == 2


def test_the_same_seed_gives_the_same_forecaster_whatever_else_was_drawn(monkeypatch):
    monkeypatch.setattr(neural, "WORTH_COMPILING", 1e18)
    forecasts, drawn = [], []
    for seed in (1, 2):
        keras.utils.set_random_seed(seed)
        forecasts.append(fk.GRUForecaster(**TINY, epochs=1).fit(wave(120)).predict())
        drawn.append((random.random(), np.random.random()))  # noqa: NPY002
    np.testing.assert_array_equal(*forecasts)
    for seed, numbers in zip((1, 2), drawn, strict=True):
        keras.utils.set_random_seed(seed)
        assert numbers == (random.random(), np.random.random())  # noqa: NPY002


def test_another_seed_gives_another_forecaster():
    first, second = (fk.GRUForecaster(**{**TINY, "random_state": s}, epochs=1).fit(wave(120)).predict() for s in (1, 2))
    assert (first != second).any()


def test_a_pickled_forecaster_forecasts_the_same():
    forecaster = fk.GRUForecaster(**TINY, epochs=1).fit(wave(120))
    again = pickle.load(io.BytesIO(pickle.dumps(forecaster)))
    np.testing.assert_array_equal(again.predict(), forecaster.predict())
