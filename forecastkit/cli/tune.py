"""``forecast tune``: from a table to the model with the best hyperparameters, tested beside the defaults."""

import time
from dataclasses import replace
from functools import partial

import numpy as np

from forecastkit.cli import models
from forecastkit.cli.choose_sizes import Sizes, choose_sizes
from forecastkit.cli.compare import parse_budget
from forecastkit.cli.console import Reporter
from forecastkit.cli.describe_data import print_data, summarize_data
from forecastkit.cli.files import check_outputs, input_files
from forecastkit.cli.fit_model import refit_or_update
from forecastkit.cli.holdout_test import Holdout, print_holdout, summarize_holdout, try_holdout
from forecastkit.cli.interrupts import STOPPED, exit_on_interrupt
from forecastkit.cli.load_or_fit import make_for_data
from forecastkit.cli.options import TuneOptions
from forecastkit.cli.parameters import parse_literal, parse_parameters, parse_size
from forecastkit.cli.read_data import Data, read_data
from forecastkit.cli.train import DEFAULT_OUT
from forecastkit.utils.exceptions import ParameterError
from forecastkit.utils.formatting import number
from forecastkit.utils.time_budget import no_time_for
from forecastkit.utils.validation import refuse

#: Default time limit if no number of trials is given.
DEFAULT_BUDGET = "10m"
MAX_TRIALS_SHOWN = 10


def tune(options: TuneOptions) -> None:
    """Read, choose sizes, search, fit the best model and the defaults, test both, save the best."""
    report, began, path = Reporter(options.quiet, options.json), time.monotonic(), options.out or DEFAULT_OUT
    check_outputs({"--out": path}, input_files(options.csv), options.overwrite)
    models.check_model(options.model, saved=True)
    parameters = parse_parameters(options.parameters, options.settings)
    space = parse_space(options.space or [])
    test_size = None if options.test_size is None else parse_size("--test-size", options.test_size)
    data = read_data(options.csv, parameters)
    sizes = choose_sizes(data, parameters, test_size)
    print_data(report, data)
    forecaster = make_for_data(options.model, parameters, data, sizes)
    with report.library_warnings():
        search = make_search(forecaster, data, sizes, space, options)
        _print_search(report, options.model, sizes, search)
        _run(report, search)
        tuning = search.result()
        _print_trials(report, tuning)
        holdout, defaults, tuned = _fit_and_test(report, options.model, search, forecaster, data, sizes)
        refit = partial(search.limited(tuning.best_forecaster, 1).fit, data.panel)
        tuned = refit_or_update(report, tuned, data, refit if options.refit else None)
        tuned.scores_ = {
            **tuned.scores_,
            "test": summarize_holdout(holdout),
            "tuning": {"best_params": tuning.best_params},
        }
        tuned.save(path)
    report.info("saved", f"{path}      next: forecast predict {path}")
    report.result(
        {
            "model": options.model,
            "saved": str(path),
            **summarize_data(data),
            "trials": tuning.trials.reset_index().to_dict("records"),
            "best_params": tuning.best_params,
            **summarize_holdout(holdout),
            "defaults": defaults,
            "refit": options.refit,
            "seconds": round(time.monotonic() - began, 1),
        }
    )


def parse_space(texts: list[str]) -> dict | None:
    """Return the search space from the text of flags: ``units=32,64``, ``learning_rate=1e-4..1e-2,log``."""
    space = {}
    for text in texts:
        name, sign, values = text.partition("=")
        name = name.strip().replace("-", "_")
        if not sign or not name or not values.strip():
            rule = "must be NAME=a,b,c or NAME=low..high or NAME=low..high,log"
            refuse("--space", rule, repr(text), error=ParameterError)
        bounds, *kind = values.split(",")
        if ".." in bounds and len(kind) < 2:
            low, _, high = bounds.partition("..")
            space[name] = (parse_literal(low), parse_literal(high), *(part.strip() for part in kind))
        else:
            space[name] = [parse_literal(value) for value in values.split(",")]
    return space or None


