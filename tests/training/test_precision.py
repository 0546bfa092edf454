"""Half precision: close to float32, exact where it must be, and nothing of Keras changed."""

import os
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from conftest import SMALL, wave

import forecastkit as fk
from forecastkit.forecasters import neural
from forecastkit.networks import backbones
from forecastkit.networks.config import dtype_policy
from forecastkit.training.engines.hardware import cudnn_hindrance
from forecastkit.training.engines.loss_scale import PATIENCE, START, LossScale
from forecastkit.training.engines.tensorflow import compilable
from forecastkit.utils.exceptions import ParameterError

ROOT = Path(__file__).parents[2]
SIZES = {**{name: value for name, value in SMALL.items() if name != "units"}, "epochs": 2}
HALVES = ("mixed_bfloat16", "mixed_float16")


def fitted(name="gru", precision=None, **changes):
    backbone = backbones.find(name)(units=8, dropout=0.0)
    return fk.KerasForecaster(backbone=backbone, precision=precision, **{**SIZES, **changes}).fit(wave(300))


def check_close(name, precision, rel=0.02, **changes):
    exact, half = fitted(name, **changes), fitted(name, precision, **changes)
    for losses in ("loss", "val_loss"):
        assert getattr(half.training_history_, losses) == pytest.approx(
            getattr(exact.training_history_, losses), rel=rel
        )
    # Values have a standard deviation of 2; rounding is carried on from step to step.
    assert 0 < np.abs(half.predict() - exact.predict()).mean() < 0.3
    return half


@pytest.mark.parametrize("precision", HALVES)
def test_forecasts_are_close_to_those_of_float32(precision):
    policy = keras.config.dtype_policy()
    half = check_close("gru", precision)
    assert keras.config.dtype_policy() is policy
    assert half.model_.backbone.compute_dtype == precision.removeprefix("mixed_")
    assert {weight.dtype for weight in half.model_.trainable_variables} == {"float32"}
    assert half.model_(example(half)).dtype == tf.float32


def example(model):
    return {name: np.ones((1, *shape), kind) for name, (shape, kind) in model.network_.sizes.inputs.items()}


@pytest.mark.rotated
@pytest.mark.parametrize("name", ["transformer", "transformer_xl"])
def test_attention_is_close_too(name):
    check_close(name, "mixed_float16")


@pytest.mark.slow
@pytest.mark.parametrize("precision", HALVES)
@pytest.mark.parametrize("name", backbones.names())
def test_every_network_computes_in_half_precision(name, precision):
    # Rounding to three digits is carried on over two epochs: a GRU before a Transformer ends 3 % apart.
    check_close(name, precision, rel=0.05 if name == "gru_transformer" else 0.02)


@pytest.mark.rotated
def test_compiled_steps_are_close_too(monkeypatch):
    monkeypatch.setattr(neural, "WORTH_COMPILING", 0)
    check_close("gru", "mixed_float16")


def test_a_large_level_is_not_rounded():
    """In half precision 10,000 and 10,003 are one number; windows are normalised before layers see them."""
    series = 1e4 + wave(300)
    half = fk.GRUForecaster(**SMALL, precision="mixed_bfloat16", normalization="last").fit(series)
    assert np.abs(half.predict() - series[-24:].mean()).max() < 10


def test_a_saved_model_computes_as_it_was_trained(tmp_path):
    half = fitted(precision="mixed_bfloat16")
    half.save(tmp_path / "m.forecast")
    loaded = fk.load(tmp_path / "m.forecast")
    np.testing.assert_array_equal(loaded.predict(), half.predict())
    assert loaded.model_.backbone.compute_dtype == "bfloat16"


def test_a_network_of_another_precision_is_not_used_again():
    half = fitted(precision="mixed_bfloat16").predict()
    first, second = fitted().predict(), fitted(precision="float32").predict()
    np.testing.assert_array_equal(first, second)
    assert (half != first).any()


def test_names_are_checked():
    with pytest.raises(ParameterError, match=r"precision must be one of.*got 'mixed_float61'\. Did you mean"):
        fk.GRUForecaster(**SMALL, precision="mixed_float61").fit(wave(200))


