"""``forecast tune``: from a table to the model with the best parameters, tested beside the one without."""

import contextlib
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from forecastkit.cli import models
from forecastkit.cli.choose_sizes import Plan, make_plan
from forecastkit.cli.console import Report
from forecastkit.cli.describe_data import data_dict, say_data
from forecastkit.cli.flags import ROLES
from forecastkit.cli.holdout_test import Trial, say_trial, trial_dict, try_out
from forecastkit.cli.output_files import check_output
from forecastkit.cli.quiet_import import hushed
from forecastkit.cli.read_data import Data, read_data
from forecastkit.cli.train import DEFAULT_OUT, STOPPED, told
from forecastkit.evaluation.time_budget import seconds_of
from forecastkit.utils.exceptions import ParameterError
from forecastkit.utils.formatting import number
from forecastkit.utils.validation import refuse

#: Time for everything where neither it nor a number of trials is given.
USUAL_BUDGET = "10m"
SHOWN = 10


@dataclass(frozen=True)
class TuneOptions:
    """What the user says of the search: flags as they are."""

    space: list
    search: str
    trials: int | None
    budget: str | None
    folds: int | None
    jobs: int
    directory: Path | None

    def settings(self, random_state, refits: int):
        """The same for the search."""
        from forecastkit.tuning.settings import Settings

        budget = self.budget or (USUAL_BUDGET if self.trials is None else None)
        seconds = None if budget is None or budget.strip().lower() == "none" else seconds_of(budget, "--budget")
        settings = Settings(
            self.search, self.trials, seconds, self.folds, self.directory, self.jobs, random_state, refits
        )
        settings.check("tune")
        return settings


def tune(csv, model, out, parameters, settings, wishes: TuneOptions, test_size, refit, overwrite, json, quiet) -> None:
    """Read, choose, search, fit the best and the defaults, test both, save the best."""
    report, began, path = Report(quiet, json), time.monotonic(), out or DEFAULT_OUT
    check_output(path, overwrite)
    models.check_model(model)
    parameters = models.read_flags(parameters, settings)
    space = read_space(wishes.space)
    test_size = None if test_size is None else models.read_size("--test-size", test_size)
    data = read_data(csv, {name: parameters[name] for name in parameters if name in ROLES})
    plan = make_plan(data, parameters, test_size)
    say_data(report, data)
    with hushed():
        forecaster = _make(model, parameters, data, plan)
        search = lay_out(forecaster, data, plan, space, wishes.settings(forecaster_seed(forecaster), 2 + refit))
    _say_plan(report, model, plan, search)
    with told(report):
        _run(report, search)
        tuning = search.result()
        _say_trials(report, tuning)
        trial, defaults, tuned = _try(model, search, forecaster, tuning, data, plan)
        say_trial(report, trial)
        _say_gain(report, trial, defaults)
        tuned = _finish(tuned, search, data, refit)
        tuned.scores_ = {**tuned.scores_, "test": trial_dict(trial), "tuning": {"best_params": tuning.best_params}}
        tuned.save(path)
    report.line("saved", f"{path}      next: forecast predict {path}")
    found = {"trials": tuning.trials.reset_index().to_dict("records"), "best_params": tuning.best_params}
    seconds = {"seconds": round(time.monotonic() - began, 1)}
    tested = {**trial_dict(trial), "defaults": defaults}
    report.result({"model": model, "saved": str(path), **data_dict(data), **found, **tested, **seconds})


def read_space(texts: list[str]) -> dict | None:
    """The space from the text of flags: ``units=32,64``, ``learning_rate=1e-4..1e-2,log``."""
    space = {}
    for text in texts:
        name, sign, values = text.partition("=")
        name = name.strip().replace("-", "_")
        if not sign or not name or not values.strip():
            refuse(
                "--space",
                "must be NAME=a,b,c or NAME=low..high or NAME=low..high,log",
                repr(text),
                error=ParameterError,
            )
        bounds, *kind = values.split(",")
        if ".." in bounds and len(kind) < 2:
            low, _, high = bounds.partition("..")
            space[name] = (models.literal(low), models.literal(high), *(part.strip() for part in kind))
        else:
            space[name] = [models.literal(value) for value in values.split(",")]
    return space or None


def forecaster_seed(forecaster):
    """The seed that the forecaster got, for the search too."""
    return getattr(forecaster, "random_state", 0)


