"""`forecast train --report`: the page shows the test of the model, its covariates and its forecast."""

import os

import numpy as np
import pandas as pd
from conftest import AIR

import forecastkit as fk


def write(path, rows=120, **columns):
    days = pd.date_range("2024-01-01", periods=rows, freq="D")
    pd.DataFrame({"day": days.strftime("%Y-%m-%d"), **columns}).to_csv(path, index=False)


def test_the_report_shows_the_test_and_the_forecast(run, home):
    out = run("train", "--csv", AIR, "--model", "linear", "--report", "page.html").out
    assert "report   page.html" in out
    page = (home / "page.html").read_text(encoding="utf-8")
    assert "13 past forecasts of 12 steps" in page  # those of the test, as the command printed
    assert "<h2>Forecast</h2>" in page
    assert "1961-01" in page
    assert "What the covariates contribute" not in page


def test_the_report_shows_what_covariates_contribute(run, home):
    rng = np.random.default_rng(0)
    driver, unrelated = rng.normal(size=(2, 120))
    write(
        "sales.csv", sales=np.round(20 + 5 * driver + 0.1 * rng.normal(size=120), 3), driver=driver, unrelated=unrelated
    )
    run("train", "--csv", "sales.csv", "--target", "sales", "--known", "driver,unrelated", "--model", "linear",
        "--horizon", "3", "--report", "page.html")  # fmt: skip
    page = (home / "page.html").read_text(encoding="utf-8")
    part = page[page.index("What the covariates contribute") :]
    assert part.index("driver") < part.index("unrelated")
    assert "There is no forecast after the last row." in page  # future covariates are not known


def test_candidates_of_auto_are_listed(run, home):
    run("train", "--csv", AIR, "--budget", "20s", "--report", "page.html")
    page = (home / "page.html").read_text(encoding="utf-8")
    assert "Scores of the candidates" in page
    assert "damped_trend" in page


def test_a_report_that_cannot_be_written_is_refused_before_any_work(run, home):
    (home / "page.html").write_text("mine")
    assert (
        "the output must not exist"
        in run("train", "--csv", AIR, "--model", "linear", "--report", "page.html", code=1).err
    )
    assert (home / "page.html").read_text() == "mine"
    assert os.listdir(home) == ["page.html"]


def test_a_given_backtest_is_shown_instead_of_a_new_one(tmp_path):
    passengers = fk.load_dataset("airpassengers")
    model = fk.SeasonalNaiveForecaster(horizon=12)
    result = fk.backtest(model, passengers, n_windows=3)
    report = fk.report(model, passengers, backtest=result)
    assert report.backtest is result
    assert "3 past forecasts of 12 steps" in report.html
