"""Tables as offices, stations and grid operators publish them, each a few lines made up here, as inspect reads them."""

import numpy as np
import pandas as pd
import pytest
from export_help import DAYS, MONTHS, RNG, VALUES, inspected, lines, said_of


def fred() -> str:
    return lines(
        "observation_date,UNRATE", *(f"{t:%Y-%m-%d},{'.' if i == 20 else 4.5 + i / 10}" for i, t in enumerate(MONTHS))
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


def football() -> str:
    return lines("Season,Goals,Matches", *(f"{y}/{(y + 1) % 100:02d},{900 + y % 17},380" for y in range(1992, 2020)))


def months_across() -> str:
    names = "janv;févr;mars;avr;mai;juin;juil;août;sept;oct;nov;déc"
    rows = (f"{year};" + ";".join(f"{month},5" for month in range(12)) + ";72" for year in range(2010, 2016))
    return lines(f"an;{names};Total", *rows)


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


def days_and_years() -> str:
    rows = (f'{t.month}/{t.day},"{2000000 + i:,}","{1800000 + i:,}","{900000 + i:,}"' for i, t in enumerate(DAYS))
    return lines("Date,2023,2022,2021", *rows)


def weather_station() -> str:
    rows = (f"  260,{t:%Y%m%d},   {50 + i * 7 % 90},   {i * 5 % 30}" for i, t in enumerate(DAYS))
    return lines("# STN  NAME", "# 260  De Bilt", "# TG = temperature", "# STN,YYYYMMDD,   TG,   RH", "", *rows)


def colons() -> str:
    return lines("obs,gdp", *(f"{1990 + q // 4}:{q % 4 + 1},{100 + q}" for q in range(40)))


def grand_total_first() -> str:
    rows = (f"{t:%Y%m%d},{c},{v},0.{v}" for t, v in zip(DAYS, VALUES, strict=True) for c in ("Direct", "Organic"))
    return lines("# Free form", "Date,Channel,Sessions,Rate,", ",,99999,0.5,Grand total", *(f"{row}," for row in rows))


def clock_after_colon() -> str:
    hours = pd.date_range("2020-01-01", periods=96, freq="h")
    return lines("time,G(i)", *(f"{t:%Y%m%d:%H}10,{i % 24}.5" for i, t in enumerate(hours)))


def dispatch() -> str:
    times = pd.date_range("2023-01-01", periods=100, freq="5min")
    names = "I,DISPATCH,REGIONSUM,4,SETTLEMENTDATE,RUNNO,REGIONID,TOTALDEMAND"
    rows = (
        f'D,DISPATCH,REGIONSUM,4,"{t:%Y/%m/%d %H:%M:%S}",1,{region},{7000 + i * 7 % 90}.5'
        for i, t in enumerate(times)
        for region in ("NSW1", "QLD1")
    )
    case = ("I,DISPATCH,CASE,1,SETTLEMENTDATE,SOLUTION", 'D,DISPATCH,CASE,1,"2023/01/01 00:00:00",0')
    return lines("C,NEMP.WORLD,DISPATCHIS,AEMO,PUBLIC", *case, names, *rows, 'C,"END OF REPORT",203')


def clock() -> str:
    first = 1677628800
    return lines("itemid,clock,num,value_avg", *(f"23296,{first + 3600 * i},60,{VALUES[i % 60]}" for i in range(100)))


def months_below_long_titles() -> str:
    head = "description,units,source key," + ",".join(f"{t:%b %Y}" for t in MONTHS)
    rows = (f"{name},MWh,ELEC.{name}," + ",".join(str(500 + i) for i in range(48)) for name in ("coal", "gas"))
    return lines("Net generation,monthly", "https://www.eia.gov/", "12:00:00 PM", "Source: EIA", head, *rows)


def years_below_descriptions() -> str:
    head = ('"Title","CPI INDEX 2015=100"', '"CDID","D7BT"', '"Unit","Index"', '"Release date","15-11-2023"')
    return lines(*head, '"Important notes",""', *(f'"{year}","{year - 1940}.5"' for year in range(1950, 2020)))


def named_years_below_units() -> str:
    return lines(
        "Jahr;Umsatz;Kosten",
        "Einheit;Mio. EUR;",
        *(f"{year};{year - 1940};{year * year % 97}" for year in range(1950, 2020)),
    )


#: Table, and what `forecast inspect --json` must say of it.
EXPORTS = {
    fred: {"time": "observation_date", "freq": "monthly", "target": ["UNRATE"], "missing": 1, "rows": 48},
    world_bank: {"freq": "yearly", "series_id": "Country Name", "series": 2, "missing": 0},
    eurostat: {"freq": "monthly", "series": 2, "missing": 2, "first": "2019-01", "unused": {}},
    weather: {"time": "MESS_DATUM", "freq": "daily", "target": ["TMK"]},
    life: {"freq": "yearly", "series_id": "Entity", "static": ["Code"], "target": ["Life expectancy"]},
    accounts: {"time": "Year_Quarter", "freq": "quarterly", "target": ["GDP"], "rows": 60, "last": "2004-10"},
    football: {"time": "Season", "freq": "yearly", "target": ["Goals"], "first": "1992-01", "last": "2019-01"},
    months_across: {"freq": "monthly", "rows": 72, "target": ["value"], "past": [], "last": "2015-12"},
    quarters_across: {"time": "Year_quarter", "freq": "quarterly", "rows": 48, "last": "2001-10", "past": []},
    months_by_number: {"freq": "monthly", "rows": 108, "target": ["value"], "past": [], "last": "1998-12"},
    anomalies: {"freq": "monthly", "missing": 0, "target": ["value"], "past": [], "last": "2023-10"},
    estimates: {"freq": "yearly", "series_id": "NAME", "rows": 14, "first": "2010-01", "target": ["value"]},
    statistics: {"time": "year_period", "freq": "monthly", "target": ["value"], "missing": 0, "last": "2022-12"},
    tide_gauge: {"time": "decimal_year", "freq": "monthly", "target": ["sea_level_mm"], "last": "1959-12"},
    carbon_dioxide: {"time": "year_month", "target": ["average"], "unused": {"decimal date": "times as well"}},
    flagged: {"series_id": "geo", "freq": "monthly", "target": ["OBS_VALUE"], "past": ["OBS_FLAG"], "static": []},
    nodes: {"time": "INTERVALSTARTTIME_GMT", "series_id": "NODE_ID", "freq": "hourly", "target": ["MW"], "missing": 0},
    steps: {"time": "startDate", "freq": "hourly", "first": "2023-01-01 00:00", "target": ["value"]},
    grid_load: {"freq": "hourly", "target": ["Actual Load [MW]"], "last": "2020-01-08 22:00"},
    transformed: {"time": "sasdate", "freq": "monthly", "target": ["RPI", "INDPRO"], "rows": 48, "missing": 0},
    central_bank: {"freq": "daily", "target": ["EXR.USD"], "rows": 60, "missing": 1, "last": "2023-03-01"},
    regions_across: {"time": "Date", "target": ["North Load", "South Load"], "past": ["North Price", "South Price"]},
    accounts_across: {"freq": "quarterly", "series": 2, "target": ["value"], "first": "2018-01", "last": "2020-10"},
    logger: {"time": "TIMESTAMP", "freq": "hourly", "target": ["BattV", "AirTC"], "rows": 100},
    river: {"time": "datetime", "freq": "daily", "target": ["flow"], "rows": 60},
    two_blocks: {"time": "time", "freq": "hourly", "target": ["temp (°C)", "rain (mm)"], "rows": 96},
    station: {"time": "yyyy_mm", "freq": "monthly", "target": ["tmax", "rain", "sun"], "rows": 48, "missing": 1},
    buoy: {"time": "YY_MM_DD_hh", "freq": "hourly", "target": ["WDIR", "WSPD"], "rows": 100},
    printed_series: {"freq": "monthly", "target": ["value"], "rows": 108, "last": "1957-12"},
    with_row_names: {"time": "date", "target": ["load"], "unused": {"Unnamed: 0": "a row counter"}, "rows": 60},
    without_names: {"time": None, "target": ["1", "2"], "rows": 60},
    day_first_intervals: {"freq": "hourly", "first": "2024-01-01 00:00", "last": "2024-01-09 07:00", "missing": 0},
    days_and_years: {"freq": "daily", "series": 1, "rows": 180, "first": "2021-01-01", "last": "2023-03-01"},
    weather_station: {"time": "YYYYMMDD", "freq": "daily", "target": ["TG", "RH"], "rows": 60},
    colons: {"time": "obs", "freq": "quarterly", "first": "1990-01", "last": "1999-10"},
    grand_total_first: {"time": "Date", "freq": "daily", "series_id": "Channel", "target": ["Sessions"], "rows": 120},
    clock_after_colon: {"time": "time", "freq": "hourly", "first": "2020-01-01 00:10"},
    dispatch: {
        "time": "SETTLEMENTDATE",
        "freq": "5 min",
        "series_id": "REGIONID",
        "target": ["TOTALDEMAND"],
        "rows": 200,
    },
    clock: {"time": "clock", "freq": "hourly", "first": "2023-03-01 00:00", "target": ["value_avg"], "rows": 100},
    months_below_long_titles: {"freq": "monthly", "rows": 96, "first": "2019-01", "series": 2},
    years_below_descriptions: {"freq": "yearly", "rows": 70, "target": ["CPI INDEX 2015=100"], "first": "1950-01"},
    named_years_below_units: {"time": "Jahr", "freq": "yearly", "rows": 70, "target": ["Umsatz"], "past": ["Kosten"]},
    prices: {"freq": "hourly", "series": 1, "target": ["SE1"], "missing": 0},
}


@pytest.mark.parametrize("export", EXPORTS, ids=lambda export: export.__name__)
def test_inspect_reads_the_export_as_a_person_would(export, tmp_path, capsys):
    found = inspected(export(), tmp_path, capsys)
    assert {name: found[name] for name in EXPORTS[export]} == EXPORTS[export]


@pytest.mark.parametrize(
    ("export", "said"),
    [
        (two_blocks, "2 lines above the table left out"),
        (central_bank, "3 rows of descriptions below the names left out (Reference rate, Unit USD"),
        (station, "text after the last column left out in 7 rows"),
        (dispatch, "report 'DISPATCH REGIONSUM 4' is read, not 'DISPATCH CASE 1'"),
        (months_below_long_titles, "4 lines above the names left out"),
        (without_names, "no header: columns are numbered from 1"),
        (months_across, "'Total' left out"),
    ],
    ids=lambda given: getattr(given, "__name__", ""),
)
def test_lines_that_are_left_out_are_said(export, said, tmp_path, capsys):
    assert said in said_of(export(), tmp_path, capsys).out


def test_inspect_names_numbers_that_may_stand_for_missing_ones(tmp_path, capsys):
    said = said_of(weather(), tmp_path, capsys).err
    assert "warning  the target 'TMK' is -999 in 2 cells: 2023-01-08" in said
