"""Tables in the layouts that exports have, each with the panel that it must give."""

import itertools

import numpy as np
import pandas as pd
import pytest

from forecastkit.data.files.infer_roles import find_roles
from forecastkit.data.files.read_table import read_table
from forecastkit.data.ingest.read_panel import read_panel

MONTHS = {
    "en": "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec",
    "de": "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
    "fr": "janv. févr. mars avr. mai juin juil. août sept. oct. nov. déc.",
    "es": "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
    "it": "gen feb mar apr mag giu lug ago set ott nov dic",
    "pt": "janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro",
    "nl": "jan feb mrt apr mei jun jul aug sep okt nov dec",
}
DAYS = pd.date_range("2021-01-25", periods=40, freq="D")
HOURS = pd.date_range("2021-03-27 20:00", periods=40, freq="h")
WEEKS = pd.date_range("2020-11-02", periods=40, freq="W-MON")
MONTH_STARTS = pd.date_range("2019-01-01", periods=40, freq="MS")
QUARTERS = pd.date_range("2012-01-01", periods=40, freq="QS")


def named(language, form):
    """Dates in which %b is the month's name in a language."""
    names = MONTHS[language].split()
    return lambda stamp: stamp.strftime(form.replace("%b", names[stamp.month - 1]))


def iso_week(form):
    return lambda stamp: form.format(*stamp.isocalendar())


def numbered(scale):
    return lambda stamp: str(round(stamp.timestamp() * scale))


#: How times are written, by name: the times, and the cell of each.
TIMES = {
    **{form: (DAYS, lambda stamp, form=form: stamp.strftime(form)) for form in (
        "%Y-%m-%d", "%Y/%m/%d", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%y", "%y-%m-%d", "%Y%m%d", "%d%m%Y",
        "%Y-%m-%d 00:00:00", "%d/%m/%Y 00:00", "%Y年%m月%d日",
    )},
    **{form: (HOURS, lambda stamp, form=form: stamp.strftime(form)) for form in (
        "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M:%SZ", "%d.%m.%Y %H:%M", "%m/%d/%Y %I:%M %p", "%Y%m%d%H", "%Y%m%d%H%M%S",
        "%Y%m%d %H%M", "%d/%b/%Y:%H:%M:%S +0000", "%Y-%m-%dT%H:%M:%S+01:00",
    )},
    "interval": (HOURS, lambda stamp: f"{stamp:%d.%m.%Y %H:%M} - {stamp + pd.Timedelta('1h'):%d.%m.%Y %H:%M}"),
    "short interval": (HOURS, lambda stamp: f"{stamp:%Y-%m-%d %H:%M} - {stamp + pd.Timedelta('1h'):%H:%M}"),
    "unix s": (HOURS, numbered(1)),
    "unix ms": (HOURS, numbered(1e3)),
    "unix us": (HOURS, numbered(1e6)),
    "unix ns": (HOURS, lambda stamp: str(stamp.value)),
    "excel hours": (HOURS, lambda stamp: repr((stamp - pd.Timestamp("1899-12-30")) / pd.Timedelta("1D"))),
    "%b %d, %Y": (DAYS, named("en", "%b %d, %Y")),
    **{f"day {language}": (DAYS, named(language, "%d %b %Y")) for language in MONTHS},
    "day. de": (DAYS, named("de", "%d. %b %Y")),
    "day de es": (DAYS, named("es", "%d de %b de %Y")),
    **{f"month {language}": (MONTH_STARTS, named(language, "%b %Y")) for language in MONTHS},
    "%b-%y": (MONTH_STARTS, named("en", "%b-%y")),
    "%Y-%b": (MONTH_STARTS, named("en", "%Y-%b")),
    "%Y-%m": (MONTH_STARTS, lambda stamp: stamp.strftime("%Y-%m")),
    "%Y%m": (MONTH_STARTS, lambda stamp: stamp.strftime("%Y%m")),
    "%m/%Y": (MONTH_STARTS, lambda stamp: stamp.strftime("%m/%Y")),
    "%YM%m": (MONTH_STARTS, lambda stamp: stamp.strftime("%YM%m")),
    "month on day 1": (MONTH_STARTS, lambda stamp: stamp.strftime("%d/%m/%Y")),
    "W": (WEEKS, iso_week("{0}-W{1:02}")),
    "KW": (WEEKS, iso_week("KW {1} {0}")),
    "week": (WEEKS, iso_week("{0}-{1:02}")),
    "yyyyww": (WEEKS, iso_week("{0}{1:02}")),
    "Q": (QUARTERS, lambda stamp: f"{stamp.year}Q{stamp.quarter}"),
    "Q first": (QUARTERS, lambda stamp: f"Q{stamp.quarter} {stamp.year}"),
    "-Q": (QUARTERS, lambda stamp: f"{stamp.year}-Q{stamp.quarter}"),
    "quarter": (QUARTERS, lambda stamp: f"{stamp.quarter}/{stamp.year}"),
}  # fmt: skip
#: What the column of times is called where its name matters.
CALLED = {
    "quarter": "quarter", "week": "week", "yyyyww": "week", "excel hours": "time", "%Y%m": "month", "%Y%m%d": "date",
    "%Y%m%d%H": "time", "%Y%m%d%H%M%S": "time", "unix s": "timestamp", "unix ms": "timestamp", "unix us": "timestamp",
    "unix ns": "timestamp",
}  # fmt: skip
#: Separator, decimal sign and thousands separator.
DIALECTS = [
    (",", ".", ""), (";", ",", ""), (";", ",", "."), (";", ".", ""), ("\t", ".", ","), ("\t", ",", "."), ("|", ".", ""),
    (",", ".", ","), (";", ",", " "), (";", ".", "'"), (",", ",", ""),
]  # fmt: skip
LAYOUTS = ("one", "long", "interleaved")
ORDERS = ("rising", "falling")
GAPS = ("full", "blank cells", "NA", "missing rows")

