"""Backbones that mix channels: all target columns of a series in one window, none of which sees another's future."""

from dataclasses import dataclass

import keras
import numpy as np
import pandas as pd
import pytest
from conftest import ROLES, SMALL, in_rotation, make_panel, wave
from hypothesis import given, settings
from hypothesis import strategies as st
from test_network import changed, run, silence, windows
from test_panel import make as make_small_panel

import forecastkit as fk
from forecastkit.data.windows import Buffers, Origins, Windows, forward_fill, gather
from forecastkit.forecasters.model import FitContext
from forecastkit.networks import backbones
from forecastkit.networks.backbone import NORMALIZATIONS, Backbone, Sizes
from forecastkit.networks.heads import make_head
from forecastkit.networks.layers import seeded
from forecastkit.networks.network import Network
from forecastkit.preprocessing.scaler import Scaler
from forecastkit.training.engines.plain import PlainEngine
from forecastkit.training.engines.tensorflow import TensorFlowEngine

HORIZON, LOOKBACK = 4, 12
#: One patch for all kinds of data: networks of the same sizes are traced once.
TINY = {**SMALL, "horizon": HORIZON, "lookback": LOOKBACK, "patch": 4, "windows_per_epoch": 128}
#: Three columns and all kinds of inputs; and nothing else.
RICH = Sizes(12, 6, 3, past=2, known=2, calendar=3, static=2, series=6, masked=True, channels=3)
BARE = Sizes(12, 6, 3, channels=3)
every_size = pytest.mark.parametrize("sizes", [BARE, RICH], ids=["bare", "rich"])


def mixed_windows(sizes, batch=5, seed=0):
    """Windows as `test_network.windows` has them, of several channels."""
    inputs, shape = windows(sizes, batch, seed), (batch, *sizes.channel_shape)
    inputs["target"] = np.random.default_rng(seed).normal(size=(*shape, sizes.lookback)).astype("float32")
    if sizes.masked:
        inputs["target"][..., [0, 1, 2, 7]] = np.nan
    if sizes.series:
        inputs["series"] = (np.arange(np.prod(shape)) % sizes.series).reshape(shape).astype("int32")
    return inputs


def mixing(sizes=BARE, normalization="last", levels=None, **parameters):
    """A network of the inverted Transformer with its first weights."""
    backbone = backbones.find("inverted_transformer")(**{"units": 8, "dropout": 0.0, **parameters})
    with seeded(0):
        network = Network(backbone, sizes, make_head("mae", levels), normalization)
        network(mixed_windows(sizes))
    return network


# ---------------------------------------------------------------------------------------------- windows


def test_gather_cuts_all_channels_at_once():
    panel = make_small_panel({"a": (0, 30), "b": (4, 11), "c": (-3, 5)}, 0.2)
    buffers = Scaler.fit(panel, panel.indptr[1:], 3, ()).buffers(panel, 6, 3)
    entity, rows = np.repeat(np.arange(3), panel.lengths), np.arange(panel.rows)
    each = Origins.every_channel(entity, rows, panel.channels)
    whole, place = each.together()
    single, ahead = gather(np, buffers, each.table(), 6, 3)
    mixed, mixed_ahead = gather(np, buffers, whole.table(), 6, 3, channels=panel.channels)
    np.testing.assert_array_equal(mixed["target"][place, each.channel], single["target"])
    np.testing.assert_array_equal(mixed_ahead[place, each.channel], ahead)
    np.testing.assert_array_equal(mixed["series"][place, each.channel], single["series"])
    np.testing.assert_array_equal(mixed["known"][place], single["known"])
    assert gather(np, buffers, whole.table(), 6, 3, targets=False, channels=panel.channels)[1] is None


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(-2, 5), st.integers(0, 2)), max_size=30))
@settings(max_examples=20, deadline=None)
def test_origins_together_are_each_entity_and_row_once(triples):
    origins = Origins(*np.array(triples, dtype="int64").reshape(-1, 3).T)
    whole, place = origins.together()
    pairs = list(zip(whole.entity.tolist(), whole.row.tolist(), strict=True))
    assert sorted(pairs) == sorted({(e, r) for e, r, _ in triples})
    assert [pairs[p] for p in place] == [(e, r) for e, r, _ in triples]
    assert not whole.channel.any()


def test_windows_of_all_channels_are_counted_once():
    panel = make_small_panel({"a": (0, 20), "b": (0, 9)})
    stop = np.array([18, 29])
    each, whole = (Windows.training(panel, stop, 5, 3, together) for together in (False, True))
    assert (len(each), each.width, whole.width) == (panel.channels * len(whole), 1, panel.channels)
    got = whole.at(np.arange(len(whole)))
    assert got.row.tolist() == each.at(np.arange(len(each))).together()[0].row.tolist()
    assert not got.channel.any()


