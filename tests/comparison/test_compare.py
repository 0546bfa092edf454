"""Comparisons: the same folds for all, errors of the errors, budgets that are kept, runs that are not repeated."""

import json
import os
import re
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from conftest import ROLES, wave

import forecastkit as fk
from forecastkit.cli import main
from forecastkit.comparison import comparison, measure
from forecastkit.comparison import results as comparisons
from forecastkit.comparison.candidates import make_candidates
from forecastkit.data.ingest.read_panel import read_panel
from forecastkit.datasets import dataset_path
from forecastkit.evaluation.folds import Sizes, make_folds, most_folds
from forecastkit.evaluation.results import covered_levels
from forecastkit.plotting.forecasts import verdict_colours
from forecastkit.training.loop import Record
from forecastkit.utils import time_budget as budgets
from forecastkit.utils.exceptions import InputError, ParameterError
from forecastkit.utils.run_log import RunLog
from forecastkit.utils.time_budget import TimeBudget, seconds_of

AIR = str(dataset_path("airpassengers"))
TINY = {"units": 4, "epochs": 1, "windows_per_epoch": 64, "batch_size": 64, "final_epochs": 0, "linear_path": False}
SIZES = {"horizon": 6, "lookback": 24}
QUICK = {"memory": False, **SIZES}


@pytest.fixture(scope="module")
def series():
    index = pd.date_range("2024-01-01", periods=300, freq="h", name="time")
    return pd.Series(wave(300), index=index, name="load")


@pytest.fixture(scope="module")
def compared(series, tmp_path_factory):
    """A comparison of a tiny GRU over two seeds, and its file of runs."""
    path = tmp_path_factory.mktemp("runs") / "runs.jsonl"
    lines = []
    result = fk.compare("gru", series, seeds=2, folds=2, path=path, progress=lines.append, **QUICK, **TINY)
    return result, path, lines


# Folds ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rows", "horizon", "given", "expected"),
    [
        (17_420, 96, {}, (1, 183, 9)),  # the last tenth has many horizons
        (144, 12, {}, (3, 5, 1)),  # few rows: three folds, a third of them in all
        (1_000, 24, {"folds": 1}, (1, 77, 1)),
        (1_000, 24, {"folds": 2, "n_windows": 5}, (2, 5, 19)),
        (1_000, 24, {"n_windows": 500, "folds": 1}, (1, 500, 1)),
        (1_000, 24, {"n_windows": 1, "folds": 1, "stride": 7}, (1, 1, 7)),
    ],
)
def test_folds_suit_the_rows(rows, horizon, given, expected):
    sizes = Sizes.suited(rows, 1, horizon, **given)
    assert (sizes.folds, sizes.n_windows, sizes.stride) == expected


def test_folds_lie_side_by_side_and_end_with_the_data(series):
    panel, _ = read_panel(series)
    folds = make_folds(panel, Sizes(6, 3, 10, 2), calendar=True)
    rows = [fold.origins.row for fold in folds]
    np.testing.assert_array_equal(rows, 300 - 24 * np.array([[3], [2], [1]]) + 2 * np.arange(10) - 1)
    assert [int(fold.stop[0]) for fold in folds] == [228, 252, 276]
    assert all(len(fold.seen(panel).target) == fold.stop[0] for fold in folds)


def test_series_that_end_early_show_nothing_of_the_fold(panel):
    data, _ = read_panel(panel, target="load", known="temp", past="wind", static="size")
    fold = make_folds(data, Sizes(6, 1, 20, 1), calendar=True)[0]
    timestamps = fold.seen(data)
    assert timestamps.ends.max() == data.ordinal_at(fold.origins.entity, fold.origins.row).min()


def test_rows_without_times_are_counted_back_from_each_end():
    frame = pd.DataFrame({"unique_id": ["a"] * 60 + ["b"] * 40, "y": np.arange(100.0)})
    data, _ = read_panel(frame, target="y")
    fold = make_folds(data, Sizes(4, 1, 3, 1), calendar=False)[0]
    assert fold.stop.tolist() == [54, 94]
    assert fold.origins.entity.tolist() == [0, 0, 0, 1, 1, 1]


