"""``forecast report``: an HTML page on a model, its forecast and its backtest."""

from pathlib import Path

from forecastkit.cli import load_or_fit
from forecastkit.cli.console import Reporter
from forecastkit.cli.files import check_outputs, input_files
from forecastkit.cli.options import ReportOptions
from forecastkit.cli.parameters import parse_parameters
from forecastkit.cli.read_data import name_file_in_errors
from forecastkit.reporting.report import report as make_report


def report(options: ReportOptions) -> None:
    """Write the report of a saved or newly fitted model."""
    console = Reporter(options.quiet)
    out = options.out or Path("report.html")
    check_outputs({"--out": out}, input_files(options.csv, options.artifact), options.overwrite)
    parameters = parse_parameters(options.parameters, options.settings)
    load_or_fit.check_model_source("report", options.artifact, options.model, parameters)
    cutoffs = {"n_windows": options.n_windows, "stride": options.stride}
    settings = {"path": out, "backtest": {name: value for name, value in cutoffs.items() if value is not None}}
    with console.library_warnings(), name_file_in_errors(options.csv):
        if options.artifact is not None:
            forecaster, X, y = load_or_fit.load_with_data(options.artifact, options.csv)
            made = make_report(forecaster, X, y, **settings)
        else:
            forecaster, data, _ = load_or_fit.make_with_data(console, options.csv, options.model, parameters)
            made = make_report(forecaster, data.panel, **settings)
    console.info("backtest", f"{made.backtest.forecasts['cutoff'].nunique():,} cutoffs")
    console.info("saved", str(out))
