"""HierarchicalForecaster: sums of levels, forecasts that add up, within bounds, with intervals that hold."""

import sys

import numpy as np
import pandas as pd
import pytest

import forecastkit as fk
from forecastkit.data.ingest.read_panel import read_panel
from forecastkit.data.levels import with_levels
from forecastkit.data.windows import Origins
from forecastkit.hierarchy.reconciliation import METHODS
from forecastkit.utils.exceptions import InputError, ParameterError

KEYS = ["region", "shop"]
SHOPS = (("south", "c", 20.0), ("north", "a", 5.0), ("north", "b", 9.0), ("south", "d", 1.0))
ROLES = {"series_id": KEYS, "time": "day", "target": "sold"}
LINEAR = {"horizon": 4, "lookback": 14, "recipes": 1, "pooling": "complete"}


def sales(days=160, first=0, seed=0):
    """Daily sales of four shops that rise and fall together; those of one are often 0."""
    rng = np.random.default_rng(seed)
    season = 2 * np.sin(2 * np.pi * np.arange(first + days) / 7)
    together = rng.normal(size=first + days)
    parts = []
    for region, shop, level in SHOPS:
        sold = np.maximum(level + season + together + rng.normal(size=first + days), 0.0)
        times = pd.date_range("2024-01-01", periods=first + days)
        parts.append(pd.DataFrame({"region": region, "shop": shop, "day": times, "sold": sold})[first:])
    return pd.concat(parts, ignore_index=True)


def make(method="auto", **parameters):
    return fk.HierarchicalForecaster(fk.LinearForecaster(**LINEAR), method=method, **{**ROLES, **parameters})


@pytest.fixture(scope="module")
def model():
    return make().fit(sales())


def assert_adds_up(frame, column="forecast"):
    """Every sum equals that of the shops, by cutoff, step and path."""
    keys = [name for name in ("cutoff", "step", "path") if name in frame]
    shops = frame[frame["shop"] != "total"]
    for part, rows in (("total", shops), ("north", shops[shops["region"] == "north"])):
        own = frame[(frame["region"] == part) & (frame["shop"] == "total")].set_index(keys)[column]
        pd.testing.assert_series_equal(own, rows.groupby(keys)[column].sum()[own.index], rtol=1e-6, check_names=False)


@pytest.mark.parametrize("method", METHODS)
def test_every_method_adds_up_and_stays_above_zero(method):
    found = make(method).fit(sales())
    frame = found.forecast()
    assert len(frame) == 7 * LINEAR["horizon"]
    assert_adds_up(frame)
    assert (frame.select_dtypes("number") >= 0).all(axis=None)
    paths = found.sample(20, random_state=0)
    assert_adds_up(paths)
    assert (paths["forecast"] >= 0).all()


def test_the_series_of_all_levels_are_sums(model):
    rows = sales()
    history = model.history_
    for name, part in ((("total", "total"), rows), (("north", "total"), rows[rows["region"] == "north"])):
        entity = history.ids.index(name)
        own = history.target[history.indptr[entity] : history.indptr[entity + 1], 0]
        np.testing.assert_allclose(own, part.groupby("day")["sold"].sum().to_numpy()[-len(own) :], rtol=1e-5)


def test_bottom_up_is_the_forecaster_of_the_shops():
    """Without sums, the forecaster inside sees the shops alone, as it does where it is fitted on them."""
    apart = fk.SeasonalNaiveForecaster(horizon=4, season_length=7, **ROLES).fit(sales()).forecast(quantile_levels=[])
    inside = fk.SeasonalNaiveForecaster(horizon=4, season_length=7)
    found = fk.HierarchicalForecaster(inside, method="bottom_up", **ROLES).fit(sales()).forecast(quantile_levels=[])
    shops = found[found["shop"] != "total"].reset_index(drop=True)
    keys = [*KEYS, "day"]
    pd.testing.assert_frame_equal(
        shops.sort_values(keys).reset_index(drop=True), apart.sort_values(keys).reset_index(drop=True)
    )


def test_intervals_of_the_total_hold_where_shops_rise_and_fall_together():
    rows = sales(400, seed=3)
    test = fk.backtest(make().fit(rows[rows["day"] < "2024-11-01"]), rows, n_windows=60, quantile_levels=[0.1, 0.9])
    total = test.forecasts[test.forecasts["region"] == "total"]
    held = total["actual"].between(total["q0.1"], total["q0.9"]).mean()
    assert 0.7 < held < 0.9
    assert_adds_up(test.forecasts)


def test_a_loaded_model_is_updated_and_forecasts_the_same(model, tmp_path):
    model.save(tmp_path / "model.forecast")
    again = fk.load(tmp_path / "model.forecast")
    pd.testing.assert_frame_equal(again.forecast(), model.forecast())
    newer = sales(3, 160)
    expected = model.forecast(history=pd.concat([sales(), newer]))
    again.update(newer.iloc[::-1])
    pd.testing.assert_frame_equal(again.forecast(), expected, rtol=1e-5)
    assert_adds_up(again.forecast())


