"""Sums of hierarchical series, and forecasts that add up."""

import numpy as np
import pandas as pd
import pytest

import forecastkit as fk
from forecastkit.hierarchy.reconciliation import METHODS
from forecastkit.utils.exceptions import InputError

DAYS = pd.date_range("2024-01-01", periods=60, freq="D")


def sales(seed=0):
    """Three shops in two regions."""
    rng = np.random.default_rng(seed)
    parts = [
        pd.DataFrame({"region": region, "shop": shop, "day": DAYS, "sold": level + rng.normal(size=len(DAYS))})
        for region, shop, level in (("south", "c", 20.0), ("north", "a", 5.0), ("north", "b", 9.0))
    ]
    return pd.concat(parts, ignore_index=True)


def aggregated(frame=None):
    return fk.aggregate(sales() if frame is None else frame, ["region", "shop"], time="day", target="sold")


def forecasts(hierarchy, seed=1, paths=0):
    """Forecasts of two cutoffs and three steps that do not add up."""
    rng = np.random.default_rng(seed)
    keys = [hierarchy.names, DAYS[-2:], [1, 2, 3], *([range(paths)] if paths else [])]
    names = ["unique_id", "cutoff", "step", *(["path"] if paths else [])]
    frame = pd.MultiIndex.from_product(keys, names=names).to_frame(index=False)
    return frame.assign(forecast=rng.normal(30, 3, len(frame)), actual=np.nan)


def wide(frame, hierarchy):
    keys = [name for name in ("cutoff", "step", "path") if name in frame]
    return frame.pivot(index="unique_id", columns=keys, values="forecast").loc[list(hierarchy.names)].to_numpy()


def past(hierarchy, count=80, seed=2):
    """Forecasts with errors that differ by series and are correlated, and their actuals."""
    rng = np.random.default_rng(seed)
    actual = hierarchy.summing @ rng.normal(10, 2, (hierarchy.summing.shape[1], count))
    error = rng.normal(size=actual.shape) * np.arange(1, len(actual) + 1)[:, None] + rng.normal(size=count)
    frame = pd.MultiIndex.from_product([hierarchy.names, range(count)], names=["unique_id", "cutoff"]).to_frame(
        index=False
    )
    return frame.assign(step=1, actual=actual.ravel(), forecast=(actual + error).ravel())


def test_levels_are_sums_of_their_parts():
    frame, hierarchy = aggregated()
    assert hierarchy.levels == {
        "total": ("total",), "region": ("north", "south"), "region/shop": ("north/a", "north/b", "south/c"),
    }  # fmt: skip
    own = sales()
    for name, rows in (("total", own), ("north", own[own["region"] == "north"]), ("south/c", own[own["shop"] == "c"])):
        expected = rows.groupby("day")["sold"].sum()
        found = frame[frame["unique_id"] == name].set_index("day")["sold"]
        pd.testing.assert_series_equal(found, expected)


def test_sums_are_missing_where_a_part_is_but_not_before_it_begins():
    frame = sales()
    begins = (frame["shop"] == "a") & (frame["day"] < DAYS[10])
    missing = (frame["shop"] == "a") & (frame["day"] == DAYS[20])
    found, _ = aggregated(frame[~begins & ~missing])
    found = found.pivot(index="day", columns="unique_id", values="sold")
    assert found["north"].isna().to_numpy().nonzero()[0].tolist() == [20]
    assert found["total"].isna().to_numpy().nonzero()[0].tolist() == [20]
    assert found["north/a"].isna().sum() == 11
    np.testing.assert_allclose(found["north"].iloc[:10], found["north/b"].iloc[:10])


@pytest.mark.parametrize("method", METHODS)
def test_reconciled_forecasts_add_up_and_coherent_ones_stay(method):
    hierarchy = aggregated()[1]
    errors = past(hierarchy)
    given = forecasts(hierarchy)
    found = fk.reconcile(given, hierarchy, method=method, errors=errors)
    values = wide(found, hierarchy)
    np.testing.assert_allclose(values, hierarchy.summing @ values[-3:], rtol=1e-6)
    again = fk.reconcile(found, hierarchy, method=method, errors=errors)
    np.testing.assert_allclose(wide(again, hierarchy), values, rtol=1e-6)
    pd.testing.assert_frame_equal(found.drop(columns="forecast"), given.drop(columns="forecast"))


@pytest.mark.parametrize(("method", "variances"), [("ols", [1, 1, 1, 1, 1, 1]), ("wls_struct", [3, 2, 1, 1, 1, 1])])
def test_projections_by_their_formula(method, variances):
    hierarchy = aggregated()[1]
    given = forecasts(hierarchy)
    S, W = hierarchy.summing, np.diag(1 / np.array(variances, "float64"))
    expected = S @ np.linalg.solve(S.T @ W @ S, S.T @ W @ wide(given, hierarchy))
    np.testing.assert_allclose(wide(fk.reconcile(given, hierarchy, method=method), hierarchy), expected, rtol=1e-6)