def test_folds_of_series_of_other_years_end_with_each():
    months = pd.date_range("1950-01-01", periods=500, freq="MS")
    starts = [0, 50, 100, 150, 200, 440]
    frame = pd.concat([pd.DataFrame({"ds": months[at : at + 60], "unique_id": str(at), "y": 1.0}) for at in starts])
    panel, _ = read_panel(frame, target="y")
    folds = most_folds(panel, [4, 3, 2, 1], 6, calendar=True)
    for back, fold in enumerate(reversed(folds)):
        length = (fold.place.max()) * (fold.origins.row[1] - fold.origins.row[0]) + 6
        assert set(fold.origins.entity) == set(range(6))
        assert fold.stop.tolist() == [60 * (e + 1) - (back + 1) * length for e in range(6)]


def test_errors_are_those_of_a_backtest(series):
    both = pd.DataFrame({"a": series, "b": 100 * series[::-1].to_numpy()})
    model = fk.LinearForecaster(**SIZES)
    result = fk.compare({"mine": model}, both, folds=1, n_windows=20, stride=2, memory=False)
    test = fk.backtest(model, both, n_windows=20, stride=2, quantile_levels=covered_levels(model))
    expected = test.scores.loc["forecaster"]
    for share, row in test.coverage.iterrows():
        assert result.table.loc["mine", f"coverage_{share:g}"] == pytest.approx(row["share"])
        error = np.maximum(row["binomial_error"], row["block_error"])  # NaN, not known, in a single block
        assert result.table.loc["mine", f"coverage_error_{share:g}"] == pytest.approx(error, nan_ok=True)
    run = result.runs.set_index("model").loc["mine"]
    assert run[["mae", "mse", "mase"]].tolist() == pytest.approx(expected[["mae", "mse", "mase"]].tolist())
    assert result.metric == "mase"
    assert result.table.loc["mine", "mase"] == pytest.approx(expected["mase"])


class Spy(fk.GRUForecaster):
    """Notes its forecasts."""

    notes: list = []  # noqa: RUF012

    def _forecast(self, panel, origins):
        forecast = super()._forecast(panel, origins)
        self.notes.append((origins.row.copy(), forecast.point()))
        return forecast


def test_no_fold_sees_its_future(series):
    changed = series.copy()
    changed.iloc[276:] = 1e6  # the last fold, all after its first cutoff
    kept = []
    for data in (series, changed):
        Spy.notes.clear()
        fk.compare(Spy(**TINY), data, seeds=1, folds=2, n_windows=4, stride=6, **QUICK)
        kept.append(list(Spy.notes))
    assert len(kept[0]) == len(kept[1]) > 4
    for (rows, before), (again, after) in zip(*kept, strict=True):
        np.testing.assert_array_equal(rows, again)
        np.testing.assert_array_equal(before[rows < 276], after[rows < 276])


def test_panels_covariates_and_x_with_y_are_compared(panel, series):
    result = fk.compare("linear", panel, **ROLES, horizon=6, memory=False)
    assert result.table.index[0] == "linear"
    assert result.summary().startswith("horizon 6, 3 folds of 19 cutoffs, ")
    assert "seed" not in result.summary()
    result = fk.compare("linear", series.rename("temp").to_frame(), series * 2 + 1, folds=1, **QUICK)
    assert result.metric == "mase"
    constant = fk.compare("linear", np.ones(60), horizon=1, memory=False)
    assert constant.metric == "mae"
    assert set(constant.table["verdict"]) == {"best", "within noise of the best"}


# The result -----------------------------------------------------------------------------------------------------------


def test_every_model_runs_on_every_fold_and_chance_once_a_seed(compared):
    result, _, lines = compared
    counts = result.runs.groupby("model").size().to_dict()
    assert counts == {"gru": 4, "naive": 2, "seasonal_naive": 2, "linear": 2}
    assert result.runs.loc[result.runs["model"] != "gru", "seed"].isna().all()
    assert len(lines) == 10
    assert lines[-1].startswith("10/10  gru, seed 1, fold 2: MAE ")