def test_rows_to_forecast_are_those_of_all_shops(model):
    ahead = sales(4, 160).drop(columns="sold")
    found = model.predict(ahead)
    keys = [*KEYS, "day"]
    expected = model.forecast().set_index(keys)["forecast"]
    np.testing.assert_allclose(
        found.reset_index().set_index(keys)["sold"], expected[found.reset_index().set_index(keys).index]
    )
    with pytest.raises(
        InputError, match=r"bottom series of the fit, and for all of them, got none of \('south', 'c'\)"
    ):
        model.predict(ahead[ahead["shop"] != "c"])


def test_covariates_of_sums_are_means():
    rows = sales()
    rows["price"] = np.random.default_rng(1).normal(size=len(rows))
    history = make(known="price").fit(rows).history_
    entity = history.ids.index(("north", "total"))
    own = history.known[history.indptr[entity] : history.indptr[entity + 1], 0]
    expected = rows[rows["region"] == "north"].groupby("day")["price"].mean()
    np.testing.assert_allclose(own, expected.to_numpy()[-len(own) :], rtol=1e-5)


def test_a_panel_that_was_read_for_others_is_completed():
    """As `fk.compare` reads it, once for all candidates."""
    panel, schema = read_panel(sales(), **ROLES)
    found = make()._fit_panel(panel, schema)
    origins = Origins.every_channel(np.arange(len(panel.ids)), panel.last_observed(), 1)
    points = found._forecast_at(panel, origins).point()
    frame = found.forecast().set_index(KEYS)["forecast"]
    for name, own in zip(panel.ids, points, strict=True):
        np.testing.assert_allclose(own, frame[name])


def test_one_key_and_bounds_by_shop():
    rows = sales().assign(shop=lambda frame: frame["region"] + frame["shop"]).drop(columns="region")
    upper = {"southc": float(rows.loc[rows["shop"] == "southc", "sold"].max())}
    found = make(series_id="shop", upper=upper).fit(rows)
    frame = found.forecast()
    assert set(frame["shop"]) == {"total", "southc", "southd", "northa", "northb"}
    assert (frame.loc[frame["shop"] == "southc", "q0.9"] <= upper["southc"]).all()
    wide = frame.pivot(index="shop", columns="step", values="forecast")
    np.testing.assert_allclose(wide.loc["total"], wide.drop(index="total").sum())


def test_a_sum_begins_with_its_first_part_and_is_missing_where_a_part_is():
    rows = sales()
    late = rows[(rows["shop"] != "a") | (rows["day"] >= "2024-01-11")]
    late = late[(late["shop"] != "b") | (late["day"] != "2024-01-20")]
    history = make("bottom_up").fit(late).history_
    entity = history.ids.index(("north", "total"))
    own = history.target[history.indptr[entity] : history.indptr[entity + 1], 0]
    assert len(own) == 160
    expected = late[late["region"] == "north"].groupby("day")["sold"].sum().to_numpy()
    missing = np.isnan(own)
    assert missing.nonzero()[0].tolist() == [19]
    np.testing.assert_allclose(own[~missing], expected[~missing], rtol=1e-5)


def test_given_sums_must_be_those_of_the_shops():
    panel = make().fit(sales()).history_
    assert with_levels(panel, tuple(KEYS)).ids == panel.ids
    totals = sales().groupby("day", as_index=False)["sold"].sum().assign(region="total", shop="total")
    with_sums = pd.concat([totals, sales()])
    pd.testing.assert_frame_equal(make().fit(with_sums).forecast(), make().fit(sales()).forecast())
    totals.loc[5, "sold"] += 1.0
    with pytest.raises(InputError, match=r"must be the sum of its parts, got .* of \('total', 'total'\) at 2024-01-06"):
        make().fit(pd.concat([totals, sales()]))


def test_what_is_no_hierarchy_is_refused(monkeypatch):
    rows = sales()
    with pytest.raises(ParameterError, match="method must be one of"):
        make("middle_out").fit(rows)
    with pytest.raises(ParameterError, match="forecaster must be a Forecaster"):
        fk.HierarchicalForecaster("linear").fit(rows)
    with pytest.raises(InputError, match=r"must end at the same time, got \('south', 'd'\) at 2024-02-.*have ended"):
        make().fit(rows[(rows["shop"] != "d") | (rows["day"] < "2024-02-20")])
    with pytest.raises(ParameterError, match="sums cannot be weighted"):
        make().fit(rows, sample_weight=np.ones(len(rows)))
    fitted = make("bottom_up").fit(rows)
    before = fitted.forecast()
    with pytest.raises(InputError, match="also"):
        fitted.update(pd.concat([sales(3, 160), sales(3, 160).query("shop == 'a'").replace("a", "new")]))
    with pytest.raises(InputError, match="none of"):
        fitted.update(sales(3, 160).query("shop == 'a'"))
    pd.testing.assert_frame_equal(fitted.forecast(), before)
    with pytest.raises(InputError, match="needs validation windows"):
        make("mint_shrink", validation_size=0).fit(rows)
    monkeypatch.setitem(sys.modules, "hierarchicalforecast", None)
    with pytest.raises(ParameterError, match="needs the package hierarchicalforecast"):
        make("top_down").fit(rows)
