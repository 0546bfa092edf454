"""``forecast predict``: from a saved model to forecasts."""

import warnings
from pathlib import Path

import pandas as pd

from forecastkit.cli.console import Report
from forecastkit.cli.models import read_levels
from forecastkit.cli.output_files import check_output, check_picture, write_csv
from forecastkit.cli.quiet_import import hushed
from forecastkit.cli.read_data import read_like
from forecastkit.cli.train import told
from forecastkit.data.ingest.read_panel import read_more
from forecastkit.data.output_frames import history_frame
from forecastkit.persistence.artifact import load
from forecastkit.utils.exceptions import ParameterError
from forecastkit.utils.formatting import decimals, number
from forecastkit.utils.validation import check_levels, check_real, refuse, some

PICTURE = (0.1, 0.25, 0.75, 0.9)
MOST_ROWS = 24


def predict(model, history, future, out, plot, coverage, quantile_levels, overwrite, json, quiet) -> None:
    """Forecast from the remembered or another history; print, write, draw."""
    report = Report(quiet, json)
    check_output(out, overwrite)
    check_picture(plot, overwrite)
    levels = _levels(coverage, quantile_levels)
    with hushed():
        forecaster = load(model)
    schema = forecaster.schema_
    past = None if history is None else read_like(history, schema)
    ahead = None if future is None else _check_future(future, read_like(future, schema, future=True), forecaster)
    given = (past, past[list(schema.target)]) if past is not None and schema.supervised else past
    with told(report):
        frame = forecaster.forecast(ahead, history=given, quantile_levels=levels)
    if plot is not None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # was said above
            _draw(forecaster, ahead, past, given, plot)
    frame = _bounds(frame) if coverage is not None else frame
    _say(report, frame, schema)
    if out is not None:
        write_csv(frame, out)
    for path in filter(None, (out, plot)):
        report.line("saved", str(path))
    report.result(_dict(model, forecaster, frame))


def _levels(coverage: float | None, quantile_levels: str | None) -> tuple[float, ...] | None:
    """The quantiles to ask for."""
    if coverage is None:
        return None if quantile_levels is None else check_levels("--quantile-levels", read_levels(quantile_levels))
    if quantile_levels is not None:
        refuse("predict", "either --coverage or --quantile-levels can be asked for", "both", error=ParameterError)
    check_real("--coverage", "coverage", coverage, 1e-6, 1 - 1e-6)
    return ((1 - coverage) / 2, (1 + coverage) / 2)


def _bounds(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with its two quantiles called lower and upper."""
    return frame.rename(columns=dict(zip(frame.columns[-2:], ("lower", "upper"), strict=True)))


def _check_future(path: Path, ahead: pd.DataFrame, forecaster) -> pd.DataFrame:
    """Rows to forecast whose known columns are all filled."""
    known = [name for name in forecaster.schema_.known if name in ahead]
    blank = [name for name in known if ahead[name].isna().any()]
    if blank:
        refuse(str(path), "known columns must be filled", f"blanks in {some(map(repr, blank))}")
    return ahead


def _draw(forecaster, ahead, past, given, path: Path) -> None:
    from forecastkit.plotting.forecasts import plot_forecast

    schema = forecaster.schema_
    panel = forecaster.history_
    if past is not None:
        panel = read_more(schema, panel.grid, *(given if isinstance(given, tuple) else (given,)))
    frame = forecaster.forecast(ahead, history=given, quantile_levels=_fan(forecaster))
    names = {"time": schema.time_name, "series_id": schema.series_id}
    title = f"Forecast of {schema.target[0]}" if len(schema.target) == 1 else None
    plot_forecast(frame, history_frame(panel, schema), **names, path=path, title=title)


def _fan(forecaster) -> tuple[float, ...] | None:
    """Quantiles for the picture, inside those that were trained."""
    trained = getattr(forecaster, "trained_levels_", None)
    return PICTURE if trained is None or (trained[0] <= PICTURE[0] and trained[-1] >= PICTURE[-1]) else None


def _say(report: Report, frame: pd.DataFrame, schema) -> None:
    """The first rows as a table."""
    keys = [name for name in (schema.series_id, schema.time_name, "target") if name in frame and name is not None]
    shown = frame.head(MOST_ROWS)
    numbers = [name for name in frame.columns if name not in (*keys, "cutoff", "step")]
    places = decimals(shown[numbers].to_numpy().ravel())
    times = _times(frame[schema.time_name]).head(MOST_ROWS)
    texts = [times if name == schema.time_name else shown[name].astype(str) for name in keys]
    rows = [
        (*cells, *(number(value, places) for value in values))
        for *cells, values in zip(*texts, shown[numbers].to_numpy(), strict=True)
    ]
    report.table(str(keys[0]), [str(name) for name in (*keys[1:], *numbers)], rows)
    if len(frame) > len(shown):
        report.line("", f"... and {len(frame) - len(shown):,} more rows: --out forecast.csv writes all")


def _times(times: pd.Series) -> pd.Series:
    """Times as short as they can be said."""
    if pd.api.types.is_datetime64_any_dtype(times):
        if (times == times.dt.normalize()).all():
            return times.dt.strftime("%Y-%m-%d")
        minutes = (times.dt.second == 0).all() and (times.dt.microsecond == 0).all()
        return times.dt.strftime("%Y-%m-%d %H:%M") if minutes else times.astype(str)
    return times.astype(str)


def _dict(model: Path, forecaster, frame: pd.DataFrame) -> dict:
    timestamps = [name for name in frame if pd.api.types.is_datetime64_any_dtype(frame[name])]
    plain = frame.assign(**{name: frame[name].map(pd.Timestamp.isoformat) for name in timestamps})
    return {"model": str(model), "horizon": forecaster.horizon_, "forecast": plain.to_dict(orient="records")}