def test_the_table_says_what_each_model_is_worth_and_costs(compared):
    table = compared[0].table
    assert table["mase"].is_monotonic_increasing
    assert table["verdict"].iloc[0] == "best"
    gru = table.loc["gru"]
    assert gru["parameters"] > 0
    assert gru["epochs"] == 1
    assert 0 < gru["epoch_seconds"] < gru["fit_seconds"]
    assert 0 < gru["one_ms"] < 1e4
    assert np.isnan(gru["memory_mb"])
    assert table.loc["linear", "parameters"] == 3 * 24 * 6  # of three recipes
    assert table.loc["naive", "parameters"] == 0
    assert (table["se"] > 0).all()


def test_a_comparison_is_readable_and_written_as_json_and_csv(compared, tmp_path):
    result = compared[0]
    text = repr(result)
    assert text.startswith("horizon 6, 2 folds of ")
    assert "against the best" in text
    assert re.search(r"\d+/\d+/\d+/\d+ ± \d", text)
    assert "memory" not in text  # nothing was measured
    found = json.loads(result.to_json(tmp_path / "c.json"))
    assert json.loads((tmp_path / "c.json").read_text()) == found
    assert found["best"] == result.best == found["table"][0]["model"]
    assert (len(found["runs"]), found["seeds"], found["folds"]) == (10, [0, 1], 2)
    result.to_csv(tmp_path / "c.csv")
    assert pd.read_csv(tmp_path / "c.csv")["model"].tolist() == result.table.index.tolist()
    assert os.listdir(tmp_path) == ["c.json", "c.csv"] or os.listdir(tmp_path) == ["c.csv", "c.json"]
    assert "<table" in result._repr_html_()
    with pytest.raises(InputError, match="must be writable"):
        result.to_json(tmp_path / "none" / "c.json")


def test_a_comparison_is_drawn(compared, tmp_path):
    assert [label.get_text() for label in compared[0].plot().get_yticklabels()] == compared[0].table.index.tolist()
    verdicts = pd.Series(["best", "within noise of the best", "10 % worse, too few windows to tell", "10 % worse"])
    assert len(set(verdict_colours(verdicts)[:3])) == 1
    assert verdict_colours(verdicts)[2] != verdict_colours(verdicts)[3]
    left, right = fk.plot_comparison(compared[0], path=tmp_path / "c.png").axes
    assert [label.get_text() for label in left.get_yticklabels()] == compared[0].table.index.tolist()
    assert right.get_xscale() == "log"
    assert (tmp_path / "c.png").read_bytes()[:4] == b"\x89PNG"
    with pytest.raises(InputError, match="must have rows with an error"):
        fk.plot_comparison(compared[0].table.assign(mase=np.nan))


def test_a_model_that_refuses_the_data_fails_alone(series):
    class Picky(fk.LinearForecaster):
        def _choose_sizes(self, panel, stop):
            raise InputError("Picky: data must be nicer, got these.")

    result = fk.compare({"picky": Picky(), "linear": "linear"}, series, folds=1, **QUICK)
    assert result.table.index[-1] == "picky"
    assert result.table.loc["picky", "verdict"] == "failed: Picky: data must be nicer, got these."
    assert result.table["verdict"].iloc[0] == "best"
    assert "failed" in repr(result)


# Noise ----------------------------------------------------------------------------------------------------------------


def test_blocks_know_that_overlapping_forecasts_err_together():
    """Moving averages of noise over a horizon stand for errors of overlapping forecasts."""
    rng, horizon, cutoffs = np.random.default_rng(0), 24, 24 * 20
    noise = rng.normal(size=(400, cutoffs + horizon - 1))
    errors = np.lib.stride_tricks.sliding_window_view(noise, horizon, axis=1).mean(axis=2)
    truth = errors.mean(axis=1).std()
    weight = np.ones(cutoffs)
    sizes = Sizes(horizon, 1, cutoffs, 1)
    block = comparisons._blocks(sizes, np.ones(cutoffs, dtype=bool))
    found = np.mean([comparisons.block_error(values, weight, block) for values in errors])
    naive = np.mean([values.std(ddof=1) / np.sqrt(cutoffs) for values in errors])
    assert naive < 0.35 * truth
    assert 0.8 * truth < found < 1.15 * truth


def test_a_standard_error_of_single_values_is_the_usual_one():
    values, weight = np.random.default_rng(0).normal(size=50), np.ones(50)
    expected = values.std(ddof=1) / np.sqrt(50)
    assert comparisons.block_error(values, weight, np.arange(50)) == pytest.approx(expected)
    assert np.isnan(comparisons.block_error(values, weight, np.zeros(50, dtype=int)))


