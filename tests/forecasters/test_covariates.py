"""Categories of few and of many levels: their effects are learned, what is unknown is no surprise; ragged panels."""

import copy
from functools import cache

import numpy as np
import pandas as pd
import pytest
from conftest import in_rotation, wave

import forecastkit as fk
from forecastkit.data.ingest.read_panel import read_more, read_panel
from forecastkit.data.schema import MAX_COLUMNS
from forecastkit.networks import backbones
from forecastkit.networks.category_embedding import CategoryEmbedding, width_of
from forecastkit.networks.layers import STEP_SEED
from forecastkit.preprocessing.scaler import Scaler

#: Levels that are not seen at fit are warned of, see tests/data/test_category_levels.py.
pytestmark = pytest.mark.filterwarnings("ignore:Panel. .* not seen at fit")

TINY = {"patch": 4, "units": 8, "epochs": 1, "windows_per_epoch": 64, "batch_size": 32, "random_state": 0,
        "linear_path": False}  # fmt: skip
NETWORKS = sorted(backbones.class_names().values())
NAMES = [*NETWORKS, "Linear", "Naive", "SeasonalNaive", "Drift", "Mean"]


def table(levels: int, rows: int = 1200):
    """Noise around a level of each day's kind."""
    rng = np.random.default_rng(0)
    kind, effect = rng.integers(0, levels, rows), rng.normal(0, 3, levels)
    values = 20 + effect[kind] + rng.normal(0, 0.3, rows)
    days = pd.date_range("2020-01-01", periods=rows, freq="D")
    return pd.DataFrame({"y": values, "kind": [f"k{i}" for i in kind]}, index=days)


def forecasts(model, ahead):
    """Of the days ahead, and of the same days with a kind that nobody has seen."""
    rows = ahead[["kind"]]
    return [model.predict(X)["y"].to_numpy() for X in (rows, rows.assign(kind="new"))]


@pytest.mark.parametrize(
    ("name", "levels", "options"),
    [
        ("Linear", 5, {}),
        ("GRU", 40, {"units": 16, "epochs": 6, "windows_per_epoch": 1024, "batch_size": 64, "learning_rate": 1e-2}),
    ],
)
def test_the_effect_of_a_category_is_learned_and_an_unknown_level_is_an_ordinary_one(name, levels, options):
    data = table(levels)
    model = getattr(fk, f"{name}Forecaster")(horizon=7, lookback=14, target="y", known="kind", **options)
    if options:
        model.set_params(random_state=0)
    got, unknown = forecasts(model.fit(data[:-7]), data[-7:])
    assert np.abs(got - data["y"][-7:]).mean() < 0.5 < 1.5 < data["y"].std()
    np.testing.assert_allclose(unknown, data["y"].mean(), atol=1.5)


def test_many_levels_take_one_column_of_codes():
    data = table(300, 900).assign(few="x", temp=1.0)
    panel, schema = read_panel(data, target="y", known=["kind", "few", "temp"])
    assert (schema.known, schema.coded) == (("few", "temp", "kind"), ("kind",)), "codes come last"
    assert panel.known.shape == (900, 3)
    assert schema.codes() == {"known": (len(data["kind"].unique()) + 1,)}
    codes = panel.known[:, 2]
    assert codes.min() >= 1
    assert [schema.categories["kind"][int(code) - 1] for code in codes] == data["kind"].tolist()
    later = read_more(schema, panel.grid, data[:3].assign(kind=["new", None, "k7"]))
    np.testing.assert_array_equal(later.known[:, 2], [0, np.nan, schema.categories["kind"].index("k7") + 1])


@pytest.mark.parametrize(("levels", "coded"), [(MAX_COLUMNS, False), (MAX_COLUMNS + 1, True)])
def test_few_levels_take_a_column_each(levels, coded):
    _, schema = read_panel(table(levels), target="y", known="kind")
    assert bool(schema.coded) is coded
    assert schema.width(schema.known) == (1 if coded else levels)


def test_cells_without_a_level_are_a_class_where_training_has_some():
    data = table(3, 60)
    data.loc[data.index[::7], "kind"] = None
    panel, schema = read_panel(data, target="y", known="kind")
    assert schema.categories["kind"] == ("k0", "k1", "k2", None)
    assert (panel.known[::7] == [0, 0, 0, 1]).all()
    later = read_more(schema, panel.grid, data[:2].assign(kind=["new", None]))
    assert later.known.tolist() == [[0, 0, 0, 1]] * 2


def test_levels_that_training_did_not_meet_are_unknown():
    data = table(40)
    data.iloc[-200:, 1] = "late"  # the validation block
    panel, schema = read_panel(data, target="y", known="kind")
    scaler = Scaler.fit(panel, np.array([1000]), 7, (), codes=schema.codes())
    codes = scaler.buffers(panel, 14, 7).known_codes[:, 0]
    assert (codes[:1000] == panel.known[:1000, 0]).all()
    assert (codes[1000:] == 0).all()