def make_search(forecaster, data: Data, sizes: Sizes, space: dict | None, options: TuneOptions):
    """Return the search over the rows before the test, checked."""
    from forecastkit.tuning.search import Search
    from forecastkit.tuning.settings import Settings

    budget = options.budget or (DEFAULT_BUDGET if options.trials is None else "none")
    settings = Settings(
        search=options.search,
        n_trials=options.trials,
        time_limit=parse_budget(budget),
        n_folds=options.folds,
        directory=options.directory,
        n_jobs=options.jobs,
        random_state=getattr(forecaster, "random_state", 0),
        refits=2 + options.refit,
    )
    settings.check("tune")
    forecaster._check_parameters()
    panel = replace(data.rows_before(sizes.test_start), schema=None)
    return Search(forecaster, panel, data.schema, space, settings)


def _print_search(report: Reporter, model: str, sizes: Sizes, search) -> None:
    settings, folds = search.settings, search.task.folds
    report.info("settings", f"{model}, horizon {sizes.horizon}")
    report.info("space", ", ".join(search.names()))
    cutoffs = sum(len(np.unique(fold.place)) for fold in folds)
    ends = [] if settings.n_trials is None else [f"{settings.n_trials} trials"]
    ends += [] if settings.seconds is None else [f"{settings.seconds:g} s in all"]
    limit = f", at most {' or '.join(ends)}" if ends else ""
    report.info("search", f"{settings.search}, {len(folds)} folds with {cutoffs} cutoffs{limit}")


def _run(report: Reporter, search) -> None:
    """Run the search; Ctrl-C ends it, and the best model so far is used."""
    from forecastkit.tuning import kerastuner_chief

    try:
        search.run(lambda text: report.info("trial", text))
    except KeyboardInterrupt:
        if search.best() is None:
            report.warning("stopped before the first trial was over: nothing was written")
            raise SystemExit(STOPPED) from None
        report.warning("search stopped: continuing with the best trial so far; Ctrl-C again exits")
    if kerastuner_chief.is_worker():
        report.info("worker", "all trials are done: the chief continues with the best one")
        raise SystemExit(0)


def _print_trials(report: Reporter, tuning) -> None:
    from forecastkit.tuning.results import parameters_of, value_text

    names = parameters_of(tuning.trials)
    header = ["score", "seconds", *names]
    rows = [
        [
            "defaults" if place == 0 else str(place),
            row["state"] if np.isnan(row["score"]) else number(row["score"], 4),
            f"{row['seconds']:.0f}",
            *(value_text(row[name]) for name in names),
        ]
        for place, row in tuning.trials.head(MAX_TRIALS_SHOWN).iterrows()
    ]
    report.table("trials", header, rows, bold=0)
    if (more := len(tuning.trials) - MAX_TRIALS_SHOWN) > 0:
        report.info("trials", f"and {more} more")
    if len(tuning.trials) == 1:
        report.warning(f"{no_time_for('a second trial')}: these are the defaults; pass a longer --budget")


def _fit_and_test(report: Reporter, model: str, search, forecaster, data: Data, sizes: Sizes):
    """Fit the best model and the defaults on the rows before the test, and test both."""
    tuning = search.result()
    are_defaults = tuning.trials.index[0] == 0
    refits, rows = search.settings.refits > 2, data.rows_before(sizes.test_start)
    with exit_on_interrupt(report):
        tuned = search.limited(tuning.best_forecaster, 1 + (not are_defaults) + refits).fit(rows)
        holdout = defaults = try_holdout(report, model, tuned, data, sizes)
        if not are_defaults:
            plain = search.limited(forecaster, 1 + refits).fit(rows)
            defaults = try_holdout(report, model, plain, data, sizes)
    print_holdout(report, holdout)
    if holdout.model is None or defaults.model is None:
        return holdout, None, tuned
    scores = defaults.scores.iloc[0].astype("float64").to_dict()
    _print_gain(report, holdout, scores)
    return holdout, scores, tuned


def _print_gain(report: Reporter, holdout: Holdout, defaults: dict) -> None:
    own = holdout.scores["mae"].iloc[0]
    gain = 100 * (1 - own / defaults["mae"]) if defaults["mae"] > 0 else 0.0
    words = f"{gain:.1f} % smaller" if gain > 0 else f"{-gain:.1f} % larger" if gain < 0 else "the same"
    report.info("defaults", f"MAE {number(defaults['mae'], 4)}; tuned {number(own, 4)}, {words}")