@pytest.mark.parametrize(
    ("difference", "error", "blocks", "words"),
    [
        (0.0, np.nan, 1, "within noise of the best"),
        (0.1, 0.05, 20, "within noise of the best"),
        (0.1, 0.045, 20, "10 % worse"),
        (0.1, 0.045, 3, "10 % worse, too few windows to tell"),
        (2.0, 0.6, 3, "200 % worse, too few windows to tell"),
        (0.004, 0.1, 7, "worse by less than 1 %, too few windows to tell"),
        (0.004, 0.0001, 20, "worse by less than 1 %"),
        (0.1, np.nan, 1, "10 % worse, too few windows to tell"),
    ],
)
def test_a_difference_is_called_noise_where_many_blocks_show_none(difference, error, blocks, words):
    assert comparisons.verdict(difference, error, blocks, 1.0) == words
    assert comparisons.verdict(29.0, 0.1, 20, 1.0) == "30 times the error"
    assert comparisons.verdict(0.1, 0.01, 20, 0.0) == "worse"


def test_equal_models_are_equal(series):
    result = fk.compare({"a": fk.LinearForecaster(), "b": fk.LinearForecaster()}, series, folds=1, **QUICK)
    assert result.table.loc[["a", "b", "linear"], "verdict"].tolist().count("within noise of the best") == 2


def test_the_spread_of_seeds_counts():
    runs = [{"seed": seed, "fold": fold, "mae": seed + fold} for seed in (0, 1, 2) for fold in (0, 1)]
    assert comparisons.seed_error(runs, "mae") == pytest.approx(1 / np.sqrt(3))
    assert comparisons.seed_error([{"seed": None, "fold": 0, "mae": 1.0}], "mae") == 0


# Going on -------------------------------------------------------------------------------------------------------------


def test_what_is_done_is_not_done_again(compared, series, monkeypatch):
    result, path, _ = compared

    def fail(*args, **kwargs):
        raise AssertionError("run again")

    monkeypatch.setattr(comparison, "run", fail)
    lines = []
    again = fk.compare("gru", series, seeds=2, folds=2, path=path, progress=lines.append, **QUICK, **TINY)
    pd.testing.assert_frame_equal(again.table, result.table)
    assert lines == [f"10 finished results are read from {path}"]


def test_an_interrupted_comparison_goes_on(series, tmp_path, monkeypatch):
    path, kept = tmp_path / "runs.jsonl", measure.run

    def stop(model, task, fold, latency=False):
        if fold.number == 1 and isinstance(model, fk.LinearForecaster):
            raise KeyboardInterrupt
        return kept(model, task, fold, latency)

    with monkeypatch.context() as patch:
        patch.setattr(comparison, "run", stop)
        with pytest.raises(KeyboardInterrupt):
            fk.compare("linear", series, folds=2, path=path, **QUICK)
    done = path.read_text().splitlines()
    assert len(done) == 2  # what the file is about, and the first fold
    path.write_text("\n".join([*done, '{"key": "torn']))
    ran = []
    monkeypatch.setattr(comparison, "run", lambda *a, **k: ran.append(1) or kept(*a, **k))
    result = fk.compare("linear", series, folds=2, path=path, **QUICK)
    assert len(ran) == 5
    whole = fk.compare("linear", series, folds=2, **QUICK)
    assert result.table["mase"].tolist() == whole.table["mase"].tolist()
    assert all(json.loads(line) for line in path.read_text().splitlines())


def test_a_file_of_other_data_or_settings_is_refused(compared, series, tmp_path):
    path = compared[1]
    with pytest.raises(InputError, match=r"must be of the same data and settings, got other data\. Pass another path="):
        fk.compare("gru", series * 2, seeds=2, folds=2, path=path, **QUICK, **TINY)
    with pytest.raises(InputError, match="got folds 2 there, 1 here"):
        fk.compare("gru", series, seeds=2, folds=1, n_windows=20, path=path, **QUICK, **TINY)
    for number, text in enumerate(["hello\n", '{"a": 1}\n', "\n\n"]):
        (tmp_path / f"{number}").write_text(text)
        with pytest.raises(InputError, match="path must be a file that compare wrote"):
            RunLog(tmp_path / f"{number}", {}, "compare")
    with pytest.raises(InputError, match="path must be writable"):
        RunLog(tmp_path / "none" / "x", {}, "compare")
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="path must be a file that compare wrote"):
        RunLog(tmp_path / "binary", {}, "compare")


