"""`partial_fit` trains on with newer rows and leaves scales and sizes as they are."""

import numpy as np
import pandas as pd
import pytest
from conftest import in_rotation, weights_of

import forecastkit as fk

TINY = {"horizon": 4, "lookback": 12, "epochs": 2, "units": 8, "random_state": 0, "linear_path": False}


def wave(first, stop):
    return np.sin(np.arange(first, stop) / 3.0)


@pytest.fixture(scope="module")
def network():
    return fk.GRUForecaster(**TINY).partial_fit(wave(0, 120))


def test_the_first_call_is_a_fit(network):
    again = fk.GRUForecaster(**TINY).fit(wave(0, 120))
    assert np.array_equal(network.predict(), again.predict())


def test_a_network_trains_on_with_frozen_scales():
    model = fk.GRUForecaster(**TINY).fit(wave(0, 120))
    scaler, weights = model.scaler_, weights_of(model)
    model.partial_fit(wave(120, 160))
    assert model.scaler_ is scaler
    assert len(model.history_.target) == 160
    assert any(not np.array_equal(a, b) for a, b in zip(weights, weights_of(model), strict=True))
    assert np.array_equal(model.trained_until_, [159])


def test_the_linear_forecaster_learns_from_the_newer_rows():
    rng = np.random.default_rng(0)
    old, new = rng.normal(size=200), wave(0, 400)
    model = fk.LinearForecaster(horizon=4, lookback=12).fit(old)
    before = np.abs(model.predict(history=new[:300]) - new[300:304]).mean()
    model.partial_fit(new[:300])
    assert np.abs(model.predict() - new[300:304]).mean() < 0.7 * before


def test_an_ensemble_trains_its_members():
    members = [fk.LinearForecaster(), fk.NaiveForecaster()]
    model = fk.EnsembleForecaster(forecasters=members, horizon=4, lookback=12).fit(wave(0, 100))
    weights = model.forecasters_[0].ridge_.weights.copy()
    model.partial_fit(wave(100, 160))
    assert not np.array_equal(weights, model.forecasters_[0].ridge_.weights)
    by_hand = np.mean([member.predict() for member in model.forecasters_], axis=0)
    assert np.allclose(model.predict(), by_hand)


# ---------------------------------------------------------------------------------------------- gaps, files, few rows


def daily(values, first=0):
    """A series of days."""
    return pd.Series(values, index=pd.date_range("2024-01-01", periods=first + len(values))[first:])


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """A network fitted on 120 days without a gap, in a file."""
    path = tmp_path_factory.mktemp("models") / "gru.forecast"
    fk.GRUForecaster(**TINY).fit(daily(wave(0, 120))).save(path)
    return path


@pytest.mark.parametrize("name", in_rotation(["GRU", "Transformer", "TFT"], ["Transformer", "TFT"]))
def test_a_network_that_knows_no_gaps_is_given_a_mask_and_forecasts_the_same(name):
    model = getattr(fk, f"{name}Forecaster")(**{**TINY, "windows_per_epoch": 16}).fit(wave(0, 120))
    before, model.network_ = model.predict(), model.network_.with_mask()
    assert model.network_.sizes.masked
    np.testing.assert_allclose(model.predict(), before, atol=1e-5)


def test_a_network_fitted_without_gaps_trains_on_with_gaps(saved):
    newer = daily(wave(120, 150), 120).drop(pd.date_range("2024-05-06", periods=2))
    model = fk.load(saved).partial_fit(newer)
    assert model.cutoff_ == pd.Timestamp("2024-05-29")
    assert np.abs(model.predict() - wave(150, 154)).mean() < 0.7


@pytest.mark.parametrize("rows", [1, 7])
def test_a_loaded_network_trains_on_with_what_its_file_holds(saved, rows):
    model = fk.load(saved)
    before = weights_of(model)
    model.partial_fit(daily(wave(120, 120 + rows), 120))
    assert any(not np.array_equal(a, b) for a, b in zip(before, weights_of(model), strict=True))
    week = 7
    needed = max(TINY["lookback"] + 2 * TINY["horizon"], 4 * week + week)  # to train on, and for intervals
    assert len(model.history_.target) == needed + rows
    assert np.isfinite(model.predict()).all()


def test_a_loaded_network_says_how_many_rows_it_lacks(saved):
    model = fk.load(saved)
    stop = model.history_.last_observed() + 1
    model.history_ = model.history_.between(stop - 6, stop)  # as a file of an earlier version holds them
    before = model.predict(history=daily(wave(0, 100)))
    needed = TINY["lookback"] + TINY["horizon"]
    message = rf"partial_fit: continued training needs {needed} rows .* got 9, 6 of them kept .* lacks {needed - 9}\."
    with pytest.raises(fk.InputError, match=message):
        model.partial_fit(daily(wave(120, 123), 120))
    assert model.cutoff_ == pd.Timestamp("2024-04-29")
    np.testing.assert_array_equal(model.predict(history=daily(wave(0, 100))), before)


