"""Numbers that may stand for missing ones, such as -999, are named."""

import re

import numpy as np
import pandas as pd
import pytest
from export_help import DAYS, RNG, lines

from forecastkit.cli import main
from forecastkit.data.ingest.read_panel import read_panel


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        (
            ["shop,fiscal,y", *(f"{s},{901 + 2 * k},{k}" for s in "ab" for k in range(9))],
            "'fiscal', which rises within",
        ),
        (["Year,Jan,Feb,Mar,Apr", *(f"{y},1,2,3,{'x' if y == 2005 else 4}" for y in range(2000, 2009))], "'Apr' must"),
        (
            ["Label,Sales", *(f"{m},5" for y in "12" for m in ("200" + y, "Jan", "Feb", "Mar", "Apr"))],
            "'Label' may hold",
        ),
        ([f"US1,2020-01-{d:02d},TMAX,{d},2400" for d in range(1, 20)], "first line must name the columns, got 'US1'"),
    ],
)
def test_what_cannot_be_read_is_named(tmp_path, capsys, rows, says):
    path = tmp_path / "export.csv"
    path.write_text(lines(*rows), encoding="utf-8")
    assert main(["inspect", str(path)]) == 1
    assert says in capsys.readouterr().err


@pytest.mark.parametrize("mark", [-999, -9999, 9999.9, -99.9, 2**31 - 1])
@pytest.mark.parametrize("kind", ["float64", "float32"])
def test_numbers_that_may_stand_for_missing_ones_are_named(mark, kind):
    values = RNG.normal(10, 5, 60).astype(kind)
    values[[5, 30]] = mark
    frame = pd.DataFrame({"time": DAYS, "temperature": values})
    said = f"the target 'temperature' is {np.dtype(kind).type(mark):g} in 2 cells: 2023-01-06"
    with pytest.warns(UserWarning, match=re.escape(said)):
        panel, _ = read_panel(frame)
    assert panel.target[5, 0] == values[5]


@pytest.mark.parametrize("low", [-1.0, 0.0])
def test_one_of_two_values_stands_for_itself(low):
    frame = pd.DataFrame({"time": DAYS, "sign": np.where(RNG.random(60) > 0.5, 1.0, low)})
    read_panel(frame)  # without a warning


@pytest.mark.parametrize(("level", "mark"), [(2.0, -200.0), (1200.0, -50.0)])
def test_negative_numbers_that_rows_share_are_named(level, mark):
    values = level + RNG.normal(0, level / 10, 60)
    values[[5, 30]] = mark
    with pytest.warns(UserWarning, match=f"the target 'CO' is {mark:g} in 2 cells"):
        read_panel(pd.DataFrame({"time": DAYS, "CO": values}))


def test_averages_of_years_among_months_are_named(tmp_path, capsys):
    path = tmp_path / "export.csv"
    rows = (f"{y},M{m:02d},{m + y % 10}.5" for y in range(2010, 2014) for m in range(1, 14))
    path.write_text(lines("year,period,value", *rows), encoding="utf-8")
    assert main(["inspect", str(path)]) == 1
    assert "column 'period' must contain months, got 'M13' in row 13" in capsys.readouterr().err


@pytest.mark.parametrize(
    "values", [RNG.integers(0, 1000, 500), np.arange(60) + 940, np.append(np.arange(59) % 100, 99)]
)
def test_values_near_others_are_none(values):
    read_panel(np.asarray(values, dtype="float64"))