def test_the_policy_is_that_of_the_thread_alone():
    seen, inside = [], threading.Event()

    def look():
        inside.wait()
        seen.append(keras.config.dtype_policy().name)

    thread = threading.Thread(target=look)
    thread.start()
    with dtype_policy("mixed_float16"):
        assert keras.config.dtype_policy().name == "mixed_float16"
        inside.set()
        thread.join()
    assert seen == ["float32"]
    assert keras.config.dtype_policy().name == "float32"


JAX = """
import sys
import keras
import numpy as np
import forecastkit as fk
from conftest import SMALL, wave

assert keras.backend.backend() == "jax"
exact, *halves = (
    fk.GRUForecaster(**SMALL, dropout=0.0, precision=name).fit(wave(300)).predict()
    for name in (None, "mixed_bfloat16", "mixed_float16")
)
for half in halves:
    assert 0 < np.abs(half - exact).max() < 0.15, np.abs(half - exact).max()
"""


@pytest.mark.rotated
def test_half_precision_on_jax():
    path = os.pathsep.join([str(ROOT), str(ROOT / "tests")])
    environment = {**os.environ, "KERAS_BACKEND": "jax", "PYTHONPATH": path}
    done = subprocess.run([sys.executable, "-c", JAX], env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr


# ---------------------------------------------------------------------------------------------- loss scaling


def test_the_scale_follows_overflows_by_hand():
    scale = LossScale()
    for finite, value in ((True, START), (False, START / 2), (False, START / 4), (True, START / 4)):
        scale.follow(tf.constant(finite))
        assert float(scale.value) == value
    scale.good.assign(PATIENCE - 2)
    for value in (START / 4, START / 2, START / 2):
        scale.follow(tf.constant(True))
        assert float(scale.value) == value
    scale.reset()
    assert (float(scale.value), int(scale.good)) == (START, 0)


def test_steps_that_overflow_are_left_out():
    model = fitted(precision="mixed_float16")
    engine = model.network_.live()[1]
    engine.optimizer.iterations.assign(5)
    before, count = model.model_.get_weights(), float(engine.count)
    shapes = [weight.shape for weight in engine.weights]
    engine.update_step([[tf.fill(shape, np.inf) for shape in shapes]], tf.constant(1e-2))
    for mine, other in zip(model.model_.get_weights(), before, strict=True):
        np.testing.assert_array_equal(mine, other)
    assert (int(engine.optimizer.iterations), float(engine.count)) == (5, count)
    engine.update_step([[tf.ones(shape) for shape in shapes]], tf.constant(1e-2))
    assert int(engine.optimizer.iterations) == 6
    assert any((mine != other).any() for mine, other in zip(model.model_.get_weights(), before, strict=True))


# ---------------------------------------------------------------------------------------------- cuDNN


def test_gated_networks_reach_cudnn():
    for backbone in (fk.LSTM(layers=2, bidirectional=True), fk.GRU(), fk.LSTMTransformer(), fk.Transformer()):
        assert cudnn_hindrance(backbone) == ""
    assert cudnn_hindrance(fk.RNN()).startswith("RNN steps through SimpleRNN layers, for which there is no cuDNN")


@dataclass(kw_only=True, eq=False, repr=False)
class Own(fk.Backbone):
    options: dict | None = None

    def build(self):
        return keras.layers.GRU(4, **self.options)


@pytest.mark.parametrize(("options", "said"), [
    ({"activation": "relu"}, "an activation other than tanh"), ({"use_bias": False}, "use_bias=False"),
    ({"recurrent_activation": "tanh"}, "a recurrent activation other than sigmoid"), ({"unroll": True}, "unroll=True"),
    ({"recurrent_dropout": 0.1}, "recurrent_dropout"), ({"reset_after": False}, "reset_after=False"),
    ({"use_cudnn": False}, "use_cudnn=False"),
])  # fmt: skip
def test_what_forfeits_cudnn_is_said(options, said):
    assert cudnn_hindrance(Own(options=options)) == f"Own has GRU layers with {said}, which cuDNN does not compute."
    assert cudnn_hindrance(Own(options={})) == ""


def test_networks_that_xla_cannot_compile_are_not_compiled():
    network = fitted().model_
    assert compilable(network)
    network.backbone.supports_jit = False
    assert not compilable(network)