def lay_out(forecaster, data: Data, plan: Plan, space, settings):
    """The search over the rows before the test, checked."""
    from forecastkit.data.ingest.read_panel import read_panel
    from forecastkit.tuning.search import Search

    forecaster._check_parameters()
    panel, schema = read_panel(data.rows_before(plan.test_start), None, **forecaster._reading())
    return Search(forecaster, panel, schema, space, settings)


def _make(model, parameters, data, plan):
    chosen = {"horizon": plan.horizon, "lookback": plan.lookback, "validation_size": plan.validation}
    seed = {"random_state": 0} if models.is_network(model) else {}
    return models.make_forecaster(model, {**seed, **parameters, **data.keys, **chosen})


def _say_plan(report, model, plan, search):
    settings, folds = search.settings, search.task.folds
    report.line("chosen", f"{model}, horizon {plan.horizon}, lookback {plan.lookback}")
    report.line("space", ", ".join(search.names()))
    origins = sum(len(np.unique(fold.place)) for fold in folds)
    ends = [] if settings.n_trials is None else [f"{settings.n_trials} trials"]
    ends += [] if settings.seconds is None else [f"{settings.seconds:g} s for everything"]
    report.line("search", f"{settings.search}, {len(folds)} folds of {origins} origins, at most {' or '.join(ends)}")


def _run(report, search) -> None:
    """Run the search; Ctrl-C ends it, and what was found is gone on with."""
    from forecastkit.tuning import kerastuner_chief

    try:
        search.run(lambda text: report.line("trial", text))
    except KeyboardInterrupt:
        if search.best() is None:
            report.warning("stopped before the first trial was over: nothing was written")
            raise SystemExit(STOPPED) from None
        report.warning("search stopped: going on with the best so far; Ctrl-C again leaves")
    if kerastuner_chief.is_worker():
        report.line("worker", "all trials are done: the chief goes on with the best")
        raise SystemExit(0)


def _say_trials(report, tuning) -> None:
    from forecastkit.tuning.results import parameters_of, said

    names = parameters_of(tuning.trials)
    header = ["score", "seconds", *names]
    rows = [
        [
            "defaults" if place == 0 else str(place),
            row["state"] if np.isnan(row["score"]) else number(row["score"], 4),
            f"{row['seconds']:.0f}",
            *(said(row[name]) for name in names),
        ]
        for place, row in tuning.trials.head(SHOWN).iterrows()
    ]
    report.table("trials", header, rows, strong=0)
    if (more := len(tuning.trials) - SHOWN) > 0:
        report.line("trials", f"and {more} more")


def _try(model, search, forecaster, tuning, data, plan):
    """Fit the best and the defaults on the rows before the test, and test both."""
    same = tuning.trials.index[0] == 0
    rows = data.rows_before(plan.test_start)
    with _leaving():
        tuned = search.limited(tuning.best_forecaster, 1 + (not same) + (search.settings.refits > 2)).fit(rows)
        trial = try_out(model, tuned, data, plan)
        if same:
            return trial, _scores_of(trial), tuned
        plain = search.limited(forecaster, 1 + (search.settings.refits > 2)).fit(rows)
        return trial, _scores_of(try_out(model, plain, data, plan)), tuned


@contextlib.contextmanager
def _leaving():
    """Ctrl-C after the search leaves."""
    try:
        yield
    except KeyboardInterrupt:
        Report().warning("stopped: nothing was written")
        raise SystemExit(STOPPED) from None


def _scores_of(trial: Trial) -> dict:
    return trial.scores.iloc[0].astype("float64").to_dict()


def _say_gain(report, trial: Trial, defaults: dict) -> None:
    own = _scores_of(trial)
    gain = 100 * (1 - own["mae"] / defaults["mae"]) if defaults["mae"] > 0 else 0.0
    words = f"{gain:.1f} % less" if gain > 0 else f"{-gain:.1f} % more" if gain < 0 else "the same"
    report.line("defaults", f"MAE {number(defaults['mae'], 4)}; tuned {number(own['mae'], 4)}, {words}")


def _finish(tuned, search, data: Data, refit: bool):
    """The tuned model with all rows as its history, and trained on all of them where that is wished."""
    if not refit:
        return tuned.update(data.frame)
    with _leaving():
        return search.limited(search.result().best_forecaster, 1).fit(data.frame)
