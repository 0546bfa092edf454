"""Tables as public sources export them, each a few lines made up here, read by `forecast inspect` and in Python."""

import json
import re

import numpy as np
import pandas as pd
import pytest

from forecastkit.cli import main
from forecastkit.data.ingest.read_panel import read_panel

DAYS = pd.date_range("2023-01-01", periods=60)
MONTHS = pd.date_range("2019-01-01", periods=48, freq="MS")
RNG = np.random.default_rng(0)
VALUES = RNG.integers(1000, 9000, 60)


def lines(*parts) -> str:
    return "\n".join(parts) + "\n"


def fred() -> str:
    return lines(
        "observation_date,UNRATE", *(f"{t:%Y-%m-%d},{'.' if i == 20 else 4.5 + i / 10}" for i, t in enumerate(MONTHS))
    )


def analytics() -> str:
    rows = (f'{t.month}/{t.day}/{t:%y},"{v:,}"' for t, v in zip(DAYS, VALUES, strict=True))
    return lines("# ----", "# Audience Overview", "# ----", "", "Day Index,Users", *rows, f',"{VALUES.sum():,}"')


def erp() -> str:
    rows = (f"{t:%m/%Y};{1000 + i},50" for i, t in enumerate(MONTHS))
    return lines(
        "Report generated 2024-01-05 08:00;", ";", "Monat;Umsatz", ";EUR", *rows, ";", "Summe;49.128,00", "Quelle: ERP;"
    )


def world_bank() -> str:
    years = range(1990, 2022)
    head = '"Country Name","Country Code","Indicator Code",' + ",".join(f'"{year}"' for year in years) + ","
    rows = (
        f'"{name}","{code}","NY.GDP",' + ",".join(f'"{year * 3.5}"' for year in years) + ","
        for name, code in (("Chad", "TCD"), ("Germany", "DEU"))
    )
    return lines(
        '"Data Source","World Development Indicators",', "", '"Last Updated Date","2023-12-18",', "", head, *rows
    )


def eurostat() -> str:
    months = [f"{t:%Y}M{t:%m}" for t in MONTHS[::-1]]
    rows = (
        f"M,{geo}\t"
        + " \t".join(": " if i == 3 else f"{100 + i / 4} p" if i % 5 == 0 else f"{100 + i / 4}" for i in range(48))
        for geo in ("AT", "BE")
    )
    return lines("freq,geo\\TIME_PERIOD\t" + " \t".join(months), *rows)


def weather() -> str:
    temperatures = np.where(np.isin(np.arange(60), (7, 8)), -999, RNG.normal(10, 5, 60).round(1))
    rows = (f"433;{t:%Y%m%d};10;{x};eor" for t, x in zip(DAYS, temperatures, strict=True))
    return lines("STATIONS_ID;MESS_DATUM;QN_3; TMK;eor", *rows)


def quotes() -> str:
    days = pd.bdate_range("2023-01-02", periods=60)
    rows = (
        f"{t:%Y-%m-%d},{v},{v + 9},{v - 9},{v + 1},{v * 0.9:.1f},{v * 7}" for t, v in zip(days, VALUES, strict=True)
    )
    return lines("Date,Open,High,Low,Close,Adj Close,Volume", *rows)


def life() -> str:
    rows = (
        f"{name},{code},{y},{40 + y % 50}"
        for name, code in (("World", "W"), ("Africa", ""), ("Chad", "TCD"))
        for y in range(1960, 2000)
    )
    return lines("Entity,Code,Year,Life expectancy", *rows)


def prices() -> str:
    hours = pd.date_range("2023-01-01", periods=240, freq="h")
    rows = (f"{t:%d-%m-%Y};{t:%H} - {(t.hour + 1) % 24:02d};{30 + i % 31},5" for i, t in enumerate(hours))
    return lines("Elspot prices;;", "Updated 2023-05-01;;", "Date;Hours;SE1", *rows)


def accounts() -> str:
    rows = (f"{1990 + i // 4},Q{1 + i % 4},{100 + i}" for i in range(60))
    return lines("Year,Quarter,GDP", *rows)


def retail_calendar() -> str:
    rows = (f"FY{22 + i // 52},P{1 + i % 52 // 5:02d},W{1 + i % 52:02d},{v}" for i, v in enumerate(VALUES))
    return lines("Fiscal Year,Period,Week,Revenue", *rows)


