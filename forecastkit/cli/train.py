"""``forecast train``: from a table to a tested model in a file."""

import time
from dataclasses import replace
from functools import partial
from pathlib import Path

from forecastkit.cli import models
from forecastkit.cli.choose_sizes import Sizes, choose_sizes, sized
from forecastkit.cli.console import Reporter
from forecastkit.cli.describe_data import format_steps, print_data, summarize_data
from forecastkit.cli.files import check_outputs, input_files
from forecastkit.cli.fit_model import (
    Stopped,
    find_network,
    fit_model,
    print_recipe,
    refit_or_update,
    save_interrupted,
    warn_of_last_epoch,
)
from forecastkit.cli.holdout_test import Holdout, print_holdout, summarize_holdout, try_holdout
from forecastkit.cli.interrupts import exit_on_interrupt
from forecastkit.cli.load_or_fit import make_for_data
from forecastkit.cli.options import TrainOptions
from forecastkit.cli.parameters import parse_parameters, parse_size
from forecastkit.cli.read_data import Data, read_data
from forecastkit.training.engines.cluster import is_chief
from forecastkit.utils.exceptions import ParameterError
from forecastkit.utils.time_budget import seconds_of
from forecastkit.utils.validation import first_few, refuse

DEFAULT_OUT = Path("model.forecast")
#: Parameters of all networks that ``auto`` lacks; listed here so that a missing file is refused without TensorFlow.
NETWORK_PARAMETERS = frozenset(
    [
        "epochs",
        "windows_per_epoch",
        "batch_size",
        "learning_rate",
        "patience",
        "final_epochs",
        "patch",
        "units",
        "dropout",
        "loss",
        "normalization",
        "precision",
        "distribute",
        "resume",
        "embed_series",
    ]
)
#: Default time limit of ``auto``.
AUTO_BUDGET = "90s"
#: Cutoffs and random shifts with which the importance of covariates is measured for a report.
IMPORTANCE_WINDOWS, IMPORTANCE_REPEATS = 10, 3


def train(options: TrainOptions) -> None:
    """Read, choose sizes, train, test, fit on all rows, save."""
    report = Reporter(options.quiet, options.json)
    with exit_on_interrupt(report):
        _train(report, options)


def _train(report: Reporter, options: TrainOptions) -> None:
    began, path = time.monotonic(), options.out or DEFAULT_OUT
    outputs = {"--out": path, "--report": options.report}
    check_outputs({flag: out for flag, out in outputs.items() if out}, input_files(options.csv), options.overwrite)
    options = _choose_model(report, options)
    parameters = _parse_parameters(options)
    test_size = None if options.test_size is None else parse_size("--test-size", options.test_size)
    data = read_data(options.csv, parameters)
    sizes = choose_sizes(data, parameters, test_size)
    print_data(report, data)
    forecaster = make_for_data(options.model, parameters, data, sizes)
    _print_sizes(report, options.model, forecaster, data, sizes)
    with report.library_warnings():
        holdout = _fit_and_test(report, options, forecaster, data, sizes)
        importance = _importance(forecaster, data, holdout) if options.report else None
        unfitted = make_for_data(options.model, parameters, data, sizes)
        refit = partial(_refit, report, forecaster, unfitted, data)
        forecaster = refit_or_update(report, forecaster, data, refit if options.refit else None)
        forecaster.scores_ = {**forecaster.scores_, "test": summarize_holdout(holdout)}
        if is_chief():
            forecaster.save(path)
            if options.report is not None:
                _write_report(report, forecaster, data, holdout, importance, options.report)
    report.info("saved", f"{path}      next: forecast predict {path}" if is_chief() else "by the first worker")
    report.result(
        {
            "model": options.model,
            "saved": str(path),
            **summarize_data(data),
            **_summarize_sizes(forecaster, sizes),
            **summarize_holdout(holdout),
            "refit": options.refit,
            "seconds": round(time.monotonic() - began, 1),
        }
    )