def test_forecasts_that_are_not_negative_stay_so():
    hierarchy = aggregated()[1]
    given = forecasts(hierarchy)
    given["forecast"] = given["unique_id"].map({"north/a": 1.0, "total": 1.0}).fillna(given["forecast"])
    values = wide(fk.reconcile(given, hierarchy, method="ols"), hierarchy)
    assert values.min() == 0.0
    np.testing.assert_allclose(values, hierarchy.summing @ values[-3:])
    given.loc[given["unique_id"] == "total", "forecast"] = -1.0
    assert wide(fk.reconcile(given, hierarchy, method="ols"), hierarchy).min() < 0.0


def test_accurate_series_change_less():
    hierarchy = aggregated()[1]
    given = forecasts(hierarchy)
    change = np.abs(wide(fk.reconcile(given, hierarchy, errors=past(hierarchy)), hierarchy) - wide(given, hierarchy))
    assert change[0].mean() < change[3:].mean()  # errors of the total are the smallest


def test_rows_may_come_in_any_order():
    hierarchy = aggregated()[1]
    given = forecasts(hierarchy)
    mixed = given.sample(frac=1, random_state=0)
    found = fk.reconcile(mixed, hierarchy).sort_index()
    pd.testing.assert_frame_equal(found, fk.reconcile(given, hierarchy))


def test_bike_rentals_of_two_kinds_of_riders_add_up():
    rentals = fk.load_dataset("bike_daily_panel").query("unique_id != 'total'")
    frame, hierarchy = fk.aggregate(rentals, ["rider"], time="time", target="y")
    assert len(hierarchy.names) == 3
    early = frame[frame["time"] < "2012-10-01"]
    model = fk.LinearForecaster(horizon=14, lookback=56, recipes=1, time="time").fit(early)
    errors = fk.backtest(
        fk.LinearForecaster(horizon=14, lookback=56, recipes=1, time="time"), early, n_windows=20
    ).forecasts
    base = fk.backtest(model, frame, n_windows=40).forecasts
    found = fk.reconcile(base, hierarchy, errors=errors)
    values = wide(found, hierarchy)
    assert np.abs(values - hierarchy.summing @ values[1:]).max() < 1e-6 * np.abs(values).max()
    error, before = (np.abs(one["forecast"] - one["actual"]).mean() for one in (found, base))
    assert error < 1.05 * before


def test_sample_paths_add_up_each_by_itself():
    frame, hierarchy = aggregated()
    model = fk.SeasonalNaiveForecaster(horizon=3, season_length=7, time="day").fit(frame)
    paths = fk.reconcile(model.sample(5, random_state=0), hierarchy)
    values = wide(paths, hierarchy)
    assert values.shape == (6, 15)
    np.testing.assert_allclose(values, hierarchy.summing @ values[-3:], rtol=1e-6)


def test_quantile_columns_are_left_out_with_a_warning():
    hierarchy = aggregated()[1]
    given = forecasts(hierarchy).assign(**{"q0.1": 1.0, "q0.9": 2.0})
    with pytest.warns(UserWarning, match="quantile columns are left out.*q0.1, q0.9"):
        found = fk.reconcile(given, hierarchy)
    assert not {"q0.1", "q0.9"} & set(found)


def test_what_does_not_fit_is_refused():
    frame, hierarchy = aggregated()
    given = forecasts(hierarchy)
    with pytest.raises(InputError, match="must have one forecast of each cutoff and step, got 0 of 'north'"):
        fk.reconcile(given[given["unique_id"] != "north"], hierarchy)
    with pytest.raises(InputError, match="must have one forecast of each cutoff and step, got 2 of 'total'"):
        fk.reconcile(pd.concat([given, given[:1]]), hierarchy)
    with pytest.raises(InputError, match="series of forecasts must be series of the hierarchy, got 'west'"):
        fk.reconcile(given.replace("north", "west"), hierarchy)
    with pytest.raises(InputError, match="forecasts must be long"):
        fk.reconcile(given.drop(columns="step"), hierarchy)
    with pytest.raises(InputError, match="'mint_shrink' needs errors="):
        fk.reconcile(given, hierarchy, method="mint_shrink")
    wrong = past(hierarchy)
    wrong.loc[wrong["unique_id"] == "north", "actual"] += 1.0
    with pytest.raises(InputError, match=r"actuals of a series must be the sum of its parts, got .* of 'north'"):
        fk.reconcile(given, hierarchy, errors=wrong)
    with pytest.raises(InputError, match="one row per time, got 1 rows again, the first of 'north/a'"):
        aggregated(pd.concat([sales(), sales().query("shop == 'a'")[:1]]))
    with pytest.raises(InputError, match="every row must have all of 'region', 'shop'"):
        aggregated(sales().replace("north", None))
    with pytest.raises(InputError, match="different levels must have different names, got 'total'"):
        aggregated(sales().replace("north", "total"))
    with pytest.raises(InputError, match="'area'"):
        fk.aggregate(frame, ["area"], time="day", target="sold")