# The budget -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "seconds"), [("10m", 600), ("90s", 90), ("1.5h", 5400), ("7", 7), (3, 3), (None, None)]
)
def test_budgets_are_read(text, seconds):
    assert seconds_of(text, "x") == seconds


@pytest.mark.parametrize("text", ["10x", "m", "-3s", "0s", "", 0, -1, True])
def test_budgets_that_are_none_are_refused(text):
    with pytest.raises(ParameterError, match="x: budget must be"):
        seconds_of(text, "x")


class Clock:
    """A clock that only work moves."""

    def __init__(self):
        self.now = 0.0

    def monotonic(self):
        return self.now


@pytest.mark.parametrize(("overhead", "networks", "seeds"), [(1.0, 8, 3), (9.0, 8, 3), (14.0, 8, 1), (20.0, 4, 2)])
def test_a_budget_is_kept_whatever_a_fit_takes_beside_training(series, monkeypatch, overhead, networks, seeds):
    """Fits of all lengths of overhead, on a clock of our own; the limits of a round are the same."""
    clock, limits = Clock(), []
    monkeypatch.setattr(budgets, "time", clock)
    monkeypatch.setattr(comparison, "time", clock)

    def work(model, task, fold, latency=False):
        seconds = getattr(model, "time_limit", None) or 0.0
        clock.now += seconds + overhead * (seconds > 0)
        found = {
            "mae": 1.0,
            "mse": 1.0,
            "mase": 1.0,
            "by_cutoff": {"mae": [1.0] * 10, "mase": [1.0] * 10, "steps": [6] * 10, "scaled_steps": [6] * 10},
        }
        if seconds > measure.AT_ONCE:
            limits.append(seconds)
        costs = {"fit_seconds": seconds + overhead, "train_seconds": seconds, "seconds": seconds + overhead}
        return {**found, **costs} if seconds else found

    monkeypatch.setattr(comparison, "run", work)
    models = {f"gru {number}": fk.GRUForecaster() for number in range(networks)}
    result = fk.compare(models, series, seeds=seeds, folds=1, n_windows=10, budget=600, **QUICK)
    assert 0.9 * 600 < result.settings["seconds"] < 1.1 * 600
    rounds = np.array(limits).reshape(-1, networks)
    assert len(rounds) == seeds
    np.testing.assert_allclose(rounds, rounds[:, :1] * np.ones(networks))


def test_what_a_budget_does_not_suffice_for_is_not_run(series, monkeypatch):
    """Fits that take far longer than anyone could know: the clock wins."""
    clock = Clock()
    monkeypatch.setattr(budgets, "time", clock)
    monkeypatch.setattr(comparison, "time", clock)
    errors = {name: [1.0] * 10 for name in ("mae", "mse", "mase", "steps", "scaled_steps")}

    def work(model, task, fold, latency=False):
        seconds = getattr(model, "time_limit", None)
        clock.now += 0 if seconds is None else seconds + 100
        found = {"mae": 1.0, "mse": 1.0, "mase": 1.0, "by_cutoff": errors, "fit_seconds": 100, "seconds": 100}
        return found if seconds is None else {**found, "train_seconds": seconds}

    monkeypatch.setattr(comparison, "run", work)
    models = {f"gru {number}": fk.GRUForecaster() for number in range(8)}
    result = fk.compare(models, series, seeds=3, folds=1, n_windows=10, budget=600, **QUICK)
    assert 0.8 * 600 < result.settings["seconds"] < 1.2 * 600
    assert result.settings["seeds"] == [0]
    assert result.table["verdict"].tolist().count("not run: no time was left") == 3
    assert "no time was left for gru 5, seed 0, gru 6, seed 0, gru 7, seed 0" in result.notes