def football() -> str:
    return lines("Season,Goals,Matches", *(f"{y}/{(y + 1) % 100:02d},{900 + y % 17},380" for y in range(1992, 2020)))


def account() -> str:
    rows = (f"{t:%d.%m.%Y};Card {i % 4};{v},50;EUR" for i, (t, v) in enumerate(zip(DAYS, VALUES, strict=True)))
    return lines(
        "Account statement;;;", "From:;01.01.2023;;", "Balance;1.234,00;EUR;", "", "Datum;Text;Saldo;Währung", *rows
    )


def merged_cells() -> str:
    rows = (f"{t.year if t.month == 1 else ''},{t:%b},{100 + i}" for i, t in enumerate(MONTHS))
    return lines("Year,Month,Sales", *rows)


def months_across() -> str:
    names = "janv;févr;mars;avr;mai;juin;juil;août;sept;oct;nov;déc"
    rows = (f"{year};" + ";".join(f"{month},5" for month in range(12)) + ";72" for year in range(2010, 2016))
    return lines(f"an;{names};Total", *rows)


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


def quarters_across() -> str:
    return lines(
        "Year,Q1,Q2,Q3,Q4", *(f"{1990 + k},{','.join(str(112 + 4 * k + q) for q in range(4))}" for k in range(12))
    )


def months_by_number() -> str:
    rows = (f"{1990 + k},{','.join(str(112 + 12 * k + m) for m in range(12))},{118 + 12 * k}" for k in range(9))
    return lines(f",{','.join(map(str, range(1, 13)))},Mean", *rows)


def anomalies() -> str:
    head = "Year,Jan,Feb,Mar,Apr,May,Jun,Jul,Aug,Sep,Oct,Nov,Dec,J-D,DJF"
    rows = (
        f"{y},{','.join('***' if y == 2023 and m > 9 else f'{(y - 2000) / 50 + m / 100:.2f}' for m in range(12))},"
        f"{'***' if y == 2023 else f'{(y - 2000) / 50:.2f}'},{y / 9:.2f}"
        for y in range(2000, 2024)
    )
    return lines("Land-Ocean: Global Means", head, *rows)


def estimates() -> str:
    head = "NAME,STATE," + ",".join(f"POPESTIMATE{year}" for year in range(2010, 2017))
    rows = (
        f"{name},{code}," + ",".join(str(5000 + 9 * i) for i in range(7)) for name, code in (("Utah", 49), ("Iowa", 19))
    )
    return lines(head, *rows)


def statistics() -> str:
    rows = (f"LNS14000000   \t{t.year}\tM{t.month:02d}\t   {3.4 + i % 9 / 10:.1f}\t" for i, t in enumerate(MONTHS))
    return lines("series_id     \tyear\tperiod\t       value\tfootnote_codes", *rows)


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


def tide_gauge() -> str:
    rows = (f"{1950 + i // 12 + (i % 12 + 0.5) / 12:.4f};{6950 + i % 12 * 9};000" for i in range(120))
    return lines("decimal_year;sea_level_mm;flag", *rows)


def carbon_dioxide() -> str:
    rows = (
        f"{1958 + i // 12},{i % 12 + 1},{1958 + i // 12 + (i % 12 + 0.5) / 12:.4f},{315.7 + i / 10:.2f}"
        for i in range(120)
    )
    return lines("# Mauna Loa", "#", "year,month,decimal date,average", *rows)


def flagged() -> str:
    rows = (
        f"M,{geo},{t:%Y-%m},{100 + i / 10},{'p' if i > 45 else ''}"
        for geo in ("AT", "BE")
        for i, t in enumerate(MONTHS)
    )
    return lines("freq,geo,TIME_PERIOD,OBS_VALUE,OBS_FLAG", *rows)


def nodes() -> str:
    hours = pd.date_range("2023-01-01 08:00", periods=100, freq="h")
    rows = (
        f"{t:%Y-%m-%dT%H:%M:%S}-00:00,{t - pd.Timedelta('8h'):%Y-%m-%d},{(t.hour - 8) % 24 + 1},{node},{50 + i % 24}.5"
        for node in ("SP15", "NP15")
        for i, t in enumerate(hours)
    )
    return lines("INTERVALSTARTTIME_GMT,OPR_DT,OPR_HR,NODE_ID,MW", *rows)


def steps() -> str:
    hours = pd.date_range("2023-01-01", periods=100, freq="h")
    rows = (
        f"count,{t + pd.Timedelta('61min')} +0100,{t} +0100,{t + pd.Timedelta('55min')} +0100,{i % 24}"
        for i, t in enumerate(hours)
    )
    return lines("unit,creationDate,startDate,endDate,value", *rows)


