"""Tables as shops, banks, exchanges and software export them, each a few lines made up here, as inspect reads them."""

import pandas as pd
import pytest
from export_help import DAYS, MONTHS, VALUES, inspected, lines, said_of

from forecastkit.cli import main


def analytics() -> str:
    rows = (f'{t.month}/{t.day}/{t:%y},"{v:,}"' for t, v in zip(DAYS, VALUES, strict=True))
    return lines("# ----", "# Audience Overview", "# ----", "", "Day Index,Users", *rows, f',"{VALUES.sum():,}"')


def erp() -> str:
    rows = (f"{t:%m/%Y};{1000 + i},50" for i, t in enumerate(MONTHS))
    return lines(
        "Report generated 2024-01-05 08:00;", ";", "Monat;Umsatz", ";EUR", *rows, ";", "Summe;49.128,00", "Quelle: ERP;"
    )


def quotes() -> str:
    days = pd.bdate_range("2023-01-02", periods=60)
    rows = (
        f"{t:%Y-%m-%d},{v},{v + 9},{v - 9},{v + 1},{v * 0.9:.1f},{v * 7}" for t, v in zip(days, VALUES, strict=True)
    )
    return lines("Date,Open,High,Low,Close,Adj Close,Volume", *rows)


def retail_calendar() -> str:
    rows = (f"FY{22 + i // 52},P{1 + i % 52 // 5:02d},W{1 + i % 52:02d},{v}" for i, v in enumerate(VALUES))
    return lines("Fiscal Year,Period,Week,Revenue", *rows)


def account() -> str:
    rows = (f"{t:%d.%m.%Y};Card {i % 4};{v},50;EUR" for i, (t, v) in enumerate(zip(DAYS, VALUES, strict=True)))
    return lines(
        "Account statement;;;", "From:;01.01.2023;;", "Balance;1.234,00;EUR;", "", "Datum;Text;Saldo;Währung", *rows
    )


def merged_cells() -> str:
    rows = (f"{t.year if t.month == 1 else ''},{t:%b},{100 + i}" for i, t in enumerate(MONTHS))
    return lines("Year,Month,Sales", *rows)


def pasted_sheet() -> str:
    rows = (f",{t:%Y-%m-%d},{v}," for t, v in zip(DAYS, VALUES, strict=True))
    return lines(",,,", ",,,", ",Date,Sales,", *rows, ",,,", ",,,")


def appended() -> str:
    rows = [f"{t:%Y-%m-%d},{v}" for t, v in zip(DAYS, VALUES, strict=True)]
    return lines("date,sales", *rows[:30], "date,sales", *rows[30:])


def stock() -> str:
    rows = (
        f"{plant},{material},{t:%Y-%m-%d},{v}"
        for plant, material in ((1000, "0071"), (1000, "0072"), (2000, "0071"))
        for t, v in zip(DAYS, VALUES, strict=True)
    )
    return lines("Plant,Material,Posting Date,Quantity", ",,,PC", *rows)


def klines() -> str:
    hours = (1_672_531_200_000 + 3_600_000 * i for i in range(120))
    rows = (
        f"{t},{v},{v + 9},{v - 9},{v + 1},{30.5 + v % 7},{t + 3_599_999}"
        for t, v in zip(hours, [*VALUES] * 2, strict=True)
    )
    return lines("Open time,Open,High,Low,Close,Volume,Close time", *rows)


def last_prices() -> str:
    days = pd.bdate_range("2023-01-02", periods=60)[::-1]
    rows = (f"{t:%m/%d/%Y},${v}.50,{v * 7},${v}.00,${v + 9}.00,${v - 9}.00" for t, v in zip(days, VALUES, strict=True))
    return lines("Date,Close/Last,Volume,Open,High,Low", *rows)


def downloaded_quotes() -> str:
    rows = (f"{t:%Y-%m-%d},{v},{v + 9},{v - 9}" for t, v in zip(DAYS, VALUES, strict=True))
    return lines("Price,Close,High,Low", "Ticker,A,A,A", "Date,,,", *rows)


