"""`forecast future`: rows to be filled with known covariates."""

import io

import pandas as pd
import pytest

ROWS = 60


@pytest.fixture
def model(run):
    """A linear model of two series with a known covariate; the folder has its table."""
    parts = []
    for name, level in (("a", 10.0), ("b", 50.0)):
        promo = pd.Series(range(ROWS)) % 5 == 0
        parts.append(
            pd.DataFrame(
                {
                    "store": name,
                    "day": pd.date_range("2024-01-01", periods=ROWS),
                    "promo": promo.astype(int),
                    "sales": level + 20.0 * promo,
                }
            )
        )
    pd.concat(parts).to_csv("sales.csv", index=False)
    flags = ("--model", "linear", "--horizon", "5", "--known", "promo", "--target", "sales", "--series-id", "store")
    run("train", "--csv", "sales.csv", *flags, "--out", "m.forecast")
    return "m.forecast"


def test_filled_rows_are_forecast(run, model):
    out = run("future", model, "--out", "rows.csv").out
    assert "fill promo, then forecast predict m.forecast --future rows.csv" in out
    rows = pd.read_csv("rows.csv")
    assert list(rows) == ["store", "day", "promo"]
    assert rows["promo"].isna().all()
    assert rows["store"].tolist() == ["a"] * 5 + ["b"] * 5
    assert rows["day"].tolist() == [f"2024-03-0{day}" for day in range(1, 6)] * 2
    assert "known columns must be filled" in run("predict", model, "--future", "rows.csv", code=1).err
    rows.assign(promo=[1, 0, 0, 0, 0] * 2).to_csv("filled.csv", index=False)
    run("predict", model, "--future", "filled.csv", "--out", "f.csv")
    forecast = pd.read_csv("f.csv").groupby("store")["forecast"].first()
    assert forecast["a"] == pytest.approx(30, abs=3)
    assert forecast["b"] == pytest.approx(70, abs=3)


def test_rows_after_another_history_are_printed(run, model):
    newer = pd.DataFrame({"store": "a", "day": pd.date_range("2024-03-01", periods=20), "promo": 0, "sales": 10.0})
    newer.to_csv("newer.csv", index=False)
    rows = pd.read_csv(io.StringIO(run("future", model, "--history", "newer.csv", "--steps", "3").out))
    assert rows["day"].tolist() == ["2024-03-21", "2024-03-22", "2024-03-23"]


def test_an_existing_file_is_kept(run, model):
    assert "must not exist" in run("future", model, "--out", "sales.csv", code=1).err
    assert "must be a whole number" in run("future", model, "--steps", "0", code=2).err
