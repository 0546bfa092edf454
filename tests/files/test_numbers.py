"""Columns of text that hold numbers, and those that do not."""

import numpy as np
import pandas as pd
import pytest

from forecastkit.data.files.decimal_signs import Numbers, to_numbers
from forecastkit.data.files.number_cells import odd_cells, take_apart
from forecastkit.data.files.read_table import read_table


def parse_numbers(values: pd.Series, decimal: str = "") -> Numbers | None:
    """A column of text as numbers, None where the decimal sign remains open."""
    cells = take_apart(values)
    if cells.bodies is None or (decimal and cells.proves - {decimal}) or len(cells.proves) > 1:
        return None
    return to_numbers(cells, decimal or next(iter(cells.proves), ""), ",")


@pytest.mark.parametrize(
    ("cells", "values", "sentence"),
    [
        (["1", "-2", "+3"], [1, -2, 3], ""),
        (["1.5", ".5", "2.", "1e3"], [1.5, 0.5, 2, 1000], ""),
        (["991", "999", "1.000", "1.001"], [991, 999, 1000, 1001], "thousands '.'"),
        (["999", "1,000"], [999, 1000], "thousands ','"),
        (["1,234.5", "2"], [1234.5, 2], "thousands ','"),
        (["1.234,5", "2"], [1234.5, 2], "thousands '.'"),
        (["1.234.567", "2"], [1234567, 2], "thousands '.'"),
        (["1.234", "2.345"], [1.234, 2.345], ""),
        (["1500", "1.234"], [1500, 1.234], ""),
        (["1 234,5", "2"], [1234.5, 2], "thousands ' '"),
        (["1\u202f234", "2"], [1234, 2], "thousands ' '"),
        (["1'234", "2"], [1234, 2], 'thousands "\'"'),
        (["12,34,567", "5"], [1234567, 5], "thousands ','"),
        (["$1,234.50", "-$2.00"], [1234.5, -2], "thousands ',', in $"),
        (["5,00 €", "1.006,00 €"], [5, 1006], "thousands '.', in €"),
        (["R$ 1.234,56"], [1234.56], "thousands '.', in R$"),
        (["5 EUR", "6 EUR"], [5, 6], "in EUR"),
        (["5 %", "-0.6%"], [5, -0.6], "in %"),
        (["(5.5)", "6"], [-5.5, 6], ""),
        (["−5", "6", "7-"], [-5, 6, -7], ""),
        (["1.2K", "3M", "-"], [1200, 3e6, np.nan], "with K, M"),
        (["5 kW", "6 kW"], [5, 6], "in kW"),
        (["20.5 °C", "21.5 °C"], [20.5, 21.5], "in °C"),
        (["inf", "-inf", "1"], [np.inf, -np.inf, 1], ""),
        (["NA", "1", "", None], [np.nan, 1, np.nan, np.nan], ""),
        (["9007199254740993"], [9007199254740993], ""),
    ],
)
def test_what_is_a_number(cells, values, sentence):
    numbers = parse_numbers(pd.Series(cells, name="y"))
    np.testing.assert_array_equal(numbers.values, values)
    assert numbers.values.name == "y"
    assert numbers.sentence == sentence


@pytest.mark.parametrize(
    "cells",
    [
        ["A1", "A2"],
        ["1 Jan", "2 Jan"],
        ["5 kW", "6 W"],
        ["5 kW", "6"],
        ["12A", "13A"],
        ["2021-01-01", "2021-01-02"],
        ["192.168.1.1"],
        ["1,5", "2.5"],
        ["5", "*"],
        ["(5", "6"],
        ["1,23,4", "5"],
    ],
)
def test_what_is_no_number(cells):
    assert parse_numbers(pd.Series(cells)) is None


def test_a_decimal_sign_that_is_known_decides():
    assert parse_numbers(pd.Series(["1,234", "2,345"]), ",").values.tolist() == [1.234, 2.345]
    assert parse_numbers(pd.Series(["1,234", "2,345"]), ".").values.tolist() == [1234, 2345]
    assert parse_numbers(pd.Series(["1,23"]), ".") is None


def test_odd_cells_are_those_that_are_no_number():
    assert odd_cells(pd.Series(["1", "*", "", "NA", "1.234,5", "x"])).tolist() == [
        False,
        True,
        False,
        False,
        False,
        True,
    ]


def read(tmp_path, text, **options):
    (tmp_path / "data.csv").write_text(text, encoding="utf-8")
    return read_table(tmp_path / "data.csv", **options)


def test_a_decimal_sign_that_shows_late_counts_for_all_columns(tmp_path):
    rows = ["1.000;7"] * 20_000 + ["1.500;7,5"]
    table = read(tmp_path, "a;b\n" + "\n".join(rows) + "\n")
    assert table.decimal == ","
    assert table.frame.iloc[[0, -1]].to_numpy().tolist() == [[1000, 7], [1500, 7.5]]


def test_columns_may_have_different_decimal_signs(tmp_path):
    table = read(tmp_path, "a;b;c\n1.000,5;2.25;7\n2.500,5;2.5;8\n")
    assert table.frame.to_numpy().tolist() == [[1000.5, 2.25, 7], [2500.5, 2.5, 8]]
    assert "decimal ',' in 'a' and '.' in 'b'" in table.notes