def test_values_are_carried_within_each_channel():
    window = np.random.default_rng(0).normal(size=(4, 3, 7))
    window[np.random.default_rng(1).random(window.shape) < 0.4] = np.nan
    np.testing.assert_array_equal(forward_fill(window), np.stack([forward_fill(part) for part in window]))


def test_the_loss_is_the_mean_over_what_is_observed_of_all_channels():
    rng = np.random.default_rng(0)
    target, forecast = rng.normal(size=(4, 3, 6)).astype("float32"), rng.normal(size=(4, 3, 6, 1)).astype("float32")
    target[0, 1], target[1, :, 2:], target[3] = np.nan, np.nan, np.nan
    error = np.abs(target - forecast[..., 0])
    expected = [error[i][~np.isnan(error[i])].mean() for i in range(3)]
    np.testing.assert_allclose(make_head("mae").loss(target, forecast), [*expected, 0.0], rtol=1e-6)


# ---------------------------------------------------------------------------------------------- the network


@every_size
@pytest.mark.parametrize("levels", [None, (0.1, 0.5, 0.9)])
def test_forecasts_have_the_axis_of_the_channels(sizes, levels):
    forecast = run(mixing(sizes, levels=levels), mixed_windows(sizes))
    assert forecast.shape == (5, 3, 6, 3 if levels else 1)
    assert (np.diff(forecast) > 0).all()


@every_size
@pytest.mark.parametrize("normalization", NORMALIZATIONS)
def test_every_channel_has_a_level_of_its_own(sizes, normalization):
    network, inputs = silence(mixing(sizes, normalization)), mixed_windows(sizes)
    target = inputs["target"]
    level = {"last": target[..., -1], "standard": np.nanmean(target, axis=-1), "none": np.zeros(target.shape[:2])}
    level["mean"] = level["none"]  # of which nothing is taken out: windows are divided by it
    expected = np.repeat(level[normalization][..., None], 6, axis=-1)
    np.testing.assert_allclose(run(network, inputs)[..., 0], expected, atol=1e-6)


@every_size
def test_every_channel_reaches_the_forecasts_of_all_in_its_window_only(sizes):
    network, inputs = mixing(sizes), mixed_windows(sizes)
    before = run(network, inputs)
    for channel in range(3):
        after = run(network, changed(inputs, "target", (1, channel, 4)))
        assert (after[1] != before[1]).any(axis=(1, 2)).all()
        np.testing.assert_allclose(np.delete(after, 1, axis=0), np.delete(before, 1, axis=0), atol=1e-5)


def test_columns_in_another_order_have_the_same_forecasts():
    network, inputs = mixing(), mixed_windows(BARE)
    order = [2, 0, 1]
    shuffled = {"target": inputs["target"][:, order]}
    np.testing.assert_allclose(run(network, shuffled), run(network, inputs)[:, order], atol=1e-5)


def test_a_column_without_an_observed_value_is_not_attended_to():
    """The others are forecast as if it were not there: the same weights serve any number of columns."""
    three, two = (Sizes(12, 6, 3, masked=True, channels=channels) for channels in (3, 2))
    network, smaller = mixing(three), mixing(two)
    smaller.set_weights(network.get_weights())
    inputs = mixed_windows(three)
    inputs["target"][:, 1] = np.nan
    got = run(network, inputs)
    assert np.isfinite(got).all()
    np.testing.assert_allclose(got[:, [0, 2]], run(smaller, {"target": inputs["target"][:, [0, 2]]}), atol=1e-5)


def test_a_single_channel_needs_no_axis():
    alone, beside = mixing(Sizes(12, 6, 3)), mixing(Sizes(12, 6, 3, channels=1))
    inputs = windows(alone.sizes)
    got = run(beside, {"target": inputs["target"][:, None]})
    np.testing.assert_allclose(got[:, 0], run(alone, inputs), atol=1e-6)


# ---------------------------------------------------------------------------------------------- engines


@pytest.fixture(scope="module")
def data():
    """Buffers of a panel of two targets with gaps and a known covariate, and windows of both."""
    panel = make_small_panel({"a": (0, 90), "b": (4, 60)}, 0.1)
    stop = panel.last_observed() + 1
    buffers = Scaler.fit(panel, stop, 6, ()).buffers(panel, 12, 6)
    return buffers, Windows.training(panel, stop, 12, 6, together=True)


