"""Invalid input on the command line: one sentence with the cause, the exit code, no files."""

import json
import re
import shutil
import subprocess
import sys
import zipfile

import numpy as np
import pandas as pd
import pytest

from forecastkit.cli import main

QUICK = ("--model", "linear", "--horizon", "12")
HOURS = pd.date_range("2020-01-01", periods=400, freq="h")
GOOD = pd.DataFrame({"time": HOURS, "y": np.sin(np.arange(400) / 4)})


def with_cell(row, value):
    frame = GOOD.copy()
    frame.loc[row, "y"] = value
    return frame


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A model trained on valid data."""
    folder = tmp_path_factory.mktemp("model")
    GOOD.to_csv(folder / "good.csv", index=False)
    path = folder / "m.forecast"
    assert main(["train", "--csv", str(folder / "good.csv"), *QUICK, "--out", str(path), "--quiet"]) == 0
    return path


@pytest.fixture
def home(tmp_path, monkeypatch):
    """The working directory, with a valid table."""
    GOOD.to_csv(tmp_path / "good.csv", index=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def refused(home, capsys):
    """Run a command that must be refused; return the message."""

    def state():
        return {path: path.read_bytes() for path in home.rglob("*") if path.is_file()}

    def run(*args, code=1):
        before = state()
        assert main([str(arg) for arg in args]) == code
        assert state() == before, "something was written"
        said = capsys.readouterr()
        assert "Traceback" not in said.err
        lines = said.err.strip().splitlines()
        return lines[-1]

    return run


def write(name, content):
    if isinstance(content, pd.DataFrame):
        content.to_csv(name, index=False)
    else:
        with open(name, "wb") as file:
            file.write(content)


# Tables ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "bad.csv: the file must have a header and rows, got an empty file."),
        (b"time,y\n", "bad.csv: the file must have rows, got a header"),
        (b"time,y\n\xff\xfe\x00bad\n", "bad.csv: the file must be UTF-8 text"),
        (np.random.default_rng(0).bytes(4096), "bad.csv: the file must be UTF-8 text"),
        (GOOD.assign(time=["2020-01-01"] * 399 + ["later"]), "time column 'time': every cell must be a time"),
        (pd.concat([GOOD, GOOD[:3]]), r"each \(series, time\) must be one row, got 3 .*--series-id.*clocks change"),
        (GOOD.assign(time=["13.01.2020", "01.13.2020"] * 200), "the day must come first in all cells or in none"),
        (GOOD.assign(y="a"), "there must be a numeric column to forecast, got only 'y' such as 'a'"),
        (with_cell(5, np.inf), "bad.csv: the target 'y' must be finite"),
        (GOOD.assign(y=np.nan), "bad.csv: every series must have an observed target, got none in the data"),
        (GOOD[:3], "bad.csv: a horizon of 12 needs 26 rows, .* got 3 in the longest series. Pass a shorter --horizon"),
        (GOOD[:25], "got 25 in the longest series"),
    ],
)  # fmt: skip
def test_a_bad_table_is_refused(refused, content, says):
    write("bad.csv", content)
    assert re.search(says, refused("train", "--csv", "bad.csv", *QUICK))


def test_a_missing_file_is_refused(refused):
    assert "nothere.csv: the data must be a file, got a path where there is none." in refused(
        "train", "--csv", "nothere.csv"
    )


def test_a_time_column_that_was_named_and_does_not_parse_is_refused(refused):
    write("bad.csv", GOOD.assign(time=["soon", "later"] * 200))
    said = refused("train", "--csv", "bad.csv", "--time", "time")
    assert "bad.csv: time column 'time': every cell must be a time" in said


def test_a_text_target_that_was_named_is_refused(refused):
    write("bad.csv", GOOD.assign(y="a"))
    assert "target 'y' must be numeric, got 'a' in row 1" in refused("train", "--csv", "bad.csv", "--target", "y")


def test_an_empty_series_among_others_is_refused(refused):
    write("bad.csv", pd.concat([GOOD.assign(site="a"), GOOD.assign(site="b", y=np.nan)]))
    assert "every series must have an observed target, got none in 'b'." in refused("train", "--csv", "bad.csv", *QUICK)


def test_without_horizon_few_rows_shorten_it_and_too_few_are_refused(refused, capsys):
    write("few.csv", GOOD[:30])
    assert main(["train", "--csv", "few.csv", "--model", "linear", "--out", "few.forecast"]) == 0
    assert "horizon 6 " in (said := capsys.readouterr().out)
    assert "shorter than usual: there are few rows" in said
    write("fewer.csv", GOOD[:3])
    assert "a horizon of 1 needs 4 rows" in refused("train", "--csv", "fewer.csv")


def test_a_lookback_that_does_not_fit_is_shortened_with_a_warning(home, capsys):
    write("few.csv", GOOD[:60])
    assert main(["train", "--csv", "few.csv", *QUICK, "--lookback", "50"]) == 0
    assert "lookback 50 is shortened to" in capsys.readouterr().err


def test_day_first_dates_are_parsed_correctly(home, capsys):
    days = pd.date_range("2020-01-01", periods=100)
    write("days.csv", pd.DataFrame({"tag": days.strftime("%d.%m.%Y"), "y": np.arange(100) % 7}))
    assert main(["inspect", "days.csv", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["first"], found["last"], found["date_order"]) == ("2020-01-01", "2020-04-09", "day.month.year")


def test_a_constant_series_is_forecast_as_the_constant(home):
    write("flat.csv", GOOD.assign(y=5.0))
    sizes = ["--model", "gru", "--horizon", "12", "--lookback", "24", "--epochs", "1", "--set", "units=8"]
    assert main(["train", "--csv", "flat.csv", *sizes, "--quiet"]) == 0
    assert main(["predict", "model.forecast", "--out", "f.csv", "--quiet"]) == 0
    np.testing.assert_allclose(pd.read_csv("f.csv")[["forecast", "q0.1", "q0.9"]], 5.0, atol=0.05)


# Flags ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("flags", "says"),
    [
        (("--horizon", "0"), "Error: Invalid value for '--horizon'"),
        (("--horizon", "-3"), "Error: Invalid value for '--horizon'"),
        (("--horizon", "x"), "Error: Invalid value for '--horizon'"),
        (("--target", "yy"), "the target column must exist, got 'yy'. Did you mean 'y'?"),
        (("--known", "z"), "the known column must exist, got 'z'."),
        (("--model", "grru"), "--model: the model must exist, got 'grru'. Did you mean 'gru'?"),
        (("--model", "linear", "--epochs", "2"), "linear: the parameter must exist without a network, got 'epochs'."),
        (("--model", "gru", "--set", "unitz=3"), "gru: the parameter must exist, got 'unitz'. Did you mean 'units'?"),
        (("--set", "units"), "--set: must be NAME=VALUE, got 'units'."),
        (("--model", "gru", "--set", "units=many"), "units must be a whole number of at least 1, got 'many'."),
        (("--model", "gru", "--loss", "hubr"), "or a loss of Keras, got 'hubr'. Did you mean 'huber'?"),
        (("--quantile-levels", "0.9,0.1"), "quantile_levels must be strictly increasing"),
        (("--validation-size", "much"), "--validation-size: must be a number of rows, such as 24"),
        (("--freq", "fortnight"), "freq: must be a pandas frequency alias"),
    ],
)
def test_a_bad_flag_is_refused(refused, flags, says):
    code = 1 if flags[0] == "--freq" else 2
    assert says in refused("train", "--csv", "good.csv", *flags, code=code)


@pytest.mark.parametrize(
    ("bounds", "says"),
    [
        (("--lower", "5", "--upper", "3"), "lower must be below upper, got --lower 5 and --upper 3."),
        (("--lower", "0"), "all targets must be at or above --lower, got -0.108195 at"),
        (("--lower", "y=2", "--upper", "1"), "the lower bound of a series must be below its upper bound, got 2 and 1."),
    ],
)
def test_bounds_that_cross_each_other_or_the_data_are_refused(refused, bounds, says):
    assert says in refused("train", "--csv", "good.csv", *QUICK, *bounds)


def test_a_test_that_does_not_fit_is_refused(refused):
    said = refused("train", "--csv", "good.csv", *QUICK, "--test-size", "399")
    assert "good.csv: the test must have between 12 (the horizon) and 386 rows, got 399 of 400 rows." in said


def test_backtest_needs_exactly_one_model(refused, model):
    assert "either a model file or --model must be given, got none" in refused("backtest", "--csv", "good.csv", code=2)
    both = ("backtest", model, "--csv", "good.csv", "--model", "gru")
    assert "got both" in refused(*both, code=2)
    assert "a saved model keeps its parameters, got --horizon" in refused(*both[:4], "--horizon", "3", code=2)


# Outputs --------------------------------------------------------------------------------------------------------------


def test_an_existing_model_is_kept_without_overwrite(refused, model):
    shutil.copy(model, "model.forecast")
    said = refused("train", "--csv", "good.csv", *QUICK)
    assert said.endswith(
        "model.forecast: the output must not exist, got a file of that name. Pass --overwrite to replace it."
    )


@pytest.mark.parametrize("out", ["nope/o.csv", "/proc/nope/o.csv", "."])
def test_an_unwritable_output_is_refused_before_any_work(refused, model, out):
    assert f"{out}: the output must be" in refused("predict", model, "--out", out)
    assert f"{out}: the output must be" in refused("train", "--csv", "good.csv", "--out", out)


def test_an_unknown_plot_format_is_refused(refused, model):
    assert "must end in .png, .pdf or .svg" in refused("predict", model, "--plot", "f.docx")


# Models ---------------------------------------------------------------------------------------------------------------


def damaged(kind, whole):
    if kind == "cut":
        return whole[: len(whole) // 2]
    if kind == "flipped":
        middle = len(whole) // 2
        return whole[:middle] + bytes([whole[middle] ^ 0xFF]) + whole[middle + 1 :]
    return {"noise": np.random.default_rng(1).bytes(4096), "empty": b""}[kind]


@pytest.mark.parametrize("kind", ["cut", "flipped", "noise", "empty"])
def test_a_damaged_model_is_refused(refused, model, kind):
    write("bad.forecast", damaged(kind, model.read_bytes()))
    said = refused("predict", "bad.forecast", "--out", "o.csv")
    assert re.search("bad.forecast.*(damaged|a file of another kind|an empty file)", said)


def test_a_foreign_zip_is_refused(refused):
    with zipfile.ZipFile("alien.forecast", "w") as archive:
        archive.writestr("hello.txt", "hi")
    assert "'alien.forecast' must be a file that forecastkit saved" in refused("predict", "alien.forecast")
    assert "'alien.forecast' must be a file that forecastkit saved" in refused("inspect", "alien.forecast")


def test_a_model_of_a_newer_format_is_refused(refused, model):
    with zipfile.ZipFile(model) as old, zipfile.ZipFile("newer.forecast", "w") as new:
        for name in old.namelist():
            content = old.read(name)
            new.writestr(name, content.replace(b'"format": 1', b'"format": 99') if "manifest" in name else content)
    assert "format 99 of a later forecastkit. Update forecastkit." in refused("predict", "newer.forecast")


def test_a_missing_model_is_refused(refused):
    assert "the file must exist, got 'gone.forecast'." in refused("predict", "gone.forecast")


def test_a_history_with_other_columns_is_refused_by_their_name(refused, model):
    write("other.csv", GOOD.rename(columns={"y": "z"}))
    said = refused("predict", model, "--history", "other.csv", "--out", "o.csv")
    assert (
        "other.csv: the columns that the model was fitted on must be present (y, time), got no 'y' among time, z."
        in said
    )


@pytest.mark.parametrize("coverage", ["0", "1.5"])
def test_coverage_must_be_a_fraction(refused, model, coverage):
    assert "coverage must be a number in" in refused("predict", model, "--coverage", coverage, code=2)


def test_an_unknown_data_set_is_refused(refused):
    assert "got 'airpasengers'. Did you mean 'airpassengers'?" in refused("datasets", "airpasengers", code=2)


# A real process -------------------------------------------------------------------------------------------------------


def test_an_error_prints_one_line_to_stderr_and_nothing_to_stdout(home):
    args = [sys.executable, "-m", "forecastkit", "train", "--csv", "nothere.csv"]
    done = subprocess.run(args, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("error    nothere.csv: the data must be a file")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("row", [0, 7, 49])
def test_a_blank_cell_of_a_text_column_is_missing(home, capsys, row):
    (GOOD.assign(region=np.where(np.arange(400) == row, "", "b"))).to_csv("t.csv", index=False)
    assert main(["inspect", "t.csv", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["past"] == ["region"]


@pytest.mark.parametrize("command", ["train", "backtest", "compare", "tune"])
def test_an_empty_name_of_a_file_is_refused(refused, command):
    assert "must be the name of a file or folder, got ''" in refused(command, "--csv", "", code=2)


def test_a_plot_of_times_out_of_range_is_refused(home, capsys):
    times = [f"{9990 + month // 12}-{month % 12 + 1:02d}-01" for month in range(119)]
    pd.DataFrame({"time": times, "y": np.arange(119.0)}).to_csv("far.csv", index=False)
    assert main(["train", "--csv", "far.csv", "--model", "naive", "--horizon", "6", "--out", "m", "--quiet"]) == 0
    assert main(["predict", "m", "--plot", "p.png"]) == 1
    assert "times of a plot must lie between the years 1 and 9999" in capsys.readouterr().err
    assert not (home / "p.png").exists()