def grid_load() -> str:
    hours = pd.date_range("2020-01-01", periods=200, freq="h")
    spans = (f"{t:%d.%m.%Y %H:%M} - {t + pd.Timedelta('1h'):%d.%m.%Y %H:%M}" for t in hours)
    rows = (f"{t},{45000 + i % 24},{'n/e' if i > 190 else 44900 + i}" for i, t in enumerate(spans))
    return lines('"Time (UTC)","Day-ahead Load Forecast [MW]","Actual Load [MW]"', *rows)


def transformed() -> str:
    rows = (f"{t.month}/{t.day}/{t.year},{100 + i}.5,{50 + i % 7}" for i, t in enumerate(MONTHS))
    return lines("sasdate,RPI,INDPRO", "Transform:,5,5", *rows)


def central_bank() -> str:
    rows = (
        f"{t:%Y-%m-%d};{'.' if i == 5 else f'1,08{i % 9}'};{'No value' if i == 5 else ''}" for i, t in enumerate(DAYS)
    )
    return lines('"";EXR.USD;EXR.USD_FLAGS', '"";Reference rate;', "Unit;USD;", "As of;05.03.2024 17:40:01;", *rows)


def downloaded_quotes() -> str:
    rows = (f"{t:%Y-%m-%d},{v},{v + 9},{v - 9}" for t, v in zip(DAYS, VALUES, strict=True))
    return lines("Price,Close,High,Low", "Ticker,A,A,A", "Date,,,", *rows)


def two_tickers() -> str:
    rows = (f"{t:%Y-%m-%d},{v},{v + 9},{v * 2},{v * 2 + 9}" for t, v in zip(DAYS, VALUES, strict=True))
    return lines("Price,Close,Close,Open,Open", "Ticker,A,B,A,B", "Date,,,,", *rows)


def regions_across() -> str:
    rows = (f"{t:%Y-%m-%d},{v},{v % 31},{v * 2},{v % 17}" for t, v in zip(DAYS, VALUES, strict=True))
    return lines("Date,North,,South,", ",Load,Price,Load,Price", *rows)


def accounts_across() -> str:
    names = ('"Line",""' + "".join(f',"{2018 + q // 4}"' for q in range(12)), '"",""' + ",Q1,Q2,Q3,Q4" * 3)
    rows = (
        f'"{k}","{name}",' + ",".join(f'"{900 + 7 * q}.5"' for q in range(12)) for k, name in ((1, "GDP"), (2, "Goods"))
    )
    return lines("Table 1.1.5", "[Billions of dollars]", *names, *rows)


def logger() -> str:
    hours = pd.date_range("2023-01-01", periods=100, freq="h")
    rows = (f'"{t}",{i},12.{i % 9},{5 + i % 12}' for i, t in enumerate(hours))
    head = (
        '"TOA5","Station1","CR1000","12345","Std.32"',
        '"TIMESTAMP","RECORD","BattV","AirTC"',
        '"TS","RN","Volts","Deg C"',
    )
    return lines(*head, '"","","Smp","Avg"', *rows)


def river() -> str:
    rows = (f"USGS\t01646500\t{t:%Y-%m-%d}\t{v}\tP" for t, v in zip(DAYS, VALUES, strict=True))
    return lines("# WARNING", "#", "agency\tsite\tdatetime\tflow\tflow_cd", "5s\t15s\t20d\t14n\t10s", *rows)


def two_blocks() -> str:
    hours = pd.date_range("2024-01-01", periods=96, freq="h")
    rows = (f"{t:%Y-%m-%dT%H:%M},{i % 24}.5,{i % 9}" for i, t in enumerate(hours))
    return lines("latitude,longitude,timezone,elevation", "52.52,13.42,GMT,38.0", "", "time,temp (°C),rain (mm)", *rows)


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


def station() -> str:
    title = (
        "Heathrow (London Airport)",
        "Location 507800E 176700N, Lat 51.479, 25m",
        "Missing data is marked by  ---.",
    )
    names = ("   yyyy  mm   tmax    rain     sun", "              degC      mm   hours")
    rows = (
        f"   {t.year}  {t.month:2d}    8.{i % 9}    {40 + i % 12}.1  {'---' if i == 3 else '50.1#'}"
        + "  Provisional" * (i > 40)
        for i, t in enumerate(MONTHS)
    )
    return lines(*title, *names, *rows)