def engine_of(kind, data, **options):
    buffers, windows = data
    kinds = {name: getattr(buffers, name).shape[1] for name in ("past", "known", "static")}
    network = mixing(Sizes(12, 6, 3, **kinds, masked=True, channels=2))
    engine = kind(network, network.output_head, **options)
    engine.prepare(buffers, 32)
    tables = windows.at(np.arange(96) % len(windows)).table().reshape(3, 32, 3)
    return engine, engine.train(tables, np.full(3, 3e-3), np.arange(3))


@pytest.fixture(scope="module")
def plainly(data):
    return engine_of(TensorFlowEngine, data)


@pytest.mark.rotated
@pytest.mark.parametrize(("kind", "options"), [(TensorFlowEngine, {"compiled": True}), (PlainEngine, {})])
def test_engines_train_and_forecast_alike(data, plainly, kind, options):
    engine, loss = engine_of(kind, data, **options)
    table = data[1].spaced(40).table()
    assert loss == pytest.approx(plainly[1], rel=1e-4)
    assert engine.evaluate(table) == pytest.approx(plainly[0].evaluate(table), rel=1e-3)
    np.testing.assert_allclose(engine.predict(data[0], table), plainly[0].predict(data[0], table), rtol=1e-3, atol=1e-4)


def test_values_after_the_window_are_never_read(data, plainly):
    """Of no channel: the future of another is as unknown as one's own."""
    buffers, row = data[0], 50
    table = Origins(np.array([0]), np.array([row]), np.array([0])).table()
    arrays = {name: getattr(buffers, name) for name in Buffers.__dataclass_fields__}
    wild = arrays["target"].copy()
    wild[row + 1 :] = 1e6
    got = plainly[0].predict(Buffers(**{**arrays, "target": wild}), table)
    np.testing.assert_array_equal(got, plainly[0].predict(buffers, table))
    wild[row, 1] = 1e6
    assert (plainly[0].predict(Buffers(**{**arrays, "target": wild}), table) != got).any(axis=(2, 3)).all()


# ---------------------------------------------------------------------------------------------- the forecaster


def wide(rows=120):
    """Three hourly columns of different sizes, one of them with a gap."""
    index = pd.date_range("2024-01-01", periods=rows, freq="h", name="when")
    frame = pd.DataFrame({"a": wave(rows), "b": 100 * wave(rows, 1), "c": wave(rows, 2)}, index=index)
    frame.iloc[30:33, 1] = np.nan
    return frame


def several_targets():
    """A panel with two targets and covariates of all roles."""
    return make_panel(120, ("x", "y")).assign(other=lambda frame: frame["load"] ** 2)


PANEL_ROLES = {**ROLES, "target": ["load", "other"]}
GIVEN = {
    "wide frame": (wide(), {}),
    "array": (wide().to_numpy(), {}),
    "single series": (wide()["a"], {}),
    "panel of one target": (make_panel(120, ("x", "y")), ROLES),
    "panel of several": (several_targets(), {**PANEL_ROLES, "embed_series": True, "calendar": True}),
    "quantiles": (wide(), {"quantile_levels": [0.1, 0.5, 0.9]}),
}


@pytest.fixture(
    scope="module", params=in_rotation(GIVEN, ["wide frame", "single series", "panel of one target", "quantiles"])
)
def fitted(request):
    X, options = GIVEN[request.param]
    return fk.InvertedTransformerForecaster(**{**TINY, **options}).fit(X), X


def ahead(model):
    """The rows to forecast, known covariates filled where there are any."""
    return model.future_frame().assign(temp=0.0, size=1.0) if model.schema_.known else None


def numbers(forecast):
    return pd.DataFrame(np.asarray(forecast)).apply(pd.to_numeric, errors="coerce").dropna(axis=1).to_numpy()


def test_it_forecasts_all_kinds_of_data(fitted):
    model, _ = fitted
    forecast = numbers(model.predict(ahead(model)))
    assert len(forecast) == HORIZON * len(model.history_.ids)
    assert np.isfinite(forecast).all()
    assert np.isfinite(model.scores_["mae"])
    assert model.network_.sizes.channels == (model.history_.channels if model.history_.channels > 1 else 0)


def test_it_is_saved_and_loaded(fitted, tmp_path):
    model, _ = fitted
    model.save(tmp_path / "model.forecast")
    other = fk.load(tmp_path / "model.forecast")
    np.testing.assert_allclose(numbers(other.predict(ahead(model))), numbers(model.predict(ahead(model))), rtol=1e-5)


