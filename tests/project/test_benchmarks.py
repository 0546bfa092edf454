"""The benchmark scripts measure what they say; their figures themselves are not tests."""

import importlib.util
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "benchmarks"
TRAIN, VALIDATION, TEST, HORIZON, LOOKBACK = 200, 60, 80, 12, 48


def script(name):
    spec = importlib.util.spec_from_file_location(f"benchmark_{name}", FOLDER / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def accuracy():
    return script("accuracy")


@pytest.fixture
def csv(tmp_path):
    """Two hourly series, the second constant at first, some rows more than the split needs."""
    rng = np.random.default_rng(0)
    hours = np.arange(TRAIN + VALIDATION + TEST + 7)
    a = 50 + 10 * np.sin(2 * np.pi * hours / 24) + rng.normal(size=len(hours))
    b = np.where(hours < TRAIN, 5.0, 5 + rng.normal(size=len(hours)))
    frame = pd.DataFrame({"a": a, "b": b}, index=pd.date_range("2020-01-01", periods=len(hours), freq="h", name="t"))
    frame.to_csv(tmp_path / "waves.csv")
    return tmp_path / "waves.csv"


@pytest.fixture
def run(accuracy, csv, tmp_path):
    """Calls accuracy.py on the waves and returns all lines written so far."""

    def call(*more):
        common = ["--csv", str(csv), "--split", f"{TRAIN},{VALIDATION},{TEST}", "--horizon", str(HORIZON)]
        common += ["--lookback", str(LOOKBACK), "--out", str(tmp_path / "r.jsonl"), "--forecasts", str(tmp_path / "f")]
        accuracy.main([*common, *more])
        path = tmp_path / "r.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    return call


def test_every_test_window_counts_on_the_training_scale(run, csv):
    (line,) = run("--models", "seasonal_naive")
    values = pd.read_csv(csv, index_col=0).to_numpy()[: TRAIN + VALIDATION + TEST]
    scale = values[:TRAIN].std(axis=0)
    scale[scale == 0] = 1
    z = (values - values[:TRAIN].mean(axis=0)) / scale
    cutoffs = range(TRAIN + VALIDATION, TRAIN + VALIDATION + TEST - HORIZON + 1)
    errors = np.array([z[c : c + HORIZON] - z[c - 24 : c - 24 + HORIZON] for c in cutoffs])
    assert line["windows"] == len(cutoffs)
    assert line["mse"] == pytest.approx((errors**2).mean(), rel=1e-5)
    assert line["mae"] == pytest.approx(np.abs(errors).mean(), rel=1e-5)


def test_scaling_sees_training_rows_only(accuracy, csv):
    frame = accuracy.read(csv)
    perturbed = frame.copy()
    perturbed.iloc[TRAIN:] *= 100
    split = (TRAIN, VALIDATION, TEST)
    whole, changed = (accuracy.standardise(each, split)[:TRAIN] for each in (frame, perturbed))
    pd.testing.assert_frame_equal(whole, changed)


def test_a_split_longer_than_the_file_is_refused(accuracy, csv):
    with pytest.raises(SystemExit, match="needs 9999 rows"):
        accuracy.standardise(accuracy.read(csv), (9000, 900, 99))


@pytest.mark.rotated
def test_a_network_by_seed_is_told_in_full_and_not_run_twice(run):
    settings = ["--set", "epochs=1", "--set", "windows_per_epoch=64", "--set", "units=4"]
    lines = run("--models", "linear,gru", "--seeds", "3,4", *settings)
    assert [(line["model"], line["seed"]) for line in lines] == [("linear", None), ("gru", 3), ("gru", 4)]
    assert lines[0]["parameters"] == {}
    assert lines[1]["parameters"] == {"epochs": 1, "windows_per_epoch": 64, "units": 4}
    assert lines[1]["weights"] > 0
    assert (lines[1]["epochs"], lines[1]["best_epoch"] in (0, 1)) == (1, True)  # 0: the linear forecast was better
    assert {"python", "keras", "numpy"} <= lines[1]["versions"].keys()
    assert run("--models", "linear,gru", "--seeds", "3,4", *settings) == lines
    assert len(run("--models", "linear", "--lookback", "24")) == 4


def test_averages_are_made_from_stored_forecasts(run, accuracy, tmp_path):
    *members, line = run("--models", "linear,naive", "--ensembles", "linear+naive")
    forecasts = np.mean([np.load(path) for path in (tmp_path / "f").glob("*.npy")], axis=0)
    csv, split = tmp_path / "waves.csv", (TRAIN, VALIDATION, TEST)
    assert line["model"] == "linear+naive"
    assert line["mse"] == pytest.approx(accuracy.Task(csv, split, HORIZON, LOOKBACK).errors(forecasts)["mse"])
    assert line["mse"] < max(member["mse"] for member in members)


@pytest.mark.parametrize(
    ("name", "groups"),
    [
        ("gru", [["gru"]]),
        ("gru+linear", [["gru"], ["linear"]]),
        ("linear+(gru+lstm)", [["linear"], ["gru", "lstm"]]),
        ("(gru+lstm)+(rnn)", [["gru", "lstm"], ["rnn"]]),
    ],
)
def test_members_in_parentheses_count_as_one(accuracy, name, groups):
    assert accuracy.groups_of(name) == groups


def test_an_average_without_its_members_is_left_for_later(run, capsys):
    assert run("--ensembles", "linear+naive") == []
    assert "a member has not been run" in capsys.readouterr().out


def test_a_forecast_out_of_place_is_noticed(accuracy, csv):
    import forecastkit as fk

    task = accuracy.Task(csv, (TRAIN, VALIDATION, TEST), HORIZON, LOOKBACK)
    first = TRAIN + VALIDATION
    model = fk.NaiveForecaster(horizon=HORIZON).fit(task.values.iloc[:first])
    table = fk.backtest(model, task.values, start=first).forecasts
    assert accuracy.cube(table, task).shape == (TEST - HORIZON + 1, 2, HORIZON)
    with pytest.raises(AssertionError, match="cells in"):
        accuracy.cube(table.iloc[1:], task)
    with pytest.raises(AssertionError):
        accuracy.cube(table.assign(actual=table["actual"].to_numpy()[::-1]), task)
    with pytest.raises(AssertionError, match="not finite"):
        accuracy.cube(table.assign(forecast=table["forecast"].where(table["step"] > 1)), task)


def test_the_table_shows_mean_and_spread_over_seeds(tmp_path, capsys):
    common = {"dataset": "d", "horizon": 96, "lookback": 528, "parameters": {}, "fit_seconds": 9, "backtest_seconds": 1}
    lines = [
        {**common, "model": "lstm_transformer", "seed": 0, "mse": 0.37, "mae": 0.4},
        {**common, "model": "lstm_transformer", "seed": 1, "mse": 0.39, "mae": 0.4},
        {**common, "model": "gru+linear", "seed": 0, "mse": 0.35, "mae": 0.38},
    ]
    path = tmp_path / "r.jsonl"
    path.write_text("\n".join(map(json.dumps, lines)))
    script("table").main([str(path)])
    head, _, best, other = capsys.readouterr().out.splitlines()
    assert head.startswith("| data | horizon | lookback | model | MSE | MAE | seeds |")
    assert best.startswith("| d | 96 | 528 | gru + linear | 0.350 | 0.380 | 1 |")
    assert other.startswith("| d | 96 | 528 | lstm transformer | 0.380 ± 0.014 | 0.400 ± 0.000 | 2 |")
    script("table").main([str(path), "--wide"])
    assert capsys.readouterr().out.splitlines() == [
        "| model | d-96 |",
        "| --- | --- |",
        "| gru + linear | 0.350 / 0.380 |",
        "| lstm transformer | 0.380 ± 0.014 / 0.400 (2 seeds) |",
    ]


def test_ingestion_reads_what_it_writes(tmp_path):
    ingestion = script("ingestion")
    ingestion.write(tmp_path, rows=30_000)
    for name in ("long.csv", "long.parquet"):
        told = ingestion.child(tmp_path / name)
        assert told["rows"] == 30_000
        assert told["seconds"] > 0


@pytest.mark.parametrize(("seconds", "mb", "code"), [(1.0, 300.0, 0), (61.0, 300.0, 1), (1.0, 360.1, 1)])
def test_ingestion_over_a_limit_fails(monkeypatch, tmp_path, seconds, mb, code):
    ingestion = script("ingestion")
    told = json.dumps({"rows": 10_000_000, "seconds": seconds, "mb": mb})
    done = type("Done", (), {"returncode": 0, "stdout": told})
    monkeypatch.setattr(ingestion.subprocess, "run", lambda *args, **kwargs: done)
    monkeypatch.setattr(ingestion, "SECONDS", {"csv": 60, "parquet": 60})
    assert ingestion.main(["--rows", "10", "--out", str(tmp_path / "o.json")]) == code
    assert json.loads((tmp_path / "o.json").read_text())["files"][0]["times_float32"] == round(mb / 40, 2)


@pytest.mark.rotated
@pytest.mark.parametrize("mapped", [False, True])
def test_memory_is_reported_by_phase(mapped, tmp_path):
    told = script("memory").child_fit(rows=3000, steps=2, epochs=2, folder=tmp_path if mapped else None)
    assert list(told["peaks"]) == ["imports and array", "data", "first epoch", "training", "calibration"]
    assert sorted(told["peaks"].values()) == list(told["peaks"].values())
    assert told["array"] == pytest.approx(0.012)


@pytest.mark.parametrize(("peak", "code"), [(1041, 1), (1039, 0)])
def test_memory_over_the_allowed_fails(monkeypatch, tmp_path, peak, code):
    memory = script("memory")
    fitted = {"peak": peak, "peaks": {"data": 1.0}, "array": 10.0, "fit_seconds": 1.0}
    monkeypatch.setattr(memory, "run", lambda task, *numbers: {"peak": 700.0} if task == "import" else fitted)
    assert memory.main(["--out", str(tmp_path / "m.json")]) == code
    assert json.loads((tmp_path / "m.json").read_text())["fits"][0]["allowed"] == 1040


def test_contenders_run_in_turn_and_ratios_are_of_the_best_runs(monkeypatch, tmp_path):
    speed, called = script("speed"), []
    rates = iter([200.0, 100.0, 220.0, 110.0])

    def run(python, name, model, windows):
        called.append((python, name))
        if name == "backtest":
            return {"seconds": 1.0, "forecasts": 10}
        rate = next(rates)
        return {
            "windows_per_second": rate,
            "steady_windows_per_second": 2 * rate,
            "start_seconds": 1.0,
            "imported": 400.0 if name == "ours" else 450.0,
            "peak": 500.0,
            "weights": 7,
        }

    monkeypatch.setattr(speed, "run", run)
    speed.main(["--models", "gru", "--no-keras", "--peers-python", "theirs", "--out", str(tmp_path / "s.json")])
    assert [name for _, name in called] == ["ours", "neuralforecast", "ours", "neuralforecast", "backtest"]
    assert called[1][0] == "theirs"
    told = json.loads((tmp_path / "s.json").read_text())
    assert told["ratios"]["gru"]["neuralforecast"] == {
        "whole_fit": 2.0,
        "whole_fit_by_round": [2.0, 2.0],
        "steady": 2.0,
        "peak_memory": 1.0,
        "memory_above_imports": 2.0,
    }
    assert told["machine"]["cores"] > 0
    operations = 6 * speed.arithmetic.multiply_adds("gru") * 220.0
    expected = operations / (told["machine"]["matmul_gflops"] * 1e9)
    assert told["of_matmul"]["gru"]["ours"]["whole_fit"] == pytest.approx(expected, abs=1e-3)


def test_few_windows_reads_both_kinds_of_files_and_leaves_their_tests_alone(tmp_path):
    few = script("few_windows")
    rows = 90
    long = pd.DataFrame({"id": np.repeat(["a", "b"], rows), "t": 0, "y": np.tile(np.arange(rows), 2)})
    for name, (*_, has_test) in few.SETS.items():
        wide = pd.DataFrame([["a", *range(rows)], ["b", *range(rows - 1), None]])
        (long if has_test else wide).to_csv(tmp_path / f"{name}.csv.gz", index=False)
    tasks = list(few.tasks(few.argparse.Namespace(data=tmp_path, series=9)))
    ends = {(horizon, future[-1]) for _, future, _, horizon in tasks}
    assert ends == {(18, 71.0), (8, 81.0), (6, 83.0)}, "M4 series are too short here"
    assert all(past[-1] + 1 == future[0] for past, future, *_ in tasks)


def test_few_windows_measures_by_hand():
    """Steps of one, last value carried on: errors are 1 and 2, the ranges from -2 to 2 hold both."""
    apart, held_80, held_50, pinball = script("few_windows").measure(
        "naive", np.arange(60.0), np.array([60.0, 61]), 1, 2
    )
    assert (apart, held_80, held_50) == (6, 1.0, 1.0)
    assert 0 < pinball < 1


def test_speed_is_told_with_its_ratios():
    speed, table = script("speed"), script("speed_table")
    rates = {"ours": (6000.0, 8000.0, 700.0), "darts": (3000.0, 2000.0, 500.0)}
    runs = {
        name: [{"windows_per_second": whole, "steady_windows_per_second": steady, "peak": peak, "imported": 400.0}]
        for name, (whole, steady, peak) in rates.items()
    }
    told = {"training": {"gru": runs}, "ratios": {"gru": speed.ratios(runs)}}
    told["of_matmul"] = {"gru": {"ours": {"whole_fit": 0.3, "steady": 0.4}}}
    assert table.shown(told).to_dict("records") == [
        {"": "GRU, training", "forecastkit": "6,000 (8,000; 40%) windows/s", "darts": "2.0 (4.0) times"},
        {"": "GRU, memory", "forecastkit": "300 MB", "darts": "3.0 times"},
    ]


def test_the_page_shows_the_speeds_of_the_results(tmp_path):
    page = ROOT / "docs" / "speed.md"
    copy = tmp_path / "speed.md"
    copy.write_text(page.read_text(encoding="utf-8"), encoding="utf-8")
    script("speed_table").main(["--page", str(copy)])
    told = "python benchmarks/speed_table.py --page docs/speed.md"
    assert copy.read_text(encoding="utf-8") == page.read_text(encoding="utf-8"), told


def test_only_recurrent_networks_meet_darts_and_skforecast():
    speed = script("speed")
    args = speed.arguments(["--no-keras", "--more-python", "more"])
    assert list(speed.candidates(args, "lstm")) == ["ours", "darts", "skforecast"]
    assert list(speed.candidates(args, "transformer")) == ["ours"]


def test_multiply_adds_by_hand():
    """An LSTM of 64 units: 96 steps of 65 x 256, one more product with the state, 24 steps of the head."""
    arithmetic = script("arithmetic")
    assert arithmetic.multiply_adds("lstm") == 96 * 65 * 256 + 64 * 256 + 24 * 64
    block = 8 * (4 * 64 * 64 + 2 * 64 * 128) + 2 * 8 * 8 * 64
    assert arithmetic.multiply_adds("transformer") == 6 * 16 * 64 + 2 * block + 2 * 64 * 16
    assert arithmetic.training_fraction("lstm", 1000.0, 1e11) == pytest.approx(0.0969, abs=1e-4)


def test_the_rate_of_products_is_operations_over_the_shortest_time(monkeypatch):
    arithmetic = script("arithmetic")
    times = iter([0.0, 3.0, 4.0, 6.0])
    monkeypatch.setattr(arithmetic.time, "perf_counter", lambda: next(times))
    assert arithmetic.matmul_rate(size=10, runs=2) == 1000.0


def test_a_failing_contender_is_told():
    import sys

    with pytest.raises(SystemExit, match="failed"):
        script("speed").run(sys.executable, "nobody", "gru", 1)


def test_plain_keras_reads_the_same_windows():
    contenders = script("contenders")
    data = np.arange(400, dtype="float32").reshape(200, 2)
    dataset, count = contenders.keras_windows(data)
    batches = [(x.numpy(), y.numpy()) for x, y in dataset]
    assert sum(len(x) for x, _ in batches) == count == 2 * (200 - 96 - 24 + 1)
    for x, y in batches:
        np.testing.assert_array_equal(x[:, -1, 0] + 2, y[:, 0])
        assert x.shape[1:] == (96, 1)
        assert y.shape[1:] == (24,)


@pytest.mark.parametrize("name", ["gru", "lstm", "transformer"])
def test_plain_keras_networks_map_96_values_to_24(name):
    contenders = script("contenders")
    made = contenders.keras_transformer() if name == "transformer" else contenders.keras_recurrent(name)
    assert made.output_shape == (None, 24)


def test_the_stopwatch_tells_the_start_from_the_steady_rate(monkeypatch):
    contenders = script("contenders")
    times = iter([0.0, 5.0, 7.0, 8.0])
    monkeypatch.setattr(contenders.time, "perf_counter", lambda: next(times))
    watch = contenders.Stopwatch()
    watch.start()
    watch.mark(100)
    watch.mark(200)
    told = watch.report(200)
    assert told["steady_windows_per_second"] == 50
    assert told["windows_per_second"] == 25
    assert told["start_seconds"] == 4


@pytest.mark.rotated
def test_accelerators_are_measured_by_lookback_and_precision(tmp_path):
    gpu = script("gpu")
    sizes = ["--units", "8", "--batch", "32", "--steps", "30", "--product", "64", "--lookbacks", "24,48"]
    gpu.main(["--models", "gru", *sizes, "--precisions", "float32", "--out", str(tmp_path / "gpu.jsonl")])
    lines = [json.loads(line) for line in (tmp_path / "gpu.jsonl").read_text().splitlines()]
    assert [line["lookback"] for line in lines] == [24, 48]
    assert all(line["windows_per_second"] > 0 and line["bfloat16_rate"] > 0 and line["part"] > 0 for line in lines)


@pytest.mark.rotated
def test_forecasts_of_one_and_of_many_series_are_timed():
    prediction = script("prediction")
    model = prediction.fitted()
    assert min(prediction.one(model, calls=2).values()) > 0
    found = prediction.many(model, series=30)
    assert (found["series"], found["seconds"] >= 0) == (30, True)
    assert found["per_second"] > 0


@pytest.mark.rotated
def test_growth_of_training_is_measured_in_a_process_of_its_own():
    growth = script("training_growth")
    found = growth.measured({"lookback": 12, "batch": 32, "series": 2, "cores": 1, "windows": 2000})
    assert found["windows_per_second"] > 0
    assert 300 < found["mb"] < 4000


def test_exponents_of_known_costs():
    growth, sizes = script("growth"), [10, 20, 40, 80, 160]
    assert growth.exponent(sizes, [3.0 * size for size in sizes], least=1) == 1
    assert growth.exponent(sizes, [5.0 + size**2 for size in sizes], least=1) == pytest.approx(2, abs=0.02)
    assert growth.exponent(sizes, [0.001 * size for size in sizes], least=1) is None


def test_every_operation_has_exponents_or_is_below_the_least(tmp_path, monkeypatch):
    growth = script("growth")
    monkeypatch.setitem(growth.AROUND, "series", {"rows": 60, "horizon": 2, "lookback": 4, "origins": 2})
    monkeypatch.setattr(growth, "DOUBLINGS", 2)
    for _ in range(2):  # the second run replaces the lines of the first
        growth.main(["--dimensions", "series", "--first", "2", "--repeats", "1", "--limit", "9", "--least", "0",
                     "--operations", "read,predict,save,load", "--out", str(tmp_path / "growth.jsonl")])  # fmt: skip
    lines = [json.loads(line) for line in (tmp_path / "growth.jsonl").read_text().splitlines()]
    assert [line["operation"] for line in lines] == ["read", "predict", "save", "load"]
    assert all(line["sizes"] == [2, 4, 8] and min(line["seconds"]) > 0 for line in lines)


def test_very_many_series_take_every_stage(tmp_path):
    more = ["--models", "linear", "--out", str(tmp_path / "lines.jsonl"), "--scratch", str(tmp_path)]
    assert script("many_series").main(["--series", "30", "--rows", "60", "--limit", "1e5", *more]) == 0
    (line,) = map(json.loads, (tmp_path / "lines.jsonl").read_text().splitlines())
    assert list(line["stages"])[:3] == ["write", "read", "fit, linear"]
    assert line["stages"]["predict, loaded linear"]["peak_mib"] > 0
    assert script("many_series").main(["--series", "3", "--rows", "60", "--limit", "1", *more]) == 1


def test_waits_are_measured_for_each_checkout(tmp_path):
    waits = script("waits")
    more = [
        "--waits",
        "forecast --help",
        "--repeats",
        "1",
        "--against",
        f"same={ROOT}",
        "--out",
        str(tmp_path / "w.json"),
    ]
    waits.main(more)
    lines = json.loads((tmp_path / "w.json").read_text())["waits"]
    assert [(line["wait"], line["checkout"]) for line in lines] == [
        ("forecast --help", "this"),
        ("forecast --help", "same"),
    ]
    assert all(line["processor"] > 0 and 5 < line["mb"] < 100 for line in lines)


def test_a_wait_that_fails_is_left_out(tmp_path, capsys):
    waits = script("waits")
    assert waits.run(waits.WARM, ["", "raise ValueError('no such model')"], ROOT) is None
    assert "no such model" in capsys.readouterr().err