@pytest.mark.parametrize("odd", ["2024-01-09 5", "2024-01-09 5 6 7"])
def test_rows_of_other_lengths_between_spaces_are_not_guessed(tmp_path, odd):
    rows = [f"2024-01-0{day} {day} {day + 1}" for day in range(1, 9)]
    table = read(tmp_path, "\n".join(["day a b", *rows, odd, "2024-01-10 6 7"]) + "\n")
    assert table.separator != "\t"
    table = read(tmp_path, "\n".join(["day a b", *rows]) + "\n")
    assert table.frame["b"].tolist() == [*range(2, 10)]


def test_cells_with_blank_lines_are_kept(tmp_path):
    table = read(tmp_path, 't,y,note\n2024-01-01,1,"a\n\nb"\n2024-01-02,2,"c\n\nd"\n2024-01-03,3,e\n')
    assert table.frame["note"].tolist() == ["a\n\nb", "c\n\nd", "e"]


@pytest.mark.parametrize(
    ("cells", "values", "note"),
    [
        (["3", "<1", "4"], [3, 0.5, 4], "cells such as <1 read as half of the limit"),
        (["100.1 p", "100.2", "99.5 e"], [100.1, 100.2, 99.5], "flags e p left out"),
        (["50.1#", "51#", "40.5*"], [50.1, 51, 40.5], "flags # * left out"),
        (["7.5", "unavailable", "***"], [7.5, np.nan, np.nan], "'unavailable' as missing"),
    ],
)
def test_flags_limits_and_words_beside_numbers(tmp_path, cells, values, note):
    table = read(tmp_path, "t,y\n" + "".join(f"a{place},{cell}\n" for place, cell in enumerate(cells)))
    np.testing.assert_array_equal(table.frame["y"], values)
    assert any(note in said for said in table.notes)


@pytest.mark.parametrize(
    ("cells", "names", "want"),
    [
        (["0071", "0420"], (), ["0071", "0420"]),
        (["007", "7"], (), ["007", "7"]),
        (["1e5", "100000"], ("c",), ["1e5", "100000"]),
        (["1.10", "1.1"], ("c",), ["1.10", "1.1"]),
        (["1e5", "100000"], (), [100000, 100000]),
        (["71", "420"], ("c",), [71, 420]),
        (["NA", "EU"], (), ["NA", "EU"]),
        (["None", "nan"], ("c",), ["None", "nan"]),
        (["99999999999999999999", "99999999999999999998"], (), ["99999999999999999999", "99999999999999999998"]),
    ],
)
def test_names_keep_their_text(tmp_path, cells, names, want):
    table = read(tmp_path, "c,y\n" + "".join(f"{cell},1\n" for cell in cells), names=names)
    assert table.frame["c"].tolist() == want


def test_hours_and_months_with_a_zero_in_front_are_numbers(tmp_path):
    table = read(tmp_path, "year,month,hour,y\n2021,01,00,1\n2021,01,01,2\n")
    assert table.frame.to_numpy().tolist() == [[2021, 1, 0, 1], [2021, 1, 1, 2]]


@pytest.mark.parametrize(
    ("text", "rows", "note"),
    [
        ("t,y\n2024-01-01,1\n2024-01-02,2\n,,\n", None, None),
        ("t,y\n2024-01-01,1\n2024-01-02,2\n,\n", 2, "1 blank row left out"),
        ("t,y\n2024-01-01,1\n2024-01-02,2\nTotal,3\n", 2, "last row (Total) left out"),
        ("t,y\n2024-01-01,1\n2024-01-02,2\nDurchschnitt,1.5\n", 2, "last row (Durchschnitt) left out"),
        ("t,y,z\n2024-01-01,1,1\n2024-01-02,2,1\nSource: a survey,,\n", 2, "last row (Source: a survey) left out"),
        ("t,y\n,kW\n2024-01-01,1\n2024-01-02,2\n", 2, "row of units (kW) left out"),
        ("# made by hand\nt,y\n2024-01-01,1\n2024-01-02,2\n", 2, "1 line above the names left out"),
        ("# t,y\n2024-01-01,1\n2024-01-02,2\n", 2, None),
        ("Sales of 2024\n\nt,y,z\n2024-01-01,1,1\n2024-01-02,2,2\n", 2, "2 lines above the names left out"),
        ("sep=;\nt;y\n2024-01-01;1,5\n2024-01-02;2\n", 2, None),
        ("shop,y\nTotal,1\nA,2\nTotal,3\n", 3, None),
    ],
)  # fmt: skip
def test_lines_that_are_no_rows(tmp_path, text, rows, note):
    if rows is None:
        with pytest.raises(Exception, match="rows must have the cells of the header"):
            read(tmp_path, text)
        return
    table = read(tmp_path, text)
    assert len(table.frame) == rows
    assert table.notes == (() if note is None else (note,))
    assert list(table.frame)[:2] in (["t", "y"], ["shop", "y"])