def _importance(tested, data: Data, holdout: Holdout):
    """Importance of the covariates on the test rows; None without covariates or a test."""
    schema = tested.schema_
    if holdout.backtest is None or not (schema.known or schema.past or (schema.static and schema.is_panel)):
        return None
    from forecastkit.inspection.importance import importance

    stride = max(1, data.panel.rows // len(data.panel.ids) // (4 * IMPORTANCE_WINDOWS))
    return importance(tested, data.panel, stride=stride, repeats=IMPORTANCE_REPEATS, random_state=0)


def _write_report(report: Reporter, forecaster, data: Data, holdout: Holdout, importance, path: Path) -> None:
    from forecastkit.reporting.report import report as make_report  # here: it loads Matplotlib

    make_report(forecaster, data.panel, path=path, backtest=holdout.backtest, importance=importance)
    report.info("report", str(path))


def _print_default_bounds(report: Reporter, forecaster) -> None:
    """Print for which targets 0 was chosen as the lower bound of the forecasts."""
    chosen = zip(forecaster.schema_.target, forecaster.nonnegative_, strict=True)
    names = [str(name) for name, nonnegative in chosen if nonnegative]
    if forecaster.lower is None and names:
        why = "are at least 0, as all values are; --lower=-inf removes the bound"
        report.info("bounds", f"forecasts of {first_few(names)} {why}")


def _choose_model(report: Reporter, options: TrainOptions) -> TrainOptions:
    """Return the options with a model: ``auto`` by default, ``gru`` if only networks have a given parameter."""
    if options.model is not None:
        models.check_model(options.model, saved=True)
        return options
    given = parse_parameters(options.parameters, options.settings)
    own = [name for name in given if name in NETWORK_PARAMETERS]
    if not own or options.budget is not None:
        return replace(options, model="auto")
    report.info("model", f"gru, because only networks have {', '.join(own)}; --model selects another model")
    return replace(options, model="gru")


def _parse_parameters(options: TrainOptions) -> dict:
    """Constructor parameters; the time limit of ``auto`` is its budget."""
    parameters = parse_parameters(options.parameters, options.settings)
    if options.model == "auto":
        seconds_of(options.budget or AUTO_BUDGET, "--budget")
        budget = {} if options.budget is None else {"time_limit": options.budget}
        return {"time_limit": AUTO_BUDGET, **parameters, **budget}
    if options.budget is not None:
        got = f"--model {options.model}"
        refuse("--budget", "is for --model auto", got, "Pass --time-limit.", ParameterError)
    return parameters


def _fit_and_test(report: Reporter, options: TrainOptions, forecaster, data: Data, sizes: Sizes) -> Holdout:
    try:
        fit_model(report, forecaster, data.rows_before(sizes.test_start))
    except Stopped as stopped:
        save_interrupted(report, forecaster, data, options.out, stopped.ready)
    print_recipe(report, forecaster)
    _print_default_bounds(report, forecaster)
    warn_of_last_epoch(report, forecaster)
    holdout = try_holdout(report, options.model, forecaster, data, sizes)
    print_holdout(report, holdout)
    return holdout


def _refit(report: Reporter, tested, unfitted, data: Data):
    """Return the same kind of model fitted on all rows; selected members of ``auto`` continue training."""
    if hasattr(type(tested), "leaderboard_"):
        return tested.partial_fit(data.panel)
    fit_model(report, unfitted, data.panel)
    return unfitted


def _print_sizes(report: Reporter, model: str, forecaster, data: Data, sizes: Sizes) -> None:
    limit = [f"budget {forecaster.time_limit}"] if model == "auto" else []
    chosen, network = [model, f"horizon {sizes.horizon}", *limit], find_network(forecaster)
    if network is not None:
        usual = sized(network, forecaster, data, sizes)
        chosen += [f"lookback {usual.lookback_}", f"patch {usual.patch_}", f"random state {network.random_state}"]
    if sizes.season is not None:
        found = f"{sizes.season} rows" if sizes.season > 1 else "none"
        report.info("season", f"{found}, by the values before the test; --season-length sets another one")
    short = "      shorter than usual: there are few rows" if sizes.shortened else ""
    report.info("settings", ", ".join(chosen) + short)
    grid, validation = data.panel.grid, sizes.validation(forecaster.validation_size)
    report.info(
        "split",
        f"validation {format_steps(grid, validation)}, test {format_steps(grid, sizes.test)}, "
        f"{sizes.cutoffs:,} cutoff{'s' * (sizes.cutoffs != 1)}{_tested_series(data, sizes)}",
    )


def _tested_series(data: Data, sizes: Sizes) -> str:
    """Return which series are tested, if not all of them until their last row."""
    if sizes.is_staggered:
        return "; the last rows of each series, as they end at different times"
    ends = data.panel.cutoffs()
    tested = int((ends >= sizes.test_start + sizes.horizon - 1).sum())
    return f"; {tested:,} of {len(ends):,} series reach the test" if tested < len(ends) else ""


def _summarize_sizes(forecaster, sizes: Sizes) -> dict:
    return {
        "horizon": forecaster.horizon_,
        "lookback": forecaster.lookback_,
        "season_length": forecaster.season_length_,
        **({"recipe": forecaster.recipe_} if hasattr(forecaster, "recipe_") else {}),
        "validation_size": sizes.validation(forecaster.validation_size),
        "test_size": sizes.test,
        "origins": sizes.cutoffs,
        "stride": sizes.stride,
    }