def test_origins_may_come_in_any_order_and_alone(fitted):
    model, _ = fitted
    panel = model.history_
    rows = np.arange(panel.indptr[0] + 40, panel.indptr[0] + 60)
    origins = Origins.every_channel(np.zeros(20, dtype="int64"), rows, panel.channels)
    chosen = np.random.default_rng(0).permutation(len(origins))[:7]
    together, alone = (model._forecast(panel, some).point() for some in (origins, origins[chosen]))
    np.testing.assert_allclose(alone, together[chosen], rtol=1e-4)


def test_it_is_updated_and_trained_on(fitted):
    """The last test of each fitted forecaster, which is changed in place."""
    model, X = fitted
    model.update(X[-24:] + 1 if isinstance(X, (np.ndarray, pd.Series)) else X)
    model.partial_fit(X)
    assert np.isfinite(numbers(model.predict(ahead(model)))).all()


def test_a_history_of_other_rows_needs_no_training():
    model, X = fk.InvertedTransformerForecaster(**TINY).fit(wide()), wide()
    assert (model.predict(history=X + 50).to_numpy() > model.predict(history=X).to_numpy()).all()
    new = X[:60].copy()
    new.iloc[-20:, 2] = np.nan  # a column that ended earlier
    assert np.isfinite(model.predict(history=new)).all(axis=None)


def test_rows_within_and_beyond_the_horizon():
    model = fk.InvertedTransformerForecaster(**TINY).fit(wide())
    first = model.predict()
    later = pd.DataFrame(index=pd.date_range(first.index[0], periods=10, freq="h", name="when"))
    rolled = model.predict(later)
    assert rolled.shape == (10, 3)
    np.testing.assert_array_equal(rolled[:HORIZON], first)


def test_no_forecast_sees_what_comes_after_its_cutoff_in_any_column():
    X, cutoff = wide(), 90
    perturbed = X.copy()
    perturbed.iloc[cutoff:] *= -7.0
    results = []
    for frame in (X, perturbed):
        forecasts = fk.backtest(fk.InvertedTransformerForecaster(**TINY), frame, start=cutoff, stride=7).forecasts
        results.append(forecasts[forecasts["cutoff"] == X.index[cutoff - 1]]["forecast"].to_numpy())
    assert len(results[0]) == 3 * HORIZON
    np.testing.assert_array_equal(*results)


def test_batches_count_pairs_of_series_and_origin():
    columns = pd.DataFrame({f"s{i}": wave(150, i) for i in range(4)})
    model = fk.InvertedTransformerForecaster(**{**TINY, "batch_size": 128, "windows_per_epoch": 256}).fit(columns)
    stop, backbone = np.array([150]), model.network_.backbone
    context = FitContext(model.history_, stop, stop)
    windows = model._windows(context, stop, backbone)
    plan = model._plan(context, windows, backbone, seed=0)
    assert (windows.width, plan.batch_size, plan.steps) == (4, 16, 4)


@pytest.mark.rotated
def test_a_column_that_leads_another_is_made_use_of():
    """Noise that one column repeats a horizon later can be known from the other column only."""
    noise = np.random.default_rng(0).normal(size=600 + HORIZON)
    X = pd.DataFrame({"first": noise[HORIZON:], "later": noise[:-HORIZON]})
    options = {**TINY, "units": 32, "epochs": 8, "windows_per_epoch": 4096, "final_epochs": 0}
    model = fk.InvertedTransformerForecaster(**options).fit(X[:500])
    forecasts = fk.backtest(model, X, start=500).forecasts
    error = (forecasts["forecast"] - forecasts["actual"]).abs().groupby(forecasts["target"]).mean()
    assert error["later"] < 0.5 * error["first"]


class Borrowing(keras.layers.Layer):
    """The mean of all channels' tokens into every token of the future."""

    def call(self, past, future, mask=None, training=None):
        return future + keras.ops.mean(past, axis=(1, 2), keepdims=True)


@dataclass(kw_only=True, eq=False, repr=False)
class Mixer(Backbone):
    """A user's own backbone that mixes."""

    mixes_channels = True

    def build(self):
        return Borrowing()


def test_a_backbone_of_ones_own_may_mix(tmp_path):
    options = {name: value for name, value in TINY.items() if name != "units"}
    model = fk.KerasForecaster(backbone=Mixer(units=8), **options).fit(wide())
    model.save(tmp_path / "own.forecast")
    other = fk.load(tmp_path / "own.forecast", backbones={"Mixer": Mixer})
    pd.testing.assert_frame_equal(other.predict(), model.predict())
