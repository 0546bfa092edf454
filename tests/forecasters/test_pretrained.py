"""The pre-trained forecaster: accuracy without training, the contract's corners, weights and saved models."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

import forecastkit as fk
from forecastkit.forecasters import pretrained
from forecastkit.pretrained import weights as packaged
from forecastkit.pretrained.forward import LEVELS
from forecastkit.pretrained.weights import VERSIONS, load_weights, save_weights
from forecastkit.utils.exceptions import ArtifactError, InputError, ParameterError

RNG = np.random.default_rng(0)
TIMES = pd.date_range("2020-01-01", periods=90, freq="D", name="day")
DAILY = pd.Series(10 + 3 * np.sin(2 * np.pi * np.arange(90) / 7) + RNG.normal(size=90), index=TIMES, name="y")
AIR = fk.load_dataset("airpassengers")


@pytest.fixture(scope="module")
def fitted():
    return fk.PretrainedForecaster(horizon=7).fit(DAILY)


@pytest.mark.parametrize("version", VERSIONS)
def test_it_beats_the_seasonal_naive_without_training(version):
    for name, horizon, n in (("airpassengers", 12, 6), ("daily_min_temperatures", 14, 26)):
        data = fk.load_dataset(name)
        model = fk.PretrainedForecaster(horizon=horizon, weights=version, fine_tune=False)
        results = fk.backtest(model, data, n_windows=n, stride=horizon)
        naive = fk.backtest(fk.SeasonalNaiveForecaster(horizon=horizon), data, n_windows=n, stride=horizon)
        errors = [(r.forecasts["forecast"] - r.forecasts["actual"]).abs().mean() for r in (results, naive)]
        assert errors[0] < 0.9 * errors[1], name


def test_quantiles_are_the_networks_and_the_point_is_the_median(fitted):
    quantiles = fitted.predict(quantile_levels=list(LEVELS))
    assert (np.diff(quantiles.to_numpy(), axis=1) > 0).all()
    np.testing.assert_allclose(quantiles["q0.5"], np.ravel(fitted.predict()))
    assert list(fitted.forecast().columns[-3:]) == ["q0.1", "q0.5", "q0.9"]
    with pytest.raises(InputError, match=r"0\.01"):
        fitted.predict(quantile_levels=[0.001])


@pytest.mark.parametrize("rows", [3, 5, 20, 3000])
def test_series_of_any_length(rows):
    values = RNG.normal(size=rows).cumsum() + 50
    forecast = fk.PretrainedForecaster(horizon=1 if rows < 5 else 3).fit(values).predict()
    assert np.isfinite(forecast).all()
    assert np.abs(forecast - values[-1]).max() < 40


def test_a_constant_series_goes_on():
    model = fk.PretrainedForecaster(horizon=5).fit(np.full(40, 3.5))
    np.testing.assert_allclose(model.predict(coverage=0.8), 3.5)


def test_missing_values_and_other_series(fitted):
    gaps = DAILY.copy()
    gaps.iloc[::9] = np.nan
    other = fitted.predict(history=1000 + 50 * gaps)
    assert np.isfinite(other.to_numpy()).all()
    np.testing.assert_allclose(np.ravel(other), 1000 + 50 * np.ravel(fitted.predict()), rtol=0.05)


def test_units_of_measurement_do_not_matter(fitted):
    scaled = fk.PretrainedForecaster(horizon=7).fit(DAILY * 1e6)
    np.testing.assert_allclose(np.ravel(scaled.predict()), 1e6 * np.ravel(fitted.predict()), rtol=1e-3)


def test_many_series_are_forecast_in_chunks_by_threads(monkeypatch):
    panel = pd.concat(pd.DataFrame({"id": k, "day": TIMES, "y": DAILY.to_numpy() * (k + 1)}) for k in range(9))
    model = fk.PretrainedForecaster(horizon=7, series_id="id", time="day", target="y", fine_tune=False).fit(panel)
    together = model.predict()
    monkeypatch.setattr(pretrained, "CHUNK", 2)
    pd.testing.assert_frame_equal(model.predict(), together)


def test_known_covariates_have_a_linear_effect():
    known = pd.DataFrame(
        {"promotion": (RNG.random(97) < 0.3) * 1.0}, index=TIMES.append(TIMES[-7:] + pd.Timedelta("7D"))
    )
    y = DAILY + 20 * known["promotion"][:90]
    model = fk.PretrainedForecaster(horizon=7).fit(known[:90], y)
    ahead = known[90:].copy()
    with_it, without = (model.predict(ahead.assign(promotion=value)) for value in (1.0, 0.0))
    np.testing.assert_allclose(np.ravel(with_it) - np.ravel(without), 20, rtol=0.1)


def test_a_saved_model_forecasts_the_same(fitted, tmp_path):
    fitted.save(tmp_path / "m.forecast")
    again = fk.load(tmp_path / "m.forecast")
    pd.testing.assert_series_equal(again.predict(), fitted.predict())


def test_weights_of_a_file_travel_with_a_saved_model(tmp_path):
    weights = {name: values * 0.9 for name, values in load_weights().items()}
    save_weights(tmp_path / "own.npz", weights, {"by": "a test"})
    model = fk.PretrainedForecaster(horizon=7, weights=tmp_path / "own.npz").fit(DAILY)
    assert not np.allclose(model.predict(), fk.PretrainedForecaster(horizon=7).fit(DAILY).predict())
    model.save(tmp_path / "m.forecast")
    (tmp_path / "own.npz").unlink()
    pd.testing.assert_series_equal(fk.load(tmp_path / "m.forecast").predict(), model.predict())


def test_wrong_weights_are_refused(tmp_path):
    with pytest.raises(ParameterError, match=r"'2026\.2-synthetic' or the path of a file, got '1999'"):
        fk.PretrainedForecaster(weights="1999").fit(DAILY)
    with pytest.raises(ParameterError, match="weights must be"):
        fk.PretrainedForecaster(weights=3).fit(DAILY)
    (tmp_path / "w.npz").write_bytes(b"no weights")
    with pytest.raises(ArtifactError, match="save_weights"):
        fk.PretrainedForecaster(weights=str(tmp_path / "w.npz")).fit(DAILY)
    np.savez(tmp_path / "x.npz", a=np.ones(3))
    with pytest.raises(ArtifactError, match="save_weights"):
        fk.PretrainedForecaster(weights=str(tmp_path / "x.npz")).fit(DAILY)


def test_changed_packaged_weights_are_refused(tmp_path, monkeypatch):
    changed = bytearray((packaged.FOLDER / f"{packaged.LATEST}.npz").read_bytes())
    changed[-1] ^= 1
    (tmp_path / f"{packaged.LATEST}.npz").write_bytes(changed)
    monkeypatch.setattr(packaged, "FOLDER", tmp_path)
    with pytest.raises(ArtifactError, match="the packaged weights must be unchanged"):
        fk.PretrainedForecaster(horizon=7).fit(DAILY)


def test_without_a_season_there_is_no_longer_one():
    without = fk.PretrainedForecaster(horizon=7, season_length=1, fine_tune=False).fit(DAILY)
    assert (without.season_length_, without.second_season_) == (1, 0)


def test_neither_frameworks_nor_scikit_learn_are_needed():
    code = (
        "import sys\n"
        "sys.modules.update(dict.fromkeys(['tensorflow', 'keras', 'torch', 'jax', 'sklearn', 'scipy', 'pyarrow']))\n"
        "import numpy as np, forecastkit as fk\n"
        "print(fk.PretrainedForecaster(horizon=3).fit(np.arange(90.0)).predict())"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)


def hourly(rows, seed=0):
    """Hours with a daily pattern and persistent deviations of a kind that is not in the pre-training."""
    rng = np.random.default_rng(seed)
    time = np.arange(rows)
    deviations = np.repeat(rng.normal(size=rows // 6 + 1), 6)[:rows]
    return 40 + 8 * np.sin(2 * np.pi * time / 24) + deviations + 0.1 * rng.normal(size=rows)


def test_fine_tuning_is_used_only_where_validation_rows_improve():
    data = hourly(900)
    model = fk.PretrainedForecaster(horizon=12, season_length=24).fit(data)
    plain = fk.PretrainedForecaster(horizon=12, season_length=24, fine_tune=False).fit(data)
    assert plain.fine_tuned_steps_ == 0
    assert plain.head_ is None
    if model.fine_tuned_steps_:
        assert model.scores_["mae"] < plain.scores_["mae"]
    else:
        np.testing.assert_array_equal(model.predict(), plain.predict())
    short = fk.PretrainedForecaster(horizon=12).fit(AIR)
    assert short.fine_tuned_steps_ == 0  # two validation windows that do not overlap


def test_fine_tuning_by_a_number_of_steps(tmp_path):
    data = hourly(600)
    model = fk.PretrainedForecaster(horizon=12, season_length=24, fine_tune=20).fit(data)
    plain = fk.PretrainedForecaster(horizon=12, season_length=24, fine_tune=False).fit(data)
    assert model.fine_tuned_steps_ == 20
    assert not np.allclose(model.predict(), plain.predict())
    model.save(tmp_path / "m.forecast")
    np.testing.assert_array_equal(fk.load(tmp_path / "m.forecast").predict(), model.predict())
    none = fk.PretrainedForecaster(horizon=12, season_length=24, fine_tune=0).fit(data)
    np.testing.assert_array_equal(none.predict(), plain.predict())


@pytest.mark.parametrize("wrong", [True, "yes", -1, 2.5])
def test_wrong_fine_tuning_is_refused(wrong):
    with pytest.raises(ParameterError, match="fine_tune"):
        fk.PretrainedForecaster(fine_tune=wrong).fit(DAILY)
