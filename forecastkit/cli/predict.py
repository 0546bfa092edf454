"""``forecast predict``: forecasts of a saved model."""

from pathlib import Path
from typing import TYPE_CHECKING

from forecastkit.cli.console import Reporter
from forecastkit.cli.files import check_outputs, input_files, write_csv
from forecastkit.cli.options import PredictOptions
from forecastkit.cli.parameters import parse_levels
from forecastkit.cli.silence import silenced_imports
from forecastkit.persistence.artifact import load
from forecastkit.utils.exceptions import InputError, ParameterError
from forecastkit.utils.formatting import decimals, number
from forecastkit.utils.validation import check_levels, check_real, first_few, refuse
from forecastkit.utils.warn import without_warnings

if TYPE_CHECKING:
    import pandas as pd

#: Largest number of quantiles in a plot, and of printed rows.
PLOTTED = (0.1, 0.25, 0.75, 0.9)
MAX_ROWS = 24


def predict(options: PredictOptions) -> None:
    """Forecast from the stored or another history; print, write and plot the forecasts."""
    report = Reporter(options.quiet, options.json)
    tables = [path for path in (options.history, options.future) if path is not None]
    inputs = input_files(tables, options.model)
    check_outputs({"--out": options.out, "--plot": options.plot}, inputs, options.overwrite)
    levels = _parse_levels(options.coverage, options.quantile_levels)
    with silenced_imports():
        forecaster = load(options.model)
    schema = forecaster.schema_
    history, future = _read_rows(options, forecaster)
    with report.library_warnings():
        frame = forecaster.forecast(future, history=history, quantile_levels=levels)
    if options.plot is not None:
        _plot(forecaster, future, history, options.plot)
    if options.coverage is not None:
        frame = frame.rename(columns=dict(zip(frame.columns[-2:], ("lower", "upper"), strict=True)))
    _print(report, frame, schema)
    if options.out is not None:
        write_csv(frame, options.out)
    for path in filter(None, (options.out, options.plot)):
        report.info("saved", str(path))
    if options.json:
        report.result(_summarize(options.model, forecaster, frame))


def _read_rows(options: PredictOptions, forecaster) -> tuple:
    """Return the history for `forecast`, and the rows to forecast or None."""
    if options.history is None and options.future is None:
        return None, None
    from forecastkit.cli.read_data import read_like  # here: the readers of tables take long to import

    schema, history, future = forecaster.schema_, None, None
    if options.history is not None:
        history = read_like(options.history, schema)
        history = (history, history[list(schema.target)]) if schema.supervised else history
    if options.future is not None:
        future = _check_future(options.future, read_like(options.future, schema, future=True), forecaster)
    return history, future


def _parse_levels(coverage: float | None, quantile_levels: str | None) -> tuple[float, ...] | None:
    """Return the quantile levels of the forecast."""
    if coverage is None:
        return None if quantile_levels is None else check_levels("--quantile-levels", parse_levels(quantile_levels))
    if quantile_levels is not None:
        refuse("predict", "either --coverage or --quantile-levels can be given", "both", error=ParameterError)
    check_real("--coverage", "coverage", coverage, 1e-6, 1 - 1e-6)
    return ((1 - coverage) / 2, (1 + coverage) / 2)


def _check_future(path: Path, ahead: "pd.DataFrame", forecaster) -> "pd.DataFrame":
    """Refuse rows to forecast with missing future covariates."""
    known = [name for name in forecaster.schema_.known if name in ahead]
    blank = [name for name in known if ahead[name].isna().any()]
    if blank:
        refuse(str(path), "known columns must be filled", f"blanks in {first_few(map(repr, blank))}")
    return ahead


def _plot(forecaster, future, history, path: Path) -> None:
    from forecastkit.data.ingest.read_panel import read_more
    from forecastkit.data.output_frames import history_frame
    from forecastkit.plotting.forecasts import plot_forecast

    schema, panel = forecaster.schema_, forecaster.history_
    if history is not None:
        rows = history if isinstance(history, tuple) else (history,)
        panel = read_more(schema, panel.grid, *rows, remembered=panel)
    with without_warnings():  # printed with the forecast
        frame = forecaster.forecast(future, history=history, quantile_levels=_plotted_levels(forecaster))
        title = f"Forecast of {schema.target[0]}" if len(schema.target) == 1 else None
        try:
            plot_forecast(frame, history_frame(panel, schema), path=path, title=title)
        except (OverflowError, ValueError) as error:
            if isinstance(error, InputError):
                raise
            refuse(str(path), "times of a plot must lie between the years 1 and 9999", f"the error {str(error)!r}")


def _plotted_levels(forecaster) -> tuple[float, ...] | None:
    """Quantiles of the plot, inside those that were trained."""
    trained = getattr(forecaster, "trained_levels_", None)
    return PLOTTED if trained is None or (trained[0] <= PLOTTED[0] and trained[-1] >= PLOTTED[-1]) else None


def _print(report: Reporter, frame: "pd.DataFrame", schema) -> None:
    """Print the first rows as a table."""
    keys = [name for name in (*schema.series_keys, schema.time_name, "target") if name in frame]
    shown = frame.head(MAX_ROWS)
    values = [name for name in frame.columns if name not in (*keys, "cutoff", "step")]
    places = decimals(shown[values].to_numpy().ravel())
    times = _format_times(shown[schema.time_name], frame[schema.time_name])
    texts = [times if name == schema.time_name else shown[name].astype(str) for name in keys]
    rows = [
        (*cells, *(number(value, places) for value in row))
        for *cells, row in zip(*texts, shown[values].to_numpy(), strict=True)
    ]
    report.table(str(keys[0]), [str(name) for name in (*keys[1:], *values)], rows)
    if len(frame) > len(shown):
        report.info("", f"... and {len(frame) - len(shown):,} more rows; --out forecast.csv writes all of them")


def _format_times(shown: "pd.Series", times: "pd.Series") -> "pd.Series":
    """Return the first timestamps as text, without parts that are zero in all of them."""
    import pandas as pd

    if not pd.api.types.is_datetime64_any_dtype(times):
        return shown.astype(str)
    times = times.drop_duplicates()
    if (times == times.dt.normalize()).all():
        return shown.dt.strftime("%Y-%m-%d")
    minutes = (times.dt.second == 0).all() and (times.dt.microsecond == 0).all()
    return shown.dt.strftime("%Y-%m-%d %H:%M") if minutes else shown.astype(str)


def _summarize(model: Path, forecaster, frame: "pd.DataFrame") -> dict:
    import pandas as pd

    timestamps = [name for name in frame if pd.api.types.is_datetime64_any_dtype(frame[name])]
    plain = frame.assign(**{name: frame[name].map(pd.Timestamp.isoformat) for name in timestamps})
    return {"model": str(model), "horizon": forecaster.horizon_, "forecast": plain.to_dict(orient="records")}
