"""``forecast compare``: models and baselines on one table, with significance of differences."""

from pathlib import Path

from forecastkit.cli import models
from forecastkit.cli.choose_sizes import choose_sizes
from forecastkit.cli.console import Reporter
from forecastkit.cli.describe_data import print_data, summarize_data
from forecastkit.cli.files import check_outputs, input_files
from forecastkit.cli.interrupts import report_interrupt
from forecastkit.cli.options import CompareOptions
from forecastkit.cli.parameters import parse_list, parse_parameters
from forecastkit.cli.read_data import Data, name_file_in_errors, read_data
from forecastkit.cli.silence import silenced_imports
from forecastkit.comparison.results import Comparison
from forecastkit.evaluation.folds import suited_sizes
from forecastkit.utils.exceptions import ParameterError
from forecastkit.utils.run_log import read_log, remove_log
from forecastkit.utils.time_budget import TimeBudget, seconds_of
from forecastkit.utils.validation import refuse


def compare(options: CompareOptions) -> None:
    """Read the data, choose sizes, run the comparison, print and write the results."""
    report, budget = Reporter(options.quiet, options.json), TimeBudget(parse_budget(options.budget))
    run_log = _check_outputs(options)
    names = _parse_models(options.models)
    parameters = parse_parameters(options.parameters, options.settings)
    folds = {"folds": options.folds, "n_windows": options.windows, "stride": options.stride}
    lookbacks = _parse_lookbacks(options.lookbacks)
    data = read_data(options.csv, parameters)
    print_data(report, data)
    parameters = complete_parameters(data, parameters, folds)
    report.info("settings", f"horizon {parameters['horizon']}")
    if run_log is not None and options.overwrite:
        remove_log(run_log, "compare", "--out")
    more = {"seeds": options.seeds, "metric": options.metric, "memory": options.memory, "lookbacks": lookbacks}
    parameters = {**parameters, **folds, **more, "budget": budget, "path": run_log}
    with report.library_warnings(), name_file_in_errors(options.csv), report_interrupt(report, run_log):
        comparison = _run(report, names, data, parameters)
    print_comparison(report, comparison)
    for path in _write(comparison, options):
        report.info("saved", str(path))
    report.result({**summarize_data(data), **comparison.to_dict()})


def _check_outputs(options: CompareOptions) -> Path | None:
    """Check the output paths; files of an interrupted comparison may be replaced."""
    run_log = None if options.out is None else options.out.with_name(f"{options.out.name}l")
    if run_log is not None:
        read_log(run_log, "compare", "the file of runs beside --out")
    continues = run_log is not None and run_log.exists()
    outputs = {"--out": options.out, "--csv-out": options.csv_out, "--plot": options.plot}
    inputs = input_files(options.csv, run_log)
    check_outputs(outputs, inputs, options.overwrite or continues)
    return run_log


def _run(report: Reporter, names, data: Data, parameters: dict) -> Comparison:
    """Return the comparison, with a line of progress."""
    from forecastkit.comparison.comparison import compare

    load_backend(names)
    with report.progress("runs", "starting") as show:
        return compare(names, data.panel, **parameters, progress=lambda text: show("runs", text))


def load_backend(names) -> None:
    """Import the backend without output if a network is among the models."""
    if names == "all" or any(models.is_network(name) for name in names):
        with silenced_imports():
            models.forecaster_class("gru")


def complete_parameters(data: Data, parameters: dict, folds: dict) -> dict:
    """Return the parameters with detected roles and usual sizes that fit the rows before the first fold."""
    usual = choose_sizes(data, parameters)
    wanted = [folds.get(name) for name in ("folds", "n_windows", "stride")]
    suited, _ = suited_sizes(data.panel, usual.horizon, data.roles.time is not None, *wanted)
    sizes = choose_sizes(data, parameters, min(max(suited.rows, usual.horizon), usual.rows - usual.horizon - 2))
    roles = {name: value for name, value in data.role_parameters.items() if value is not None}
    return {**parameters, **roles, **sizes.parameters}


def print_comparison(report: Reporter, comparison: Comparison) -> None:
    """Print the table, the settings of the comparison, and notes."""
    header, rows = comparison.cells()
    report.info("tested", f"{comparison.summary()}, first cutoff {comparison.settings['first_cutoffs'][0]}")
    report.table("model", header, rows, bold=0)
    if comparison.growth is not None:
        _print_growth(report, comparison)
    for note in comparison.notes:
        report.info("note", note, "yellow")


def _print_growth(report: Reporter, comparison: Comparison) -> None:
    table = comparison.growth.reset_index()
    rows = [
        [f"{row.model}", f"{row.lookback:,.0f}", f"{row.epoch_seconds:.2f}", f"{row.one_ms:.1f}", f"{row.many_ms:.1f}"]
        for row in table.itertuples()
    ]
    report.table("scaling", ["lookback", "s per epoch", "ms per forecast", "ms per 1,000 forecasts"], rows)


def _write(comparison: Comparison, options: CompareOptions) -> list[Path]:
    """Write the outputs and return their paths."""
    from forecastkit.plotting.forecasts import plot_comparison

    outputs = (
        (options.out, comparison.to_json),
        (options.csv_out, comparison.to_csv),
        (options.plot, lambda path: plot_comparison(comparison, path=path)),
    )
    for path, write in outputs:
        if path is not None:
            write(path)
    return [path for path, _ in outputs if path is not None]


def _parse_models(text: str) -> list[str] | str:
    """Return the names of models after checking that they exist."""
    names = parse_list("--models", text)
    if names == ["all"]:
        return "all"
    for name in names:
        models.check_model(name)
    return list(dict.fromkeys(names))


def parse_budget(text: str) -> float | None:
    """Return the seconds of a time limit, or None for ``none``."""
    return None if text.strip().lower() == "none" else seconds_of(text, "--budget")


def _parse_lookbacks(text: str | None) -> list[int]:
    try:
        return [int(part) for part in text.split(",")] if text else []
    except ValueError:
        return refuse("--lookbacks", "must be comma-separated whole numbers", repr(text), error=ParameterError)
