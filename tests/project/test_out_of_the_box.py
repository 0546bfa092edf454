"""The benchmark of defaults cuts, scores and averages as it says; its figures themselves are not tests."""

import importlib
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

FOLDER = Path(__file__).resolve().parents[2] / "benchmarks"
SCRIPTS = (
    *("accuracy", "table", "blocks", "out_of_the_box", "interval_rules"),
    *("suite", "suite.sets", "suite.scores", "suite.methods"),
)
HORIZON, ORIGINS, STRIDE = 3, 2, 2
TEST_ROWS = HORIZON + STRIDE


@pytest.fixture(scope="module")
def scripts():
    """The scripts as modules, which import each other by their bare names as they do when they are run."""
    sys.path.insert(0, str(FOLDER))
    try:
        yield {name.split(".")[-1]: importlib.import_module(name) for name in SCRIPTS}
    finally:
        sys.path.remove(str(FOLDER))
        for name in SCRIPTS:
            sys.modules.pop(name, None)


def weeks(_folder=None):
    """Two daily series of unequal lengths, one with a day absent, and one that is too short to be used."""
    rng = np.random.default_rng(0)
    frames = []
    for name, rows in (("long", 60), ("gap", 41), ("short", 8)):
        times = pd.date_range(end="2024-03-01", periods=rows, freq="D")
        values = 50 + 10 * np.sin(2 * np.pi * np.arange(rows) / 7) + rng.normal(size=rows)
        frames.append(pd.DataFrame({"series": name, "time": times, "y": values}))
    frame = pd.concat(frames, ignore_index=True)
    return frame.drop(frame[frame["series"] == "gap"].index[10])


@pytest.fixture
def about(scripts):
    return scripts["sets"].DataSet("weeks", weeks, HORIZON, 7, ORIGINS, STRIDE, True, bundled=True)


@pytest.fixture
def task(scripts, about):
    return scripts["sets"].load(about, None)


def test_at_least_sixteen_sets_are_split_in_two_parts_with_names_of_their_own(scripts):
    sets = scripts["sets"].SETS
    assert len({one.name for one in sets}) == len(sets) >= 16
    assert 6 <= sum(one.development for one in sets) <= len(sets) - 6
    assert all(one.origins > 1 for one in sets)


@pytest.mark.parametrize("name", ["airpassengers", "bike_daily", "bike_hourly", "min_temperatures", "etth1"])
def test_bundled_sets_need_no_folder(scripts, name):
    about = next(one for one in scripts["sets"].SETS if one.name == name)
    task = scripts["sets"].load(about, None)
    assert about.bundled
    assert np.isfinite(task.actual()).mean() > 0.95


def test_the_fit_sees_no_row_of_the_test_block(task):
    for name, values in zip(task.ids, task.values, strict=True):
        whole, train = (frame[frame["series"] == name] for frame in (task.frame, task.train))
        assert len(whole) - len(train) == TEST_ROWS
        assert train["time"].max() < whole["time"].iloc[-TEST_ROWS]
        assert len(values) == (whole["time"].iloc[-1] - whole["time"].iloc[0]).days + 1
    assert task.ids == ["long", "gap"]  # what is too short is left out


def test_actuals_are_the_rows_after_each_origin(task):
    actual = task.actual()
    for values, rows in zip(task.values, actual, strict=True):
        np.testing.assert_array_equal(rows[-1], values[-HORIZON:])
        np.testing.assert_array_equal(rows[0], values[-TEST_ROWS:][:HORIZON])


def test_the_validation_block_ends_before_the_test_block(scripts, about, task):
    earlier = scripts["sets"].load(about, None, block="validation")
    pd.testing.assert_frame_equal(earlier.frame, task.train)


def test_mase_and_wql_are_those_of_a_slow_loop(scripts, task):
    scores, rng = scripts["scores"], np.random.default_rng(1)
    actual = task.actual()
    quantiles = np.sort(actual[..., None] + rng.normal(size=(*actual.shape, 9)), axis=-1)
    point = quantiles[..., 4]
    errors, loss = [], 0.0
    for series, values in enumerate(task.values):
        past = values[:-TEST_ROWS]
        changes = [abs(past[t] - past[t - 7]) for t in range(7, len(past))]
        scale = np.nanmean(changes)
        for origin in range(ORIGINS):
            for step in range(HORIZON):
                came = actual[series, origin, step]
                errors.append(abs(came - point[series, origin, step]) / scale)
                for level, q in zip(scores.LEVELS, quantiles[series, origin, step], strict=True):
                    loss += 2 * max(level * (came - q), (level - 1) * (came - q)) / 9
    line = scores.score(task, point, quantiles)
    assert line["mase"] == pytest.approx(np.mean(errors))
    assert line["wql"] == pytest.approx(loss / np.abs(actual).sum())