def test_networks_get_fewer_folds_rather_than_no_training(series, monkeypatch):
    """Each fit takes 20 s beside training: within a minute, one fold of three is trained, for long enough."""
    clock, trained = Clock(), []
    monkeypatch.setattr(budgets, "time", clock)
    monkeypatch.setattr(comparison, "time", clock)

    def work(model, task, fold, latency=False):
        seconds = getattr(model, "time_limit", None) or 0.0
        clock.now += seconds + 20 * (seconds > 0)
        trained.extend([seconds] if seconds > measure.AT_ONCE else [])
        error = (1.0 if seconds else 2.0) + fold.number
        rows = {"mae": [error] * 10, "mse": [error] * 10, "mase": [error] * 10, "steps": [6] * 10}
        found = {"mae": error, "mse": error, "mase": error, "by_cutoff": {**rows, "scaled_steps": [6] * 10}}
        return {**found, "fit_seconds": seconds + 20, "train_seconds": seconds, "seconds": seconds + 20}

    monkeypatch.setattr(comparison, "run", work)
    result = fk.compare("gru", series, seeds=1, folds=3, n_windows=10, stride=1, budget=60, **QUICK)
    assert len(trained) == 1
    assert trained[0] > 10
    assert result.best == "gru"
    assert result.table["mase"].tolist() == [1.0, 2.0, 2.0, 2.0], "all on the fold that the network has"
    assert "no time was left for networks on 2 of 3 folds: scores are of the others" in result.notes
    assert result.settings["seconds"] < 1.1 * 60


@pytest.mark.rotated
def test_a_budget_is_kept_on_real_data():
    data = fk.load_dataset("airpassengers")
    options = {"horizon": 12, "folds": 1, "n_windows": 6, "memory": False, "epochs": 100_000, "patience": None}
    wall, processor = time.monotonic(), time.process_time()
    fk.GRUForecaster(horizon=12, time_limit=0.01).fit(data)
    if time.process_time() - processor < 0.5 * (time.monotonic() - wall):
        pytest.skip("the machine has other work: no wall clock can be kept")
    result = fk.compare("gru", data, seeds=2, budget="30s", **options)
    assert 0.6 * 30 < result.settings["seconds"] < 1.2 * 30
    assert (result.runs.loc[result.runs["model"] == "gru", "ended"] == "time limit").all()
    assert any(note.startswith("the budget ended ") for note in result.notes)


def test_seeds_that_the_budget_cannot_pay_are_left_out(series):
    with pytest.raises(
        ParameterError, match=r"budget must be at least 6 s for one run of 1 networks on 2 folds, got 4 s"
    ):
        fk.compare("gru", series, folds=2, budget=4, **QUICK)
    candidates = make_candidates("gru", SIZES)
    task, folds = comparison.prepare_folds(candidates, *read_panel(series), (2, 5, 1))
    comparison_run = comparison._ComparisonRun(candidates, task, folds, [0, 1, 2], TimeBudget(13.0), None)
    assert comparison_run.seeds == [0, 1]
    comparison_run.open(None)
    comparison_run.result(None)
    assert comparison_run.notes == ["no time was left for 1 of 3 seeds"]


# Models ---------------------------------------------------------------------------------------------------------------


def test_models_come_as_names_forecasters_or_a_dict():
    names = [candidate.name for candidate in make_candidates(["gru", fk.GRUForecaster(), fk.LinearForecaster()], {})]
    assert names == ["gru", "gru 2", "linear", "naive", "seasonal_naive"]
    assert [c.name for c in make_candidates("linear,mean", {"season_length": 1})] == ["linear", "mean", "naive"]
    made = make_candidates({"mine": fk.LSTMForecaster(units=8, horizon=3)}, {"lookback": 9, "units": 4, "horizon": 3})
    assert made[0].forecaster.get_params()["units"] == 8
    assert [candidate.forecaster.horizon for candidate in made] == [3, 3, 3, 3]
    assert [candidate.forecaster.lookback for candidate in made] == [9, 9, 9, 9]
    assert {c.name for c in make_candidates("all", {})} >= set(fk.backbones.names())


