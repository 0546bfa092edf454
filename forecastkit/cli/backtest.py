"""``forecast backtest``: scores of a model over many past forecasts."""

from forecastkit.cli import load_or_fit
from forecastkit.cli.console import Reporter
from forecastkit.cli.files import check_outputs, input_files, write_csv
from forecastkit.cli.interrupts import report_interrupt
from forecastkit.cli.options import BacktestOptions
from forecastkit.cli.parameters import parse_parameters
from forecastkit.cli.read_data import name_file_in_errors
from forecastkit.evaluation.backtesting import Backtest
from forecastkit.evaluation.backtesting import backtest as run_backtest
from forecastkit.evaluation.results import covered_levels
from forecastkit.utils.formatting import coverage_text, decimals, number, percent


def backtest(options: BacktestOptions) -> None:
    """Backtest a saved or newly fitted model; print, write and plot the results."""
    report = Reporter(options.quiet, options.json)
    inputs = input_files(options.csv, options.artifact, options.resume)
    check_outputs({"--out": options.out, "--plot": options.plot}, inputs, options.overwrite)
    parameters = parse_parameters(options.parameters, options.settings)
    load_or_fit.check_model_source("backtest", options.artifact, options.model, parameters)
    with report.library_warnings(), name_file_in_errors(options.csv), report_interrupt(report, options.resume):
        name, test = _run(report, options, parameters)
    _print(report, name, test)
    if options.out is not None:
        write_csv(test.forecasts, options.out)
    if options.plot is not None:
        from forecastkit.plotting.forecasts import plot_backtest

        plot_backtest(test.forecasts, path=options.plot)
    for path in filter(None, (options.out, options.plot)):
        report.info("saved", str(path))
    scores = test.scores.rename(index={"forecaster": name})
    report.result(
        {
            "model": name,
            "windows": _windows(test),
            "scores": scores.to_dict(orient="index"),
            "coverage": test.ranges(),
        }
    )


def _run(report: Reporter, options: BacktestOptions, parameters: dict) -> tuple[str, Backtest]:
    """Return the name of the model and its backtest."""
    arguments = {
        "start": load_or_fit.parse_start(options.start),
        "n_windows": options.n_windows,
        "stride": options.stride or 1,
        "gap": options.gap,
        "refit": options.refit_every or options.refit,
        "max_train_size": options.max_train_size,
        "resume": options.resume,
    }
    if options.artifact is not None:
        forecaster, X, y = load_or_fit.load_with_data(options.artifact, options.csv)
        return str(options.artifact), _backtest(report, forecaster, (X, y), arguments)
    forecaster, data, sizes = load_or_fit.make_with_data(report, options.csv, options.model, parameters)
    arguments["stride"] = options.stride or sizes.stride
    if options.start is None and options.n_windows is None and sizes.is_staggered:
        arguments["n_windows"] = sizes.cutoffs
    elif options.start is None and options.n_windows is None:
        arguments["start"] = data.panel.grid.timestamps([sizes.test_start.max()])[0]
    return options.model, _backtest(report, forecaster, (data.panel,), arguments)


def _backtest(report: Reporter, forecaster, data: tuple, arguments: dict) -> Backtest:
    """Run the backtest, with one line of progress per refit."""
    arguments["quantile_levels"] = covered_levels(forecaster)
    if not arguments["refit"]:
        return run_backtest(forecaster, *data, **arguments)
    with report.progress("refit", "starting") as show:
        return run_backtest(forecaster, *data, **arguments, verbose=lambda line: show("refit", line))


def _windows(test: Backtest) -> int:
    return int(test.forecasts["cutoff"].nunique())


def _print(report: Reporter, name: str, test: Backtest) -> None:
    places = decimals(test.scores["mae"])
    rows = [
        (
            label,
            number(row["mae"], places),
            number(row["rmse"], places),
            number(row.get("mase")),
            percent(row.get("coverage_0.8")),
            percent(row["skill"]),
        )
        for label, (_, row) in zip((name, "seasonal naive"), test.scores.iterrows(), strict=True)
    ]
    first, last = (str(test.forecasts["cutoff"].agg(end)).removesuffix(" 00:00:00") for end in ("min", "max"))
    report.info("cutoffs", f"{_windows(test):,}, from {first} to {last}")
    report.table("backtest", ("MAE", "RMSE", "MASE", "80 % interval holds", "skill"), rows)
    if held := coverage_text(test.ranges()):
        report.info("coverage", held)