def two_tickers() -> str:
    rows = (f"{t:%Y-%m-%d},{v},{v + 9},{v * 2},{v * 2 + 9}" for t, v in zip(DAYS, VALUES, strict=True))
    return lines("Price,Close,Close,Open,Open", "Ticker,A,B,A,B", "Date,,,,", *rows)


def table_below() -> str:
    return lines(*analytics().splitlines(), "", "Language,Users", "en-us,500", "de-de,400")


def appended_query() -> str:
    head = ("#group,false,false,true", "#datatype,long,double,string", ",result,_time,_value,host")
    rows = [
        f",,{t:%Y-%m-%dT%H:%M:%SZ},{i % 24}" for i, t in enumerate(pd.date_range("2024-01-01", periods=90, freq="h"))
    ]
    return lines(*head, *(f"{row},a" for row in rows), "", *head, *(f"{row},b" for row in rows))


def framed() -> str:
    ruler = "-" * 40
    rows = (f"|{t:%d.%m.%Y}|1000|{v // 1000:>4}.{v % 1000:03},5|" for t, v in zip(DAYS, VALUES, strict=True))
    total = "|*         |    | 75.840,000|"
    return lines("01.02.2021    List    1", "", ruler, "|Date|Plant|   Quantity|", ruler, *rows, ruler, total, ruler)


def statement() -> str:
    months = ",".join(f"{t:%b %Y}" for t in MONTHS[:12])
    rows = (
        f"   {name}," + ",".join(f'"1,{m + k:03}.50"' for m in range(12)) for k, name in ((1, "Design"), (2, "Hours"))
    )
    return lines("Acme Inc.", "Profit and Loss", "", f",{months}", "Income" + "," * 12, *rows)


def counted_rows() -> str:
    return lines("shop,n,sales", *(f"{shop},{n},{100 + n % 7}" for shop in ("a", "b") for n in range(1, 41)))


def query() -> str:
    rows = (f" {t:%Y-%m-%d} |   {v} | a" for t, v in zip(DAYS, VALUES, strict=True))
    return lines(" day        | sales | shop ", "------------+-------+------", *rows, "(60 rows)")


def printed_columns() -> str:
    return lines("date        value", *(f"{t:%Y-%m-%d}  {v}" for t, v in zip(DAYS, VALUES, strict=True)))


def fiscal_periods() -> str:
    return lines("Period,Plant,Qty", *(f"{t.month:03}.{t.year},{p},{9 + t.year % 7}" for p in "AB" for t in MONTHS))


def trailing_commas() -> str:
    return lines("Date,High,Low", *(f"{t:%d-%B-%Y},{v + 9},{v}," for t, v in zip(DAYS, VALUES, strict=True)))


def report() -> str:
    rows = (f'{t:%Y-%m-%d},{c},{v},"1,{v % 1000:03}.50"' for c in "AB" for t, v in zip(DAYS, VALUES, strict=True))
    return lines("Campaign report", "January 1, 2023 - March 1, 2023", "Day,Campaign,Clicks,Cost", *rows)


def amounts() -> str:
    return lines(
        "Month\tSales", *(f"{t:%B %Y}\t${v // 1000},{v % 1000:03}" for t, v in zip(MONTHS, VALUES[:48], strict=True))
    )


def month_spans() -> str:
    spans = (f'"{t:%b %d, %Y} - {t + pd.offsets.MonthEnd():%b %d, %Y}"' for t in MONTHS)
    return lines("Period,Sales", *(f"{span},{i % 12}" for i, span in enumerate(spans)))


def hour_index() -> str:
    return lines("Hour Index,Users", *(f"{i},{v}" for i, v in enumerate(VALUES)), f",{VALUES.sum()}")


