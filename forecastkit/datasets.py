"""Small public time series for examples and tests, read from files of the package."""

from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from forecastkit.utils.validation import check_names

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Dataset:
    """Description of a data set: size, columns and licence.

    Attributes
    ----------
    name : str
        Argument of `load_dataset`.
    title : str
        Measured quantity and unit.
    rows, series : int
        Number of rows of the file and of series.
    freq : str
        Frequency as a pandas alias.
    time : str
        Name of the time column.
    target : str
        Name of the usual target column.
    licence : str
        Licence; sources are listed in the README of the folder `datasets`.
    file : str
        Name of the file.
    time_format : str
        Format of the times.
    redundant : tuple of str
        Columns that repeat the time or the row number; `load_dataset` drops them.
    series_id : str or None
        Name of the series column of a long table.
    """

    name: str
    title: str
    rows: int
    series: int
    freq: str
    time: str
    target: str
    licence: str
    file: str
    time_format: str
    redundant: tuple[str, ...] = ()
    series_id: str | None = None


_ALL = (
    Dataset(
        name="airpassengers",
        title="International airline passengers, thousands a month",
        rows=144,
        series=1,
        freq="MS",
        time="Month",
        target="Passengers",
        licence="public domain",
        file="AirPassengers.csv",
        time_format="%Y-%m",
    ),
    Dataset(
        name="etth1",
        title="Oil temperature (°C) and loads of an electricity transformer",
        rows=17420,
        series=1,
        freq="h",
        time="date",
        target="OT",
        licence="CC BY-ND 4.0",
        file="ETTh1.csv",
        time_format="%Y-%m-%d %H:%M:%S",
    ),
    Dataset(
        name="bike_sharing",
        title="Bike rentals an hour in Washington D.C., with weather",
        rows=17379,
        series=1,
        freq="h",
        time="datetime",
        target="cnt",
        licence="CC BY 4.0",
        file="bike_sharing_hourly.csv",
        time_format="%Y-%m-%d %H:%M:%S",
        redundant=("instant", "dteday"),
    ),
    Dataset(
        name="sunspots",
        title="Sunspots, Zurich monthly means",
        rows=2820,
        series=1,
        freq="MS",
        time="Month",
        target="Sunspots",
        licence="none stated",
        file="sunspots_monthly.csv",
        time_format="%Y-%m",
    ),
    Dataset(
        name="daily_min_temperatures",
        title="Daily minimum temperature in Melbourne, °C",
        rows=3650,
        series=1,
        freq="D",
        time="Date",
        target="Temp",
        licence="none stated",
        file="daily_min_temperatures.csv",
        time_format="%Y-%m-%d",
    ),
    Dataset(
        name="bike_daily_panel",
        title="Bike rentals a day in Washington D.C. by kind of rider",
        rows=2193,
        series=3,
        freq="D",
        time="time",
        target="y",
        licence="CC BY 4.0",
        file="bike_daily_panel.csv",
        time_format="%Y-%m-%d",
        series_id="unique_id",
    ),
)


def list_datasets() -> list[Dataset]:
    """Return all data sets of the package.

    Returns
    -------
    list of Dataset
        In the order of the README. ``pandas.DataFrame(list_datasets())`` converts them to a table.
    """
    return list(_ALL)


def dataset_path(name: str) -> Path:
    """Return the path of a data set's file, for example for ``forecast train --csv``.

    Parameters
    ----------
    name : str
        One of the names in `list_datasets`.

    Returns
    -------
    pathlib.Path

    Raises
    ------
    ParameterError
        If there is no data set with this name.
    """
    return _folder() / _find(name).file


def load_dataset(name: str) -> "pd.DataFrame":
    """Load a data set as a frame for the forecasters.

    Parameters
    ----------
    name : str
        One of the names in `list_datasets`.

    Returns
    -------
    pandas.DataFrame
        A single series has its times as index, named as in the file. A panel is a long table with the columns
        ``unique_id, time, y`` and further columns. Columns that only repeat the time or the row number (``instant`` and
        ``dteday`` of ``bike_sharing``) are dropped.

    Raises
    ------
    ParameterError
        If there is no data set with this name.

    Examples
    --------
    >>> load_dataset("airpassengers").head(2)
                Passengers
    Month
    1949-01-01         112
    1949-02-01         118
    """
    import pandas as pd

    found = _find(name)
    frame = pd.read_csv(dataset_path(name)).drop(columns=list(found.redundant))
    frame[found.time] = pd.to_datetime(frame[found.time], format=found.time_format)
    return frame if found.series_id else frame.set_index(found.time)


def _find(name: str) -> Dataset:
    by_name = {dataset.name: dataset for dataset in _ALL}
    check_names("load_dataset", "the data set", [name], by_name)
    return by_name[name]


def _folder() -> Path:
    """Return the installed folder of data files, or that of the source checkout."""
    try:
        return Path(str(resources.files("forecastkit._datasets")))
    except ModuleNotFoundError:
        return Path(__file__).resolve().parent.parent / "datasets"
