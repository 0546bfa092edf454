"""Distribution heads: likelihoods against scipy, scales that come and go, and forecasts that cover what they say."""

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf
from conftest import SMALL, in_rotation
from hypothesis import given, settings
from hypothesis import strategies as st
from keras import ops
from scipy import special

import forecastkit as fk
from forecastkit.networks.heads import DISTRIBUTIONS
from forecastkit.networks.heads.distributions import NegativeBinomial, ZeroInflated, lgamma
from forecastkit.utils.exceptions import InputError, ParameterError

RNG = np.random.default_rng(0)
#: Values that each distribution can give, (batch, horizon).
VALUES = {
    "gaussian": RNG.normal(size=(3, 5)),
    "student_t": 4 * RNG.standard_t(3, size=(3, 5)),
    "log_normal": np.exp(RNG.normal(size=(3, 5))),
    "poisson": RNG.poisson(3.0, size=(3, 5)).astype(float),
    "negative_binomial": RNG.negative_binomial(2, 0.3, size=(3, 5)).astype(float),
    "zero_inflated": RNG.negative_binomial(2, 0.3, size=(3, 5)) * (RNG.random((3, 5)) < 0.5).astype(float),
}
UNIT = 4.0  # values are this many times what the network sees


def outputs_of(head, center=0.0, scale=1.0, seed=1):
    """Outputs in the units of the series' scale, from raw numbers."""
    raw = np.random.default_rng(seed).normal(size=(3, 5, head.raw)).astype("float32")
    unit = np.float32(UNIT) if head.needs_unit else None
    return np.asarray(head.place(head.shape(ops.convert_to_tensor(raw)), np.float32(center), np.float32(scale), unit))


def restored(head, outputs, center=0.0):
    """Outputs in the user's units, `center` and `UNIT` apart."""
    return head.restore(outputs, lambda values, spread=False: values * UNIT + (0.0 if spread else center))


@settings(deadline=None, max_examples=200)
@given(x=st.floats(2**-10, 2**16, width=32))
def test_the_logarithm_of_gamma_is_scipys(x):
    got = float(lgamma(ops.convert_to_tensor(np.float32(x))))
    assert got == pytest.approx(special.gammaln(np.float32(x)), rel=2e-6, abs=2e-5)


@pytest.mark.parametrize("x", [0.01, 0.5, 1.0, 3.3, 7.99, 8.0, 50.0, 1e4])
def test_the_slope_of_the_logarithm_of_gamma_is_digamma(x):
    x = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(x)
        value = lgamma(x)
    assert float(tape.gradient(value, x)) == pytest.approx(special.digamma(float(x)), rel=1e-4, abs=1e-4)


@pytest.mark.parametrize("name", DISTRIBUTIONS)
class TestEveryDistribution:
    def test_the_loss_is_the_negative_log_likelihood(self, name):
        head, values = DISTRIBUTIONS[name](), VALUES[name]
        outputs = outputs_of(head)
        scaled = (values / UNIT).astype("float32")
        loss = np.asarray(head.step_loss(scaled[..., None], ops.convert_to_tensor(outputs)))
        density = head.log_density(restored(head, outputs), values)
        # Densities of a longer unit are smaller by its logarithm, counts have none; Poisson's loss leaves out what
        # does not depend on the rate, and counts in units of the scale.
        if name == "poisson":
            np.testing.assert_allclose(
                UNIT * loss - values * np.log(UNIT) + special.gammaln(values + 1), -density, rtol=1e-3, atol=1e-4
            )
        else:
            np.testing.assert_allclose(loss + (0 if head.counts else np.log(UNIT)), -density, rtol=1e-3, atol=1e-3)

    def test_the_first_output_is_the_mean(self, name):
        head = DISTRIBUTIONS[name]()
        outputs = restored(head, outputs_of(head), center=0.0)
        levels = (np.arange(1_000) + 0.5) / 1_000
        mean = head.quantiles(outputs, levels).mean(axis=-1)
        np.testing.assert_allclose(mean, outputs[..., 0], rtol=0.02, atol=0.03)

    def test_quantiles_rise_and_reach_what_was_asked(self, name):
        head = DISTRIBUTIONS[name]()
        quantiles = head.quantiles(restored(head, outputs_of(head)), (0.01, 0.1, 0.5, 0.9, 0.99))
        assert quantiles.shape == (3, 5, 5)
        assert (np.diff(quantiles, axis=-1) >= 0).all()
        assert (quantiles >= head.smallest).all()

    def test_a_window_twice_as_large_has_a_forecast_twice_as_large(self, name):
        head = DISTRIBUTIONS[name]()
        if head.counts:  # whose spread does not grow in proportion
            once, twice = outputs_of(head), outputs_of(head, scale=2.0)
            np.testing.assert_allclose(twice[..., 0], 2 * once[..., 0], rtol=1e-5)
            return
        once, twice = (head.quantiles(outputs_of(head, scale=scale), (0.1, 0.5, 0.9)) for scale in (1.0, 2.0))
        np.testing.assert_allclose(twice, 2 * once, rtol=1e-4)

    def test_missing_targets_cost_nothing_and_gradients_are_finite(self, name):
        head = DISTRIBUTIONS[name]()
        target = (VALUES[name] / UNIT).astype("float32")
        target[0, 1] = target[1] = np.nan
        raw = tf.constant(np.random.default_rng(2).normal(0, 10, (3, 5, head.raw)).astype("float32"))
        with tf.GradientTape() as tape:
            tape.watch(raw)
            outputs = head.place(head.shape(raw), 0.0, 1.0, np.float32(UNIT))
            losses = head.loss(tf.constant(target), outputs)
        gradient = tape.gradient(losses, raw).numpy()
        assert float(losses[1]) == 0.0
        assert np.isfinite(losses).all()
        assert np.isfinite(gradient).all()
        assert not gradient[0, 1].any()
        assert not gradient[1].any()
        assert gradient[2].any()