#: Table, and what `forecast inspect --json` must say of it.
EXPORTS = {
    analytics: {"time": "Day Index", "freq": "daily", "target": ["Users"], "missing": 0, "rows": 60},
    erp: {"time": "Monat", "freq": "monthly", "target": ["Umsatz"], "rows": 48, "last": "2022-12"},
    quotes: {"freq": "business days", "target": ["Close"], "past": ["Open", "High", "Low", "Adj Close", "Volume"]},
    retail_calendar: {"time": "Fiscal Year_Week", "freq": "weekly", "target": ["Revenue"], "missing": 0},
    account: {"time": "Datum", "freq": "daily", "target": ["Saldo"], "rows": 60, "missing": 0},
    merged_cells: {"time": "Year_Month", "freq": "monthly", "rows": 48, "missing": 0, "last": "2022-12"},
    pasted_sheet: {"time": "Date", "freq": "daily", "target": ["Sales"], "rows": 60},
    appended: {"time": "date", "freq": "daily", "target": ["sales"], "rows": 60, "missing": 0},
    stock: {"series_id": ["Plant", "Material"], "series": 3, "freq": "daily", "target": ["Quantity"], "missing": 0},
    klines: {"time": "Open time", "freq": "hourly", "target": ["Close"], "unused": {"Close time": "times as well"}},
    last_prices: {"freq": "business days", "target": ["Close/Last"], "past": ["Volume", "Open", "High", "Low"]},
    downloaded_quotes: {"time": "Date", "freq": "daily", "target": ["Close"], "rows": 60},
    two_tickers: {"time": "Date", "target": ["Close A", "Close B"], "past": ["Open A", "Open B"], "rows": 60},
    table_below: {"time": "Day Index", "freq": "daily", "target": ["Users"], "rows": 60},
    appended_query: {"time": "_time", "freq": "hourly", "series_id": "host", "series": 2, "rows": 180, "missing": 0},
    framed: {"time": "Date", "freq": "daily", "target": ["Quantity"], "rows": 60},
    statement: {"freq": "monthly", "series": 2, "missing": 0, "target": ["value"]},
    counted_rows: {"time": "n", "series_id": "shop", "series": 2, "last": "40", "target": ["sales"]},
    query: {"time": "day", "freq": "daily", "target": ["sales"], "rows": 60},
    printed_columns: {"time": "date", "freq": "daily", "target": ["value"], "rows": 60},
    fiscal_periods: {"time": "Period", "series_id": "Plant", "freq": "monthly", "target": ["Qty"], "missing": 0},
    trailing_commas: {"time": "Date", "freq": "daily", "target": ["High", "Low"], "rows": 60},
    report: {"time": "Day", "series_id": "Campaign", "freq": "daily", "rows": 120},
    amounts: {"time": "Month", "freq": "monthly", "target": ["Sales"]},
    month_spans: {"time": "Period", "freq": "monthly", "first": "2019-01", "last": "2022-12"},
    hour_index: {"time": None, "target": ["Users"], "rows": 60, "unused": {"Hour Index": "a row counter"}},
}


@pytest.mark.parametrize("export", EXPORTS, ids=lambda export: export.__name__)
def test_inspect_reads_the_export_as_a_person_would(export, tmp_path, capsys):
    found = inspected(export(), tmp_path, capsys)
    assert {name: found[name] for name in EXPORTS[export]} == EXPORTS[export]


@pytest.mark.parametrize(
    ("export", "said"),
    [
        (appended, "1 repeated line of names left out"),
        (stock, "row of units (PC) left out"),
        (table_below, "3 lines below the table left out"),
        (merged_cells, "blank cells of 'Year' are filled from the row above"),
    ],
    ids=lambda given: getattr(given, "__name__", ""),
)
def test_lines_that_are_left_out_are_said(export, said, tmp_path, capsys):
    assert said in said_of(export(), tmp_path, capsys).out


def test_a_row_without_a_time_is_left_out_at_the_end_only(tmp_path, capsys):
    rows = analytics().splitlines()
    path = tmp_path / "export.csv"
    path.write_text(lines(*rows[:30], rows[-1], *rows[30:-1]), encoding="utf-8")
    assert main(["inspect", str(path)]) == 1
    assert "every cell must be a time" in capsys.readouterr().err