def buoy() -> str:
    hours = pd.date_range("2023-01-01", periods=100, freq="h")
    rows = (f"{t:%Y %m %d %H %M} {100 + i % 90:3d}  5.{i % 9}" for i, t in enumerate(hours))
    return lines("#YY  MM DD hh mm WDIR WSPD", "#yr  mo dy hr mn m/s m/s", *rows)


def printed_series() -> str:
    names = "  ".join(MONTHS[:12].strftime("%b"))
    return lines(
        f"     {names}", *(f"{1949 + k} {'  '.join(str(112 + 12 * k + m) for m in range(12))}" for k in range(9))
    )


def with_row_names() -> str:
    return lines(
        '"date","load"', *(f'"{i}","{t:%Y-%m-%d}",{v}' for i, (t, v) in enumerate(zip(DAYS, VALUES, strict=True), 1))
    )


def without_names() -> str:
    return lines(*(f"{v / 1000},{v % 17 / 9:.4f}" for v in VALUES))


def day_first_intervals() -> str:
    hours = pd.date_range("2024-01-01", periods=200, freq="h")
    spans = (f"{t:%d/%m/%Y %H:%M:%S} - {t + pd.Timedelta('1h'):%d/%m/%Y %H:%M:%S}" for t in hours)
    return lines("MTU (CET/CEST),Price", *(f"{span},{40 + i % 24}.5" for i, span in enumerate(spans)))


def statement() -> str:
    months = ",".join(f"{t:%b %Y}" for t in MONTHS[:12])
    rows = (
        f"   {name}," + ",".join(f'"1,{m + k:03}.50"' for m in range(12)) for k, name in ((1, "Design"), (2, "Hours"))
    )
    return lines("Acme Inc.", "Profit and Loss", "", f",{months}", "Income" + "," * 12, *rows)


def days_and_years() -> str:
    rows = (f'{t.month}/{t.day},"{2000000 + i:,}","{1800000 + i:,}","{900000 + i:,}"' for i, t in enumerate(DAYS))
    return lines("Date,2023,2022,2021", *rows)


def counted_rows() -> str:
    return lines("shop,n,sales", *(f"{shop},{n},{100 + n % 7}" for shop in ("a", "b") for n in range(1, 41)))


def weather_station() -> str:
    rows = (f"  260,{t:%Y%m%d},   {50 + i * 7 % 90},   {i * 5 % 30}" for i, t in enumerate(DAYS))
    return lines("# STN  NAME", "# 260  De Bilt", "# TG = temperature", "# STN,YYYYMMDD,   TG,   RH", "", *rows)


def query() -> str:
    rows = (f" {t:%Y-%m-%d} |   {v} | a" for t, v in zip(DAYS, VALUES, strict=True))
    return lines(" day        | sales | shop ", "------------+-------+------", *rows, "(60 rows)")


def printed_columns() -> str:
    return lines("date        value", *(f"{t:%Y-%m-%d}  {v}" for t, v in zip(DAYS, VALUES, strict=True)))


def fiscal_periods() -> str:
    return lines("Period,Plant,Qty", *(f"{t.month:03}.{t.year},{p},{9 + t.year % 7}" for p in "AB" for t in MONTHS))


def colons() -> str:
    return lines("obs,gdp", *(f"{1990 + q // 4}:{q % 4 + 1},{100 + q}" for q in range(40)))


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


def clock_after_colon() -> str:
    hours = pd.date_range("2020-01-01", periods=96, freq="h")
    return lines("time,G(i)", *(f"{t:%Y%m%d:%H}10,{i % 24}.5" for i, t in enumerate(hours)))