def test_ensembles_share_the_seconds_and_the_seed():
    members = [fk.GRUForecaster(), fk.LSTMForecaster(time_limit=2), fk.LinearForecaster()]
    candidate = make_candidates({"all": fk.EnsembleForecaster(forecasters=members)}, {})[0]
    assert (candidate.is_trained, candidate.is_random) == (True, True)
    made = candidate.for_run(5, 10.0)
    assert [member.get_params().get("time_limit") for member in made.forecasters] == [2, 2, None]
    assert [member.get_params().get("random_state") for member in made.forecasters] == [5, 5, None]
    assert members[0].random_state is None
    assert make_candidates("ensemble", {})[0].is_trained


def test_fingerprints_know_parameters_but_not_those_of_a_run():
    prints = [
        make_candidates({"a": model}, {})[0].fingerprint()
        for model in (
            fk.GRUForecaster(random_state=1),
            fk.GRUForecaster(time_limit=3),
            fk.GRUForecaster(units=3),
            fk.EnsembleForecaster(),
            fk.EnsembleForecaster(forecasters=[fk.LinearForecaster()]),
        )
    ]
    assert prints[0] == prints[1]
    assert len(set(prints)) == 4


@pytest.mark.parametrize(
    ("models", "options", "sentence"),
    [
        ("grru", {}, "compare: the model must exist, got 'grru'. Did you mean 'gru'?"),
        ([], {}, "compare: models must contain at least one, got none."),
        ([3], {}, "compare: a model must be a name or a forecaster, got 3."),
        ("linear", {"horizont": 3}, "compare: the parameter must exist, got 'horizont'. Did you mean 'horizon'?"),
        ("linear", {"random_state": 3}, "compare: the parameter must exist, got 'random_state'."),
        ("linear", {"seeds": 0}, "compare: seeds must be a whole number of at least 1, got 0."),
        ("linear", {"seeds": [1, 1]}, "compare: seeds must be distinct, at least one, got [1, 1]."),
        ("linear", {"metric": "rmse"}, "compare: metric must be one of 'mae', 'mse', 'mase', None, got 'rmse'."),
        ("linear", {"folds": 0}, "compare: folds must be a whole number of at least 1, got 0."),
        ("linear", {"lookbacks": [0]}, "compare: lookbacks must be a whole number of at least 1, got 0."),
        ("linear", {"budget": "5 days"}, "compare: budget must be a number of seconds, or one with s, m or h"),
        ("linear", {"horizon": 6, "folds": 60}, "compare: 60 folds of 6 rows must leave horizon + 2 = 8 rows before"),
        ("gru", {"units": 0}, "GRU: units must be a whole number of at least 1, got 0."),
        (
            [fk.LinearForecaster(horizon=3), fk.MeanForecaster(horizon=4)],
            {},
            "compare: all models must have the same horizon, got 3 (linear) and 4 (mean).",
        ),
    ],
)
def test_bad_input_is_one_sentence_before_any_training(models, options, sentence, series, monkeypatch):
    monkeypatch.setattr(comparison, "run", None)
    with pytest.raises(InputError) as refusal:
        fk.compare(models, series, **options)
    assert str(refusal.value).startswith(sentence)


# Beside the runs ------------------------------------------------------------------------------------------------------


def test_peak_memory_is_that_of_a_process_of_its_own(series):
    panel, schema = read_panel(series)
    sizes = Sizes(6, 1, 5, 1)
    task = measure.Task(panel, schema, 24, sizes, np.ones((1, 1)))
    fold = make_folds(panel, sizes, calendar=True)[0]
    found = measure.measure_memory(fk.LinearForecaster(**SIZES), task, fold)
    assert 0 <= found["memory_mb"] < 200
    assert found["fit_seconds"] > 0

    class Local(fk.LinearForecaster):
        pass

    assert "cannot be sent to another process" in measure.measure_memory(Local(), task, fold)["error"]
    bad = measure.measure_memory(fk.LinearForecaster(horizon=1000), task, fold)
    assert "a series must have at least horizon + 2" in bad["error"]


def test_what_memory_says_is_in_the_table(series, monkeypatch):
    monkeypatch.setattr(comparison, "measure_memory", lambda model, task, fold: {"memory_mb": 12.0})
    result = fk.compare("linear", series, folds=1, **SIZES)
    assert (result.table["memory_mb"] == 12.0).all()
    assert "memory MB" in repr(result)