# Neighbouring combinations differ in gaps and order only: a step that shares no factor with their number spreads all.
ALL = list(itertools.product(range(len(DIALECTS)), LAYOUTS, ORDERS, GAPS))
CASES = [(*ALL[97 * number % len(ALL)], times) for number, times in enumerate(name for name in TIMES for _ in range(4))]


#: Half of the cases take turns.
PARAMETERS = [
    pytest.param(*case, marks=pytest.mark.rotated) if number % 4 > 1 else case for number, case in enumerate(CASES)
]


def show(value, decimal, thousands):
    """A number as a cell."""
    if np.isnan(value):
        return ""
    text = f"{value:,.2f}"
    return text.replace(",", "_").replace(".", decimal).replace("_", thousands)


def test_there_are_enough_layouts():
    assert len(CASES) >= 200
    assert {len(set(column)) for column in zip(*CASES, strict=True)} == {11, 3, 2, 4, len(TIMES)}


@pytest.mark.parametrize(("dialect", "layout", "order", "gaps", "times"), PARAMETERS)
def test_a_table_gives_its_panel(tmp_path, dialect, layout, order, gaps, times):
    separator, decimal, thousands = DIALECTS[dialect]
    stamps, cell = TIMES[times]
    names = ["Nord"] if layout == "one" else ["Nord", "Süd"]
    level = {"Nord": 950.0, "Süd": 20_000.0}
    rows = [(name, stamp, level[name] + 7.25 * place) for name in names for place, stamp in enumerate(stamps)]
    frame = pd.DataFrame(rows, columns=["store", "when", "sales"])
    place = frame.groupby("store").cumcount()
    if gaps == "missing rows":
        frame = frame[~place.isin([5, 6, 17])]
    elif gaps != "full":
        frame.loc[place.isin([3, 11, 12]), "sales"] = np.nan
    if layout == "interleaved":
        frame = frame.sort_values(["when", "store"])
    if order == "falling":
        frame = frame.iloc[::-1]
    name = CALLED.get(times, "when")
    cells = pd.DataFrame({"store": frame["store"], name: frame["when"].map(cell)})
    if times == "excel hours":
        cells[name] = cells[name].str.replace(".", decimal)
    cells["sales"] = [show(value, decimal, thousands) for value in frame["sales"]]
    if gaps == "NA":
        cells["sales"] = cells["sales"].replace("", "NA")
    if layout == "one":
        del cells["store"]
    path = tmp_path / "data.csv"
    cells.to_csv(path, sep=separator, index=False, encoding="utf-8")

    table = read_table(path)
    roles = find_roles(table.frame)
    assert (table.separator, table.decimal) == (separator, decimal)
    assert roles.series_id == (() if layout == "one" else ("store",))
    assert roles.target == ("sales",)
    series_id = roles.series_id[0] if roles.series_id else None
    panel, _ = read_panel(roles.select(table.frame), time=roles.time, series_id=series_id, target="sales")
    assert panel.target.shape == (len(names) * len(stamps), 1)
    for series, start in zip(panel.ids, panel.indptr[:-1], strict=True):
        own = frame[frame["store"] == ("Nord" if layout == "one" else str(series))].set_index("when")["sales"]
        want = own.reindex(stamps).to_numpy()
        np.testing.assert_allclose(panel.target[start : start + len(stamps), 0], want, rtol=1e-6)
    first = panel.grid.timestamps(np.array([panel.start[0]]))[0]
    offset = pd.Timedelta("1h") if times.endswith("+01:00") else pd.Timedelta(0)
    stamp = pd.Timestamp(first)
    assert (stamp.tz_convert("UTC").tz_localize(None) if stamp.tz is not None else stamp) == stamps[0] - offset


@pytest.mark.parametrize(
    ("cells", "says"),
    [
        (["01/02/2024", "01/03/2024", "01/04/2024"], "01/02/2024 is read as month/day/year"),
        (["2024-03-31T01:00+01:00", "2024-03-31T03:00+02:00"], "UTC offsets change: times are in UTC"),
        (["2024-03-31 01:00 - 02:00", "2024-03-31 02:00 - 03:00"], "intervals are read as their starts"),
    ],
)
def test_what_is_guessed_of_times_is_said(cells, says):
    roles = find_roles(pd.DataFrame({"time": cells, "y": np.arange(len(cells)) / 2}))
    assert says in roles.notes
