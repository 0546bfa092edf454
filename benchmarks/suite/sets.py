"""The data sets of out_of_the_box.py, how each is cut, and which of them choices may look at.

The split of the sets was fixed before any method was measured, by two rules. Competition panels with many series are
halved: series at even places of the file are in the development half (``_a``), the others are only reported (``_b``).
The other files, in alphabetical order, alternate: development, reported, development, ... Files of one transformer
(ETTh1, ETTm1) count as one. Choices of defaults may look at the rows before the test block of development sets, and at
nothing else.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

ROOT = Path(__file__).resolve().parents[2]
#: Rows of a series that are kept at most, the latest ones: a peer that is fitted at every origin needs hours on more.
MAX_ROWS = 9_000


@dataclass(frozen=True)
class DataSet:
    """A data set and its cut.

    Attributes
    ----------
    name : str
    read : callable
        ``read(folder)`` gives the long frame with columns ``series``, ``time`` and ``y``, rows in time.
    horizon : int
        Steps forecast.
    season : int
        Steps of the usual season of the frequency, which MASE and the methods of others are told.
    origins, stride : int
        Forecast origins of every series, and rows between them; the last horizon ends with the data.
    development : bool
        Whether choices may look at it.
    most_series : int or None
        Series kept at most, drawn with seed 0.
    bundled : bool
        Whether it comes with the checkout and needs no folder.
    """

    name: str
    read: Callable[[Path | None], pd.DataFrame]
    horizon: int
    season: int
    origins: int
    stride: int
    development: bool
    most_series: int | None = None
    bundled: bool = False

    @property
    def test_rows(self) -> int:
        """Rows at the end of every series that no fit sees."""
        return self.horizon + (self.origins - 1) * self.stride


@dataclass(frozen=True)
class Task:
    """A data set that was read and cut.

    Attributes
    ----------
    about : DataSet
    frame : DataFrame
        All rows; columns ``series``, ``time``, ``y``.
    train : DataFrame
        The rows before the test block.
    ids : list of str
    values : list of ndarray
        All values of each series, NaN where missing, on a grid without gaps.
    """

    about: DataSet
    frame: pd.DataFrame
    train: pd.DataFrame
    ids: list
    values: list

    def cutoffs(self, length: int) -> np.ndarray:
        """Rows seen at each origin of a series of this length, in time."""
        first = length - self.about.test_rows
        return first + self.about.stride * np.arange(self.about.origins)

    def actual(self) -> np.ndarray:
        """What came, (series, origins, horizon)."""
        steps = np.arange(self.about.horizon)
        return np.array([v[self.cutoffs(len(v))[:, None] + steps] for v in self.values], dtype="float64")


def load(about: DataSet, folder: Path | None, most_rows: int = MAX_ROWS, block: str = "test") -> Task:
    """Read and cut a data set; series that leave fewer than two horizons to learn from are left out.

    The block `validation` lies before that of the test, whose rows are then left out altogether: choices of defaults
    may look at it in development sets.
    """
    frame = about.read(None if about.bundled else folder)
    frame = frame.assign(y=frame["y"].astype("float64"))
    pieces = {key: piece.iloc[-most_rows:] for key, piece in frame.groupby("series", sort=False)}
    if block == "validation":
        pieces = {key: before_test(piece, about) for key, piece in pieces.items()}
    least = 2 * about.horizon + about.test_rows
    pieces = {key: piece for key, piece in pieces.items() if len(piece) >= least}
    ids = list(pieces)
    if about.most_series is not None and len(ids) > about.most_series:
        kept = np.random.default_rng(0).choice(len(ids), about.most_series, replace=False)
        ids = [ids[place] for place in np.sort(kept)]
    values = [on_grid(pieces[key]) for key in ids]
    train = pd.concat([before_test(pieces[key], about) for key in ids], ignore_index=True)
    frame = pd.concat([pieces[key] for key in ids], ignore_index=True)
    return Task(about, frame, train, ids, values)


def before_test(piece: pd.DataFrame, about: DataSet) -> pd.DataFrame:
    """The rows before the test block, by time: rows may be missing inside of it."""
    times = times_of(piece)
    if len(times) <= about.test_rows:
        return piece.iloc[:0]
    return piece[piece["time"] < times[-about.test_rows]]


def times_of(piece: pd.DataFrame) -> pd.DatetimeIndex:
    """All times from the first row to the last: where the frequency is one of days or less, rows may be missing."""
    times = pd.DatetimeIndex(piece["time"])
    steps = np.diff(times.to_numpy())
    step = steps.min()
    if step > np.timedelta64(7, "D") or (steps == step).all():
        return times
    return pd.DatetimeIndex(np.arange(times[0].to_numpy(), times[-1].to_numpy() + step, step))


def on_grid(piece: pd.DataFrame) -> np.ndarray:
    """Values at all times of the grid, NaN where there is no row."""
    return piece.set_index("time")["y"].reindex(times_of(piece)).to_numpy("float64")


# Readers --------------------------------------------------------------------------------------------------------------


def table(file: str, time: str, columns: list[str] | None = None, **options) -> Callable:
    """A file with a time column, each of the columns (default: all others) as a series; None of them is bundled."""

    def read(folder):
        frame = pd.read_csv((folder or ROOT / "datasets") / file)
        frame[time] = pd.to_datetime(frame[time], **options)
        wanted = columns or [name for name in frame.columns if name != time]
        long = frame.melt(id_vars=time, value_vars=wanted, var_name="series", value_name="y")
        return long.rename(columns={time: "time"})[["series", "time", "y"]]

    return read


def bike_daily(folder):
    """The bundled panel of bike rentals a day."""
    frame = pd.read_csv(ROOT / "datasets" / "bike_daily_panel.csv")
    frame["time"] = pd.to_datetime(frame["time"])
    return frame.rename(columns={"unique_id": "series"})[["series", "time", "y"]]


def shampoo(folder):
    """Months 1-01 to 3-12, as if of the years 2001 to 2003."""
    frame = pd.read_csv(folder / "shampoo_sales.csv")
    times = pd.date_range("2001-01-01", periods=len(frame), freq="MS")
    return pd.DataFrame({"series": "sales", "time": times, "y": frame["Sales"]})


def m1(part: str, half: int, frequency: str) -> Callable:
    """Series of M1 at even (0) or odd (1) places; all end at one time, as the real years of many are not known."""

    def read(folder):
        frame = pd.read_csv(folder / f"m1_{part}.csv.gz", dtype={"id": str, "ds": str})
        pieces = [piece["y"].to_numpy() for _, piece in frame.groupby("id", sort=False)]
        return stacked(list(frame["id"].unique()), pieces, half, frequency)

    return read


def m4(part: str, half: int, frequency: str) -> Callable:
    """Series of M4 with their official test rows behind them, as if they all ended at one time."""

    def read(folder):
        train, test = (pd.read_csv(folder / f"m4_{part}_{name}.csv.gz", index_col=0) for name in ("train", "test"))
        rows = np.concatenate([train.to_numpy("float64"), test.loc[train.index].to_numpy("float64")], axis=1)
        return stacked(list(train.index), [row[~np.isnan(row)] for row in rows], half, frequency)

    return read


def stacked(ids: list, pieces: list, half: int, frequency: str, end: str = "2015-12-31") -> pd.DataFrame:
    """Every second series as a long frame."""
    longest = max(map(len, pieces))
    times = pd.date_range(end=end, periods=longest, freq=frequency)
    frames = [
        pd.DataFrame({"series": name, "time": times[longest - len(piece) :], "y": piece})
        for name, piece in list(zip(ids, pieces, strict=True))[half::2]
    ]
    return pd.concat(frames, ignore_index=True)


MONTH, DAY = "%Y-%m", "%Y-%m-%d"
#: Columns of the bundled bike file that a forecast by history alone is about.
RENTALS = ["cnt"]

SETS = (
    DataSet("m1_yearly_a", m1("yearly", 0, "YS"), 6, 1, 3, 1, True),
    DataSet("m1_yearly_b", m1("yearly", 1, "YS"), 6, 1, 3, 1, False),
    DataSet("m1_quarterly_a", m1("quarterly", 0, "QS"), 8, 4, 3, 1, True),
    DataSet("m1_quarterly_b", m1("quarterly", 1, "QS"), 8, 4, 3, 1, False),
    DataSet("m1_monthly_a", m1("monthly", 0, "MS"), 18, 12, 3, 3, True, 120),
    DataSet("m1_monthly_b", m1("monthly", 1, "MS"), 18, 12, 3, 3, False, 120),
    DataSet("m4_weekly_a", m4("weekly", 0, "W"), 13, 52, 3, 4, True, 80),
    DataSet("m4_weekly_b", m4("weekly", 1, "W"), 13, 52, 3, 4, False, 80),
    DataSet("m4_hourly_a", m4("hourly", 0, "h"), 48, 24, 3, 12, True, 60),
    DataSet("m4_hourly_b", m4("hourly", 1, "h"), 48, 24, 3, 12, False, 60),
    DataSet("airpassengers", table("AirPassengers.csv", "Month", format=MONTH), 12, 12, 5, 6, True, bundled=True),
    DataSet("bike_daily", bike_daily, 14, 7, 8, 7, False, bundled=True),
    DataSet("bike_hourly", table("bike_sharing_hourly.csv", "datetime", RENTALS), 24, 24, 30, 24, True, bundled=True),
    DataSet("etth1", table("ETTh1.csv", "date"), 96, 24, 10, 48, False, bundled=True),
    DataSet("etth2", table("ETTh2.csv", "date"), 96, 24, 10, 48, True),
    DataSet("ettm1", table("ETTm1.csv.gz", "date"), 96, 96, 10, 96, False),
    DataSet("exchange", table("exchange_rate.csv", "date", format="%Y/%m/%d %H:%M"), 30, 7, 10, 30, True),
    DataSet("illness", table("national_illness.csv", "date"), 24, 52, 6, 12, False),
    DataSet("min_temperatures", table("daily_min_temperatures.csv", "Date", format=DAY), 28, 7, 12, 28, True,
            bundled=True),
    DataSet("shampoo", shampoo, 6, 12, 4, 2, False),
    DataSet("sunspots", table("sunspots_monthly.csv", "Month", format=MONTH), 24, 12, 10, 12, True, bundled=True),
    DataSet("taylor", table("taylor_halfhourly.csv", "datetime"), 48, 48, 14, 48, False),
)  # fmt: skip
