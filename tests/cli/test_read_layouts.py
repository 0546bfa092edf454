"""Layouts of tables, read by `forecast inspect` and `forecast train`."""

import json

import numpy as np
import pandas as pd
import pytest

from forecastkit.cli import main

HOURS = pd.date_range("2024-01-01", periods=100, freq="h")


def inspected(path, capsys, *flags):
    assert main(["inspect", str(path), "--json", *flags]) == 0
    return json.loads(capsys.readouterr().out)


def test_two_columns_that_name_series(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    parts = [
        pd.DataFrame(
            {"Store": s, "Dept": d, "Date": pd.date_range("2021-01-01", periods=60, freq="7D"), "Type": "AB"[s - 1]}
        )
        for s in (1, 2)
        for d in (1, 2, 3)
    ]
    frame = pd.concat(parts, ignore_index=True).assign(Weekly_Sales=np.arange(360.0), IsHoliday=[True, False] * 180)
    frame.to_csv("w.csv", index=False)
    for flags in ((), ("--series-id", "Store,Dept")):
        found = inspected("w.csv", capsys, *flags)
        assert (found["series_id"], found["series"], found["freq"]) == (["Store", "Dept"], 6, "weekly")
        assert (found["target"], found["past"], found["static"]) == (["Weekly_Sales"], ["IsHoliday"], ["Type"])
    assert main(["train", "--csv", "w.csv", "--model", "linear", "--horizon", "4", "--lookback", "8", "-q"]) == 0
    assert main(["predict", "model.forecast", "--history", "w.csv", "--out", "f.csv", "-q"]) == 0
    forecast = pd.read_csv("f.csv")
    assert list(forecast)[:3] == ["Store", "Dept", "Date"]
    assert len(forecast) == 24


def test_a_date_and_hours_make_one_time(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    frame = pd.DataFrame({"dteday": HOURS.strftime("%d.%m.%Y"), "hr": HOURS.hour, "cnt": np.arange(100)})
    frame.to_csv("b.csv", index=False)
    found = inspected("b.csv", capsys)
    assert (found["time"], found["freq"], found["series"], found["target"]) == ("dteday_hr", "hourly", 1, ["cnt"])
    assert main(["train", "--csv", "b.csv", "--model", "linear", "--horizon", "4", "--lookback", "8", "-q"]) == 0
    assert main(["predict", "model.forecast", "--history", "b.csv", "--out", "f.csv", "-q"]) == 0
    assert pd.read_csv("f.csv")["dteday_hr"].tolist()[0] == "2024-01-05 04:00:00"


def test_the_order_of_dates_is_kept_in_the_file(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    days = pd.date_range("2021-03-01", periods=123)
    pd.DataFrame({"date": days.strftime("%d/%m/%Y"), "sales": np.arange(123)}).to_csv("y.csv", index=False)
    pd.DataFrame({"date": ["02/07/2021", "03/07/2021"], "sales": [230, 231]}).to_csv("new.csv", index=False)
    assert main(["train", "--csv", "y.csv", "--model", "linear", "--horizon", "3", "--lookback", "14", "-q"]) == 0
    assert main(["predict", "model.forecast", "--history", "new.csv", "--out", "f.csv", "-q"]) == 0
    assert pd.read_csv("f.csv")["date"].tolist() == ["2021-07-04", "2021-07-05", "2021-07-06"]


def test_years_as_headers(tmp_path, capsys):
    frame = pd.DataFrame(np.arange(36).reshape(3, 12), columns=[str(y) for y in range(2010, 2022)])
    frame.insert(0, "Country Code", ["TCD", "PER", "FJI"])
    frame.insert(0, "Country", ["Chad", "Peru", "Fiji"])
    frame.to_csv(tmp_path / "wb.csv", index=False)
    found = inspected(tmp_path / "wb.csv", capsys)
    assert (found["series_id"], found["series"], found["freq"], found["rows"]) == ("Country", 3, "yearly", 36)
    assert (found["target"], found["unused"]) == (["value"], {"Country Code": "names the series as well"})


PM = pd.DataFrame(
    {
        "No": np.arange(5001, 5101),
        "year": HOURS.year,
        "month": HOURS.month,
        "day": HOURS.day,
        "hour": HOURS.hour,
        "pm2.5": np.random.default_rng(0).normal(size=100),
        "TEMP": np.random.default_rng(1).normal(size=100),
        "cbwd": ["NW", "SE", "cv", "NE"] * 25,
    }
)


@pytest.mark.parametrize("order", [1, -1])
def test_counters_and_parts_of_times_are_no_targets(tmp_path, capsys, order):
    PM[::order].to_csv(tmp_path / "pm.csv", index=False)
    found = inspected(tmp_path / "pm.csv", capsys)
    assert (found["time"], found["freq"]) == ("year_month_day_hour", "hourly")
    assert (found["target"], found["past"]) == (["pm2.5"], ["TEMP", "cbwd"])
    assert found["unused"] == {"No": "a row counter"}


def test_a_model_of_slots_reads_newer_rows_by_its_slots(run):
    """Three readings in every hour, at odd minutes: train, inspect, predict and backtest with --resample."""
    rng = np.random.default_rng(0)
    times = pd.Timestamp("2024-01-01") + pd.to_timedelta(np.arange(900) * 20 + rng.integers(0, 20, 900), unit="min")
    table = pd.DataFrame({"time": times, "load": np.sin(np.arange(900) / 20) + 3})
    table[:840].to_csv("past.csv", index=False)
    table.to_csv("all.csv", index=False)
    refused = run("inspect", "past.csv", code=1).err
    assert "--resample mean" in refused
    assert "--freq '20min'" in refused
    reading = ("--resample", "mean", "--freq", "h")
    found = json.loads(run("inspect", "past.csv", *reading, "--json").out)
    assert (found["freq"], found["missing"]) == ("hourly", 0)
    sizes = ("--model", "linear", "--horizon", "6", "--lookback", "24", "--test-size", "24")
    run("train", "--csv", "past.csv", *sizes, *reading, "--out", "m.forecast")
    run("predict", "m.forecast", "--history", "all.csv", "--out", "f.csv")
    assert pd.read_csv("f.csv")["time"][0] == str(times[-1].floor("h") + pd.Timedelta("1h"))
    run("backtest", "m.forecast", "--csv", "all.csv", "--out", "b.csv")
    actuals = pd.read_csv("b.csv", parse_dates=["time"])
    means = table.groupby(table["time"].dt.floor("h"))["load"].mean()
    np.testing.assert_allclose(actuals["actual"], means[actuals["time"]], rtol=1e-6)


def test_opening_hours_are_shown_and_forecast(run, tmp_path):
    every = pd.date_range("2024-01-01", periods=24 * 70, freq="h")
    times = every[(every.day_of_week < 6) & (every.hour >= 9) & (every.hour < 19)]
    path = tmp_path / "shop.csv"
    pd.DataFrame({"time": times, "customers": 20 + times.hour + times.day_of_week}).to_csv(path, index=False)
    shown = "".join(run("inspect", path))
    assert "hourly (Mon to Sat 09:00 to 18:00), 2024-01-01 to 2024-03-09" in shown
    assert "--slots all" in shown
    assert "missing" not in shown
    model, forecast = tmp_path / "m.forecast", tmp_path / "f.csv"
    assert "settings linear, horizon 20" in run("train", "--csv", path, "--model", "linear", "--out", model).out
    run("predict", model, "--out", forecast)
    ahead = pd.to_datetime(pd.read_csv(forecast)["time"])
    assert ahead.tolist() == [pd.Timestamp(f"2024-03-{day} {hour}:00") for day in (11, 12) for hour in range(9, 19)]
    assert "time     time, hourly, 2024" in run("inspect", path, "--slots", "all").out