def test_only_some_series_have_newer_rows_and_a_new_one_is_short():
    def long(name, first, stop):
        days = pd.date_range("2024-01-01", periods=stop)[first:]
        return pd.DataFrame({"unique_id": name, "ds": days, "y": wave(first, stop)})

    model = fk.GRUForecaster(**TINY).fit(pd.concat([long("a", 0, 100), long("b", 0, 90)]))
    model.partial_fit(pd.concat([long("a", 100, 103), long("new", 95, 103)]))
    forecast = model.forecast()
    assert forecast.groupby("unique_id").size().to_dict() == {"a": 4, "b": 4, "new": 4}
    assert np.isfinite(forecast["forecast"]).all()


def test_values_that_a_distribution_cannot_give_are_refused():
    model = fk.GRUForecaster(**TINY, loss="poisson").fit(np.arange(60) % 5)
    with pytest.raises(fk.InputError, match=r"whole numbers from 0 to 9\.0e\+15, got -1 at 60"):
        model.partial_fit([-1.0, 2.0])
    assert model.cutoff_ == 59


# ---------------------------------------------------------------------------------------------- loops


def linear():
    return fk.LinearForecaster(horizon=4, lookback=12)


def ensemble():
    members = [fk.GRUForecaster(epochs=2, units=8, random_state=0, windows_per_epoch=32), fk.LinearForecaster()]
    return fk.EnsembleForecaster(forecasters=members, horizon=4, lookback=12)


def network_alone():
    return fk.GRUForecaster(**TINY)


def two_series(rows):
    """The series and one of ten times its size that lacks every third day, in a long table."""
    second = 10 * rows[rows.index.day_of_year % 3 > 0]
    parts = [pd.DataFrame({"id": name, "ds": part.index, "y": part.to_numpy()}) for name, part in
             (("a", rows), ("b", second))]  # fmt: skip
    return pd.concat(parts)


def as_it_is(rows):
    return rows


KEYS = {"series_id": "id", "time": "ds", "target": "y"}


@pytest.mark.parametrize(
    ("make", "form", "days"),
    [
        (network_alone, as_it_is, 30),
        (linear, two_series, 60),
        *(
            pytest.param(make, form, 60, marks=pytest.mark.rotated)
            for make in (network_alone, linear, ensemble)
            for form in (as_it_is, two_series)
            if (make, form) != (linear, two_series)
        ),
    ],
)
def test_days_of_load_update_forecast_save(make, form, days, tmp_path):
    path, series = tmp_path / "model.forecast", daily(wave(0, 200 + days))
    alone = make().set_params(**KEYS if form is two_series else {}).fit(form(series[:200]))
    alone.save(path)
    sizes = [path.stat().st_size]
    for day in range(200, 200 + days):
        newer = form(series[day : day + 1])
        model = fk.load(path).update(newer)
        expected = alone.update(newer).forecast()
        # A loaded network is computed by NumPy: the same but for rounding.
        np.testing.assert_allclose(model.forecast()["forecast"], expected["forecast"], rtol=1e-5, atol=1e-5)
        model.save(path)
        sizes.append(path.stat().st_size)
    assert max(sizes) < sizes[0] + 1000


@pytest.mark.parametrize("months", in_rotation([15, 60], [60]))
def test_months_of_load_partial_fit_save(tmp_path, months):
    path, series = tmp_path / "model.forecast", daily(wave(0, 120 + months * 3))
    alone = fk.GRUForecaster(**TINY).fit(series[:120])
    alone.save(path)
    size, errors = path.stat().st_size, np.zeros(2)
    for month in range(120, len(series) - 4, 3):
        newer, actual = series[month : month + 3], wave(month + 3, month + 7)
        model = fk.load(path).partial_fit(newer)
        errors += [np.abs(one.predict() - actual).mean() for one in (model, alone.partial_fit(newer))]
        model.save(path)
    assert path.stat().st_size < size + 2000
    assert errors[0] < 1.5 * errors[1], "the rows of the file serve about as well as all of them"


@pytest.mark.rotated
@pytest.mark.parametrize("make", [network_alone, linear])
def test_sixty_months_of_a_panel(make, tmp_path):
    path, series = tmp_path / "model.forecast", daily(wave(0, 304))
    truth = two_series(series)
    alone = make().set_params(**KEYS).fit(two_series(series[:120]))
    alone.save(path)
    size, errors = path.stat().st_size, np.zeros(2)
    for month in range(120, 300, 3):
        newer = two_series(series[month : month + 3])
        model = fk.load(path).partial_fit(newer)
        for place, one in enumerate((model, alone.partial_fit(newer))):
            found = one.forecast().merge(truth)
            errors[place] += (found["forecast"] - found["y"]).abs().mean()
        model.save(path)
    assert path.stat().st_size < size + 4000
    assert errors[0] < (1.5 if make is network_alone else 1 + 1e-6) * errors[1]


def test_members_count_the_rows_they_were_trained_on_and_start_from_the_same_history():
    members = [fk.NaiveForecaster(), fk.LinearForecaster(recipes=1)]
    model = fk.EnsembleForecaster(forecasters=members, horizon=3).fit(np.arange(60.0))
    model.update(np.arange(60.0, 70.0))
    assert all(member.history_ is model.history_ for member in model.forecasters_)
    assert {int(member.trained_until_[0]) for member in model.forecasters_} == {59}
    model.partial_fit(np.arange(70.0, 75.0))
    assert {int(member.trained_until_[0]) for member in model.forecasters_} == {74}