def test_a_missing_forecast_is_an_error(scripts, task):
    point = task.actual()
    point[0, 0, 0] = np.nan
    with pytest.raises(ValueError, match="missing"):
        scripts["scores"].score(task, point, None)


def test_the_summary_is_relative_to_the_seasonal_naive(scripts):
    scores = scripts["scores"]
    lines = [
        {"set": s, "method": m, "development": d, "mase": e, "wql": e, "coverage_80": 0.8, "seconds": 1.0}
        for s, d in (("a", True), ("b", False))
        for m, e in (("seasonal_naive", 2.0), ("good", 1.0 if s == "a" else 1.5))
    ]
    found = scores.summary(lines).set_index(["sets", "method"])["mase"]
    assert found["all", "good"] == pytest.approx(np.sqrt(0.5 * 0.75))
    assert found["development", "good"] == pytest.approx(0.5)
    assert found["reported only", "good"] == pytest.approx(0.75)


def test_a_run_writes_a_line_per_method_and_does_not_repeat_it(scripts, about, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(scripts["sets"], "SETS", (about,))
    out, kept = tmp_path / "lines.jsonl", tmp_path / "kept"
    asked = ["--out", str(out), "--forecasts", str(kept), "--methods", "seasonal_naive,naive,seasonal_naive+naive"]
    scripts["out_of_the_box"].main(asked)
    lines = {line["method"]: line for line in scripts["accuracy"].lines_of(out)}
    assert list(lines) == ["seasonal_naive", "naive", "seasonal_naive+naive"]
    assert lines["seasonal_naive"]["mase"] < lines["naive"]["mase"]
    parts = [np.load(kept / f"weeks-{name}.npz") for name in ("seasonal_naive", "naive")]
    task = scripts["sets"].load(about, None)
    middle = scripts["scores"].score(task, (parts[0]["point"] + parts[1]["point"]) / 2, None)
    assert lines["seasonal_naive+naive"]["mase"] == pytest.approx(middle["mase"], abs=1e-4)
    scripts["out_of_the_box"].main(asked)
    assert len(scripts["accuracy"].lines_of(out)) == 3
    assert "seasonal_naive" in capsys.readouterr().out


def test_forecasts_of_ours_lie_at_their_origins(scripts, task):
    made = scripts["methods"].ours("naive", task)
    for values, rows in zip(task.values, made.point, strict=True):
        for cutoff, forecast in zip(task.cutoffs(len(values)), rows, strict=True):
            np.testing.assert_allclose(forecast, values[cutoff - 1], rtol=1e-6)


def test_peers_run_in_a_python_of_their_own(scripts, task, tmp_path):
    python = tmp_path / "python"
    python.write_text(
        f"#!{sys.executable}\n"
        "import json, sys\nimport numpy as np\n"
        "found = np.load(sys.argv[3]); sizes = json.loads(str(found['sizes'])); lengths = found['lengths']\n"
        "assert not np.isnan(found['values']).any() and sys.argv[2] == 'mstl'\n"
        "point = np.full((len(lengths), sizes['origins'], sizes['horizon']), float(sizes['season']))\n"
        "np.savez(sys.argv[4], point=point, fit_seconds=1.0, seconds=2.0)\n"
    )
    python.chmod(0o755)
    made = scripts["methods"].run("mstl", task, python)
    assert (made.point == 7).all()
    assert made.quantiles is None
    assert made.seconds == 2.0


def test_missing_values_of_peers_are_those_before_them(scripts):
    nan = np.nan
    np.testing.assert_array_equal(scripts["methods"].carried(np.array([nan, 1, nan, nan, 2, nan])), [1, 1, 1, 1, 2, 2])


def test_the_earlier_block_of_interval_rules_ends_where_the_validation_block_begins(scripts):
    rules, sets = scripts["interval_rules"], scripts["sets"]
    about = next(one for one in sets.SETS if one.name == "airpassengers")
    earlier, validation = (rules.load(about, None, 9_000, block) for block in ("earlier", "validation"))
    assert earlier.frame["time"].max() == validation.train["time"].max()
    assert len(earlier.train) == len(earlier.frame) - about.test_rows