def test_memory_leaves_the_budget_to_the_runs(series, monkeypatch):
    clock = Clock()
    monkeypatch.setattr(budgets, "time", clock)
    monkeypatch.setattr(comparison, "time", clock)

    def slow(model, task, fold):
        clock.now += 15
        return {"memory_mb": 1.0}

    monkeypatch.setattr(comparison, "measure_memory", slow)
    result = fk.compare("linear", series, folds=1, budget=60, **SIZES)
    assert result.table["memory_mb"].notna().sum() == 1
    assert result.notes == ["no time was left for the peak memory of naive, seasonal_naive"]


def test_an_epoch_cut_short_while_compiling_says_nothing_of_its_length():
    cut = Record(steps=100, pieces=[(25, 9.0)], ended="time limit")
    whole = Record(steps=100, pieces=[(25, 9.0), (25, 1.0)], ended="time limit")
    assert np.isnan(measure._epoch_seconds(cut))
    assert measure._epoch_seconds(whole) == 4.0


def test_growth_with_the_lookback(series):
    result = fk.compare("gru", series, seeds=1, folds=1, lookbacks=[12, 24], **QUICK, **TINY)
    growth = result.growth
    assert list(growth.index) == [("gru", 12), ("gru", 24), ("linear", 12), ("linear", 24)]
    assert (growth.loc["gru", "epoch_seconds"] > 0).all()
    assert (growth["many_ms"] > 0).all()


# The command line -----------------------------------------------------------------------------------------------------


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """Runs a command that must end with this code; gives what it printed."""
    monkeypatch.chdir(tmp_path)

    def command(*args, code=0):
        assert main(["compare", *map(str, args)]) == code
        return capsys.readouterr()

    return command


LINEAR = ("--csv", AIR, "--models", "linear", "--no-memory")


def test_the_command_shows_writes_and_goes_on(run):
    out = run(*LINEAR, "--out", "c.json", "--csv-out", "c.csv", "--plot", "c.png").out
    assert "settings horizon 12\n" in out
    assert "tested   horizon 12, 3 folds of 5 cutoffs" in out
    assert "against the best" in out
    assert sorted(os.listdir()) == ["c.csv", "c.json", "c.jsonl", "c.png"]
    assert json.loads(Path("c.json").read_text())["best"] == "linear"
    again = run(*LINEAR, "--out", "c.json", "--csv-out", "c.csv", "--plot", "c.png").out
    assert "finished results are read from c.jsonl" in again
    assert "got horizon 12 there, 6 here" in run(*LINEAR, "--out", "c.json", "--horizon", "6", code=1).err
    assert "6 cutoffs" not in run(*LINEAR, "--out", "c.json", "--horizon", "6", "--overwrite").err


def test_json_is_one_object(run):
    found = json.loads(run(*LINEAR, "--json").out)
    assert (found["best"], found["horizon"], found["freq"]) == ("linear", 12, "monthly")
    assert {row["model"] for row in found["table"]} == {"linear", "naive", "seasonal_naive"}


@pytest.mark.parametrize(
    ("args", "code", "words"),
    [
        (("--models", "grru"), 2, "Did you mean 'gru'?"),
        (("--models", ","), 2, "--models: must be comma-separated names"),
        (("--budget", "10 parsecs"), 2, "--budget: budget must be a number of seconds"),
        (("--budget", "1s", "--models", "gru"), 2, "budget must be at least"),
        (("--windows", "500"), 1, "must leave horizon + 2"),
        (("--lookbacks", "a"), 2, "--lookbacks: must be comma-separated whole numbers"),
        (("--plot", "c.txt"), 1, "a plot must end in"),
        (("--metric", "r2"), 2, "metric must be one of"),
    ],
)
def test_the_command_refuses_in_one_sentence(run, args, code, words):
    said = run(*LINEAR, *args, code=code)
    assert words in said.err
    assert "Traceback" not in said.err


def test_warnings_of_fits_are_shown(run):
    said = run(*LINEAR, "--lookback", "90")
    assert "lookback 90 is shortened" in said.err


def test_ctrl_c_says_what_is_kept(run, monkeypatch):
    def stop(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(comparison, "run", stop)
    assert "finished runs are in c.jsonl" in run(*LINEAR, "--out", "c.json", code=130).err
    assert "nothing is saved" in run(*LINEAR, code=130).err