def test_zeros_beside_the_counts_are_zeros_more():
    """With a share of zeros z, P(0) = z + (1 - z) NB(0), and other counts have (1 - z) of their probability."""
    counts, zeros = np.array([[4.0, 0.5, 1.0]]), 0.3
    both = np.array([[4.0 * (1 - zeros), 0.5, zeros, 1.0]])
    plain = NegativeBinomial().frozen(counts)
    head = ZeroInflated()
    assert head.log_density(both, np.array([0.0]))[0] == pytest.approx(np.log(zeros + (1 - zeros) * plain.pmf(0)[0]))
    assert head.log_density(both, np.array([3.0]))[0] == pytest.approx(np.log((1 - zeros) * plain.pmf(3)[0]))
    assert head.quantiles(both, (0.29,))[0, 0] == 0.0
    assert head.quantiles(both, (0.9,))[0, 0] == plain.ppf((0.9 - zeros) / (1 - zeros))[0]


# ---------------------------------------------------------------------------------------------- forecasters

SIZES = {**SMALL, "horizon": 4, "lookback": 16}


def series(name, rows=400):
    level = 6 + 4 * np.sin(np.arange(rows) * 2 * np.pi / 8)
    rng = np.random.default_rng(3)
    return rng.poisson(level).astype(float) if DISTRIBUTIONS[name].counts else level + rng.normal(size=rows) ** 2


TRAINED = ("negative_binomial", "student_t")


@pytest.mark.parametrize("name", in_rotation(DISTRIBUTIONS, {*DISTRIBUTIONS} - {*TRAINED}))
def test_a_forecaster_gives_quantiles_at_any_level_and_the_mean(name, tmp_path):
    model = fk.RNNForecaster(**SIZES, loss=name).fit(series(name))
    frame = model.predict(quantile_levels=[0.001, 0.5, 0.999])
    assert (frame["q0.001"] < frame["q0.999"]).all()
    point = model.predict()
    assert np.isfinite(point).all()
    assert (frame["q0.001"] <= point).all()
    assert (point <= frame["q0.999"]).all()
    model.save(tmp_path / "a.forecast")
    pd.testing.assert_frame_equal(fk.load(tmp_path / "a.forecast").predict(quantile_levels=[0.001, 0.5, 0.999]), frame)


def test_intervals_cover_what_they_say():
    data = np.sin(np.arange(1_600) * 2 * np.pi / 8) + np.random.default_rng(5).normal(size=1_600)
    model = fk.GRUForecaster(horizon=4, lookback=16, loss="gaussian", epochs=4, units=16, random_state=0)
    found = fk.backtest(model, data, start=1_200, quantile_levels=[0.1, 0.9]).forecasts
    inside = ((found["q0.1"] <= found["actual"]) & (found["actual"] <= found["q0.9"])).mean()
    assert 0.7 < inside < 0.9


def test_series_of_very_different_sizes_share_a_model_of_counts():
    rng = np.random.default_rng(0)
    wide = pd.DataFrame({"small": rng.poisson(0.5, 300), "large": rng.poisson(500, 300)}).astype(float)
    model = fk.GRUForecaster(**{**SIZES, "epochs": 4}, loss="negative_binomial").fit(wide)
    low, high = (model.predict(quantile_levels=[0.5, 0.9])[name] for name in ("small", "large"))
    assert (low["q0.9"] < 10).all()
    assert ((high["q0.5"] > 200) & (high["q0.5"] < 1_000)).all()


@pytest.mark.parametrize(
    ("parameters", "rule"),
    [
        (
            {"loss": "poisson", "normalization": "last"},
            "values above zero, needs normalization='mean', got 'last'",
        ),
        ({"loss": "gaussian", "quantile_levels": [0.1, 0.9]}, "has quantiles of its own, got .* Pass them to predict"),
        ({"loss": "gausian"}, "Did you mean 'gaussian'"),
    ],
)
def test_what_does_not_go_together_is_refused(parameters, rule):
    with pytest.raises(ParameterError, match=rule):
        fk.GRUForecaster(**parameters).fit(np.arange(60.0))


@pytest.mark.parametrize(
    ("loss", "value", "rule"),
    [
        ("log_normal", 0.0, "values above 0, got 0 at 7"),
        ("poisson", -1.0, r"whole numbers from 0 to 9.0e\+15, got -1 at 7"),
        (
            "negative_binomial",
            2.5,
            r"whole numbers from 0 to 9.0e\+15, got 2.5 at 7",
        ),
    ],
)
def test_values_that_a_distribution_cannot_give_are_refused(loss, value, rule):
    data = np.arange(1.0, 61.0)
    data[7] = value
    with pytest.raises(InputError, match=rule):
        fk.GRUForecaster(**SIZES, loss=loss).fit(data)