def test_a_few_windows_see_no_level_in_training():
    layer, codes = CategoryEmbedding(50), np.tile(np.arange(1, 41, dtype="int32")[:, None], (1, 5))
    layer(codes)
    layer.table.set_weights([np.arange(50.0)[:, None] * np.ones(width_of(50))])
    np.testing.assert_array_equal(layer(codes), layer(codes, training=False))
    dropped = np.zeros(40)
    for step in range(100):
        token = STEP_SEED.set(step)
        seen = np.asarray(layer(codes, training=True))[..., 0]
        STEP_SEED.reset(token)
        assert ((seen == codes) | (seen == 0)).all()
        assert ((seen == 0).all(axis=1) | (seen > 0).all(axis=1)).all(), "a whole window at once"
        dropped += (seen == 0).all(axis=1)
    assert 0.03 < dropped.mean() / 100 < 0.07


# ---------------------------------------------------------------------------------------------- all forecasters


def ragged() -> pd.DataFrame:
    """Series of 3 to 120 days that start on different days, with holes at both ends, and covariates of all kinds."""
    parts = []
    for number, rows in enumerate((120, 90, 40, 14, 5, 3)):
        rng = np.random.default_rng(number)
        frame = pd.DataFrame(
            {
                "unique_id": f"s{number}",
                "ds": pd.date_range("2024-01-01", periods=rows, freq="D") + pd.Timedelta(days=7 * number),
                "y": wave(rows, number, 7) * 10.0 ** (number - 2),
                "shop": [f"p{i}" for i in rng.integers(0, 30, rows)],
                "sky": rng.choice(["sun", "rain"], rows),
                "town": f"t{number}",
                "street": f"a{number}",
                "price": rng.normal(size=rows),
            }
        )
        if rows > 20:
            frame.loc[[0, 1, rows - 1], "y"] = np.nan
        parts.append(frame)
    frame = pd.concat(parts, ignore_index=True)
    # Streets are many, so that one of the static categories is coded too.
    more = [frame[frame["unique_id"] == "s2"].assign(unique_id=f"m{i}", street=f"b{i}") for i in range(14)]
    return pd.concat([frame, *more], ignore_index=True)


ROLES = {"target": "y", "known": ["shop", "sky"], "past": "price", "static": ["town", "street"]}


@cache
def fitted(name):
    """The forecaster of this name, fitted on `ragged`. Shared: do not change it."""
    options = TINY if name in NETWORKS else {}
    return getattr(fk, f"{name}Forecaster")(horizon=4, lookback=14, **ROLES, **options).fit(ragged())


#: One of each kind of network; the others take their tokens alike, and have the contract's tests besides.
KINDS = ("GRU", "InvertedTransformer", *NAMES[len(NETWORKS) :])


@pytest.mark.parametrize("name", in_rotation(NAMES, {*NAMES} - {*KINDS}))
def test_all_forecasters_take_ragged_panels_with_categories(name, tmp_path):
    data, model = ragged(), fitted(name)
    ahead = model.future_frame().assign(shop="p3", sky="rain")
    got = model.predict(ahead)
    assert len(got) == 4 * 20
    assert np.isfinite(got["y"]).all()
    assert np.isfinite(model.predict(ahead.assign(shop="new", sky="fog"))["y"]).all()
    other = data[data["unique_id"] == "s1"].assign(unique_id="z", town="elsewhere", street="nowhere")
    rows = model.future_frame(history=other).assign(shop="p3", sky="sun")
    new = model.predict(rows, history=other, coverage=0.8)
    assert np.isfinite(new[["lower", "upper"]]).all(axis=None)
    if name in ("GRU", "TFT", "Linear"):
        model.save(tmp_path / "m.forecast")
        pd.testing.assert_frame_equal(fk.load(tmp_path / "m.forecast").predict(ahead), got)


@pytest.mark.parametrize("name", in_rotation(["GRU", "TFT"], ["TFT"]))
def test_interpretation_holds_codes_as_they_are(name):
    model = fitted(name)
    found = fk.interpret(model, model.future_frame().assign(shop="p3", sky="rain"), series="s0", tolerance=0.05)
    named = set(found.importance.astype(str).to_numpy().ravel())
    assert "sky" in named
    assert "shop" not in named
    if name == "TFT":
        assert "shop" in str(found.selection.to_dict())


def test_updates_bring_new_series_and_levels():
    data, model = ragged(), copy.deepcopy(fitted("GRU"))
    newer = data[data["unique_id"] == "s0"].assign(unique_id="late", street="c1", shop="other")
    model.update(newer)
    assert (model.n_replaced_, "late" in model.cutoff_.index) == (0, True)
    assert np.isfinite(model.predict(model.future_frame().assign(shop="p1", sky="sun"))["y"]).all()
    model.partial_fit(newer.assign(ds=newer["ds"] + pd.Timedelta(days=60)))
    assert model.n_replaced_ == 57
    assert np.isfinite(model.predict(model.future_frame().assign(shop="p1", sky="sun"))["y"]).all()
