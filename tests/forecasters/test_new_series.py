"""Series without a history are forecast from the histories of series with similar static covariates."""

import numpy as np
import pandas as pd
import pytest

import forecastkit as fk
from forecastkit.forecasters.new_series import _similar
from forecastkit.utils.exceptions import DataWarning, InputError

DAYS = pd.date_range("2024-01-01", periods=120, freq="D")
AHEAD = pd.date_range("2024-04-30", periods=7, freq="D")


@pytest.fixture(scope="module")
def shops():
    """Twelve shops of three sizes, whose sales grow with size and are half as much again on days of a promotion."""
    rng, parts = np.random.default_rng(0), []
    for number in range(12):
        size, promo = (1.0, 5.0, 10.0)[number % 3], rng.random(len(DAYS)) < 0.2
        y = size * (
            10 + 3 * np.sin(2 * np.pi * np.arange(len(DAYS)) / 7) + 5 * promo + 0.2 * rng.normal(size=len(DAYS))
        )
        columns = {"ds": DAYS, "y": y, "promo": promo.astype(float), "size": size, "kind": f"kind {number % 3}"}
        parts.append(pd.DataFrame({"unique_id": f"shop {number}", **columns}))
    return pd.concat(parts, ignore_index=True)


@pytest.fixture(scope="module")
def model(shops):
    return fk.LinearForecaster(horizon=7, target="y", known="promo", static=["size", "kind"]).fit(shops)


def rows(name="new", size=10.0, kind="kind 2", promo=(0, 0, 1, 0, 0, 0, 0)):
    return pd.DataFrame({"unique_id": name, "ds": AHEAD, "promo": promo, "size": size, "kind": kind}).astype(
        {"promo": float}
    )


@pytest.mark.parametrize(("size", "kind"), [(1.0, "kind 0"), (10.0, "kind 2")])
def test_level_season_and_known_covariates_are_those_of_similar_series(model, size, kind):
    with pytest.warns(DataWarning, match="LinearForecaster: no history of 'new'"):
        found = model.predict(rows(size=size, kind=kind))["y"]
    expected = size * (10 + 3 * np.sin(2 * np.pi * np.arange(120, 127) / 7) + 5 * np.array([0, 0, 1, 0, 0, 0, 0]))
    np.testing.assert_allclose(found, expected, rtol=0.1)


def test_known_and_new_series_in_one_call_and_long_results(model, shops):
    both = pd.concat([rows("shop 1", 5.0, "kind 1"), rows("new")])
    with pytest.warns(DataWarning, match="no history of 'new'"):
        found = model.predict(both)
    alone = model.predict(rows("shop 1", 5.0, "kind 1"))
    pd.testing.assert_frame_equal(found[:7].reset_index(drop=True), alone)
    with pytest.warns(DataWarning, match="the most similar being 'shop 2'"):
        long = model.forecast(rows("new"))
    np.testing.assert_allclose(long["forecast"], found["y"][7:])
    assert set(model.history_.ids) == set(shops["unique_id"])  # it is not remembered


def test_the_same_after_loading(model, tmp_path):
    model.save(tmp_path / "shops.forecast")
    with pytest.warns(DataWarning):
        pd.testing.assert_frame_equal(fk.load(tmp_path / "shops.forecast").predict(rows()), model.predict(rows()))


def test_weights_by_inverse_squared_distance():
    known, given = np.array([[0.0], [1.0], [4.0]]), np.array([[1.0]])
    similar, weights = _similar(known, given, coded=0)
    distance = ((known[:, 0] - 1.0) / known.std()) ** 2
    expected = 1 / (distance + 0.01)
    assert similar.tolist() == [[1, 0, 2]]
    np.testing.assert_allclose(weights[0], (expected / expected.sum())[[1, 0, 2]])
    codes = _similar(np.array([[1.0], [9.0], [2.0]]), np.array([[9.0]]), coded=1)
    assert codes[0][0, 0] == 1
    assert codes[1][0, 1] == codes[1][0, 2]


def test_without_static_covariates_new_series_are_refused(model, shops):
    with pytest.raises(
        InputError, match=r"every series must have a history, got none for 'new'\. Pass history=, or static"
    ):
        model.predict(rows().drop(columns="kind"))
    plain = fk.LinearForecaster(horizon=7, target="y").fit(shops[["unique_id", "ds", "y"]])
    with pytest.raises(InputError, match="every series must have a history"):
        plain.predict(rows()[["unique_id", "ds"]])
    with pytest.raises(InputError, match="series without a history must have static covariates, got none for 'new'"):
        fk.LinearForecaster(horizon=7, target="y", known="promo", static="size").fit(
            shops.drop(columns="kind")
        ).predict(rows(size=np.nan).drop(columns="kind"))