#: Table, and what `forecast inspect --json` must say of it.
EXPORTS = {
    fred: {"time": "observation_date", "freq": "monthly", "target": ["UNRATE"], "missing": 1, "rows": 48},
    analytics: {"time": "Day Index", "freq": "daily", "target": ["Users"], "missing": 0, "rows": 60},
    erp: {"time": "Monat", "freq": "monthly", "target": ["Umsatz"], "rows": 48, "last": "2022-12"},
    world_bank: {"freq": "yearly", "series_id": "Country Name", "series": 2, "missing": 0},
    eurostat: {"freq": "monthly", "series": 2, "missing": 2, "first": "2019-01", "unused": {}},
    weather: {"time": "MESS_DATUM", "freq": "daily", "target": ["TMK"]},
    quotes: {"freq": "business days", "target": ["Close"], "past": ["Open", "High", "Low", "Adj Close", "Volume"]},
    life: {"freq": "yearly", "series_id": "Entity", "static": ["Code"], "target": ["Life expectancy"]},
    accounts: {"time": "Year_Quarter", "freq": "quarterly", "target": ["GDP"], "rows": 60, "last": "2004-10"},
    retail_calendar: {"time": "Fiscal Year_Week", "freq": "weekly", "target": ["Revenue"], "missing": 0},
    football: {"time": "Season", "freq": "yearly", "target": ["Goals"], "first": "1992-01", "last": "2019-01"},
    account: {"time": "Datum", "freq": "daily", "target": ["Saldo"], "rows": 60, "missing": 0},
    merged_cells: {"time": "Year_Month", "freq": "monthly", "rows": 48, "missing": 0, "last": "2022-12"},
    months_across: {"freq": "monthly", "rows": 72, "target": ["value"], "past": [], "last": "2015-12"},
    pasted_sheet: {"time": "Date", "freq": "daily", "target": ["Sales"], "rows": 60},
    appended: {"time": "date", "freq": "daily", "target": ["sales"], "rows": 60, "missing": 0},
    stock: {"series_id": ["Plant", "Material"], "series": 3, "freq": "daily", "target": ["Quantity"], "missing": 0},
    quarters_across: {"time": "Year_quarter", "freq": "quarterly", "rows": 48, "last": "2001-10", "past": []},
    months_by_number: {"freq": "monthly", "rows": 108, "target": ["value"], "past": [], "last": "1998-12"},
    anomalies: {"freq": "monthly", "missing": 0, "target": ["value"], "past": [], "last": "2023-10"},
    estimates: {"freq": "yearly", "series_id": "NAME", "rows": 14, "first": "2010-01", "target": ["value"]},
    statistics: {"time": "year_period", "freq": "monthly", "target": ["value"], "missing": 0, "last": "2022-12"},
    klines: {"time": "Open time", "freq": "hourly", "target": ["Close"], "unused": {"Close time": "times as well"}},
    last_prices: {"freq": "business days", "target": ["Close/Last"], "past": ["Volume", "Open", "High", "Low"]},
    tide_gauge: {"time": "decimal_year", "freq": "monthly", "target": ["sea_level_mm"], "last": "1959-12"},
    carbon_dioxide: {"time": "year_month", "target": ["average"], "unused": {"decimal date": "times as well"}},
    flagged: {"series_id": "geo", "freq": "monthly", "target": ["OBS_VALUE"], "past": ["OBS_FLAG"], "static": []},
    nodes: {"time": "INTERVALSTARTTIME_GMT", "series_id": "NODE_ID", "freq": "hourly", "target": ["MW"], "missing": 0},
    steps: {"time": "startDate", "freq": "hourly", "first": "2023-01-01 00:00", "target": ["value"]},
    grid_load: {"freq": "hourly", "target": ["Actual Load [MW]"], "last": "2020-01-08 22:00"},
    transformed: {"time": "sasdate", "freq": "monthly", "target": ["RPI", "INDPRO"], "rows": 48, "missing": 0},
    central_bank: {"freq": "daily", "target": ["EXR.USD"], "rows": 60, "missing": 1, "last": "2023-03-01"},
    downloaded_quotes: {"time": "Date", "freq": "daily", "target": ["Close"], "rows": 60},
    two_tickers: {"time": "Date", "target": ["Close A", "Close B"], "past": ["Open A", "Open B"], "rows": 60},
    regions_across: {"time": "Date", "target": ["North Load", "South Load"], "past": ["North Price", "South Price"]},
    accounts_across: {"freq": "quarterly", "series": 2, "target": ["value"], "first": "2018-01", "last": "2020-10"},
    logger: {"time": "TIMESTAMP", "freq": "hourly", "target": ["BattV", "AirTC"], "rows": 100},
    river: {"time": "datetime", "freq": "daily", "target": ["flow"], "rows": 60},
    two_blocks: {"time": "time", "freq": "hourly", "target": ["temp (°C)", "rain (mm)"], "rows": 96},
    table_below: {"time": "Day Index", "freq": "daily", "target": ["Users"], "rows": 60},
    appended_query: {"time": "_time", "freq": "hourly", "series_id": "host", "series": 2, "rows": 180, "missing": 0},
    framed: {"time": "Date", "freq": "daily", "target": ["Quantity"], "rows": 60},
    station: {"time": "yyyy_mm", "freq": "monthly", "target": ["tmax", "rain", "sun"], "rows": 48, "missing": 1},
    buoy: {"time": "YY_MM_DD_hh", "freq": "hourly", "target": ["WDIR", "WSPD"], "rows": 100},
    printed_series: {"freq": "monthly", "target": ["value"], "rows": 108, "last": "1957-12"},
    with_row_names: {"time": "date", "target": ["load"], "unused": {"Unnamed: 0": "a row counter"}, "rows": 60},
    without_names: {"time": None, "target": ["1", "2"], "rows": 60},
    day_first_intervals: {"freq": "hourly", "first": "2024-01-01 00:00", "last": "2024-01-09 07:00", "missing": 0},
    statement: {"freq": "monthly", "series": 2, "missing": 0, "target": ["value"]},
    days_and_years: {"freq": "daily", "series": 1, "rows": 180, "first": "2021-01-01", "last": "2023-03-01"},
    counted_rows: {"time": "n", "series_id": "shop", "series": 2, "last": "40", "target": ["sales"]},
    weather_station: {"time": "YYYYMMDD", "freq": "daily", "target": ["TG", "RH"], "rows": 60},
    query: {"time": "day", "freq": "daily", "target": ["sales"], "rows": 60},
    printed_columns: {"time": "date", "freq": "daily", "target": ["value"], "rows": 60},
    fiscal_periods: {"time": "Period", "series_id": "Plant", "freq": "monthly", "target": ["Qty"], "missing": 0},
    colons: {"time": "obs", "freq": "quarterly", "first": "1990-01", "last": "1999-10"},
    trailing_commas: {"time": "Date", "freq": "daily", "target": ["High", "Low"], "rows": 60},
    report: {"time": "Day", "series_id": "Campaign", "freq": "daily", "rows": 120},
    amounts: {"time": "Month", "freq": "monthly", "target": ["Sales"]},
    month_spans: {"time": "Period", "freq": "monthly", "first": "2019-01", "last": "2022-12"},
    hour_index: {"time": None, "target": ["Users"], "rows": 60, "unused": {"Hour Index": "a row counter"}},
    clock_after_colon: {"time": "time", "freq": "hourly", "first": "2020-01-01 00:10"},
    prices: {"freq": "hourly", "series": 1, "target": ["SE1"], "missing": 0},
}


@pytest.mark.parametrize("export", EXPORTS, ids=lambda export: export.__name__)
def test_inspect_reads_the_export_as_a_person_would(export, tmp_path, capsys):
    path = tmp_path / "export.csv"
    path.write_text(export(), encoding="utf-8")
    assert main(["inspect", str(path), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert {name: found[name] for name in EXPORTS[export]} == EXPORTS[export]


def test_lines_that_are_left_out_are_said(tmp_path, capsys):
    for export, said in (
        (appended, "1 repeated line of names left out"),
        (stock, "row of units (PC) left out"),
        (two_blocks, "2 lines above the table left out"),
        (table_below, "3 lines below the table left out"),
        (central_bank, "3 rows of descriptions below the names left out (Reference rate, Unit USD"),
        (station, "text after the last column left out in 7 rows"),
        (without_names, "no header: columns are numbered from 1"),
        (merged_cells, "blank cells of 'Year' are filled from the row above"),
        (months_across, "'Total' left out"),
    ):
        path = tmp_path / "export.csv"
        path.write_text(export(), encoding="utf-8")
        assert main(["inspect", str(path)]) == 0
        assert said in capsys.readouterr().out


def test_inspect_names_numbers_that_may_stand_for_missing_ones(tmp_path, capsys):
    path = tmp_path / "export.csv"
    path.write_text(weather(), encoding="utf-8")
    assert main(["inspect", str(path)]) == 0
    assert "warning  the target 'TMK' is -999 in 2 cells: 2023-01-08" in capsys.readouterr().err


def test_a_row_without_a_time_is_left_out_at_the_end_only(tmp_path, capsys):
    rows = analytics().splitlines()
    path = tmp_path / "export.csv"
    path.write_text(lines(*rows[:30], rows[-1], *rows[30:-1]), encoding="utf-8")
    assert main(["inspect", str(path)]) == 1
    assert "every cell must be a time" in capsys.readouterr().err


# --------------------------------------------------------------------------------------------------------- sentinels


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
