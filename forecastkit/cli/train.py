"""``forecast train``: from a table to a tested model in a file."""

import contextlib
import time
import warnings
from pathlib import Path

import pandas as pd

from forecastkit.cli import models
from forecastkit.cli.choose_sizes import Plan, make_plan
from forecastkit.cli.console import Report
from forecastkit.cli.describe_data import data_dict, say_data, units
from forecastkit.cli.flags import ROLES, as_flags
from forecastkit.cli.holdout_test import Trial, say_trial, trial_dict, try_out
from forecastkit.cli.output_files import check_output
from forecastkit.cli.quiet_import import hushed
from forecastkit.cli.read_data import Data, read_data
from forecastkit.evaluation.time_budget import seconds_of
from forecastkit.training.engines.cluster import is_chief
from forecastkit.utils.exceptions import ParameterError
from forecastkit.utils.validation import refuse

DEFAULT_OUT = Path("model.forecast")
STOPPED = 130
#: Time for ``auto`` where none is given.
BUDGET = "15m"


class Stopped(KeyboardInterrupt):
    """Ctrl-C in the middle of a training run; `ready` says what can be kept, '' before there is anything."""

    def __init__(self, ready: str):
        super().__init__(ready)
        self.ready = ready


def train(csv, model, out, parameters, settings, test_size, budget, refit, overwrite, json, quiet) -> None:
    """Read, choose, train, test, use all rows as history, save."""
    report = Report(quiet, json)
    try:
        parameters = _within(model, parameters, budget)
        _train(report, csv, model, out, parameters, settings, test_size, refit, overwrite)
    except KeyboardInterrupt:
        report.warning("stopped: nothing was written")
        raise SystemExit(STOPPED) from None


def _within(model: str, parameters: dict, budget: str | None) -> dict:
    """The parameters with the time that ``auto`` has."""
    if budget is None:
        return {"time_limit": BUDGET, **parameters} if model == "auto" else parameters
    if model != "auto":
        refuse("--budget", "goes with --model auto", f"--model {model}", "Pass --time-limit.", ParameterError)
    seconds_of(budget, "--budget")
    return {**parameters, "time_limit": budget}


def _train(report, csv, model, out, parameters, settings, test_size, refit, overwrite):
    began, path = time.monotonic(), out or DEFAULT_OUT
    check_output(path, overwrite)
    models.check_model(model)
    parameters = models.read_flags(parameters, settings)
    test_size = None if test_size is None else models.read_size("--test-size", test_size)
    data = read_data(csv, {name: parameters[name] for name in parameters if name in ROLES})
    plan = make_plan(data, parameters, test_size)
    say_data(report, data)
    with hushed():
        forecaster = models.make_forecaster(model, _complete(model, parameters, data, plan))
    _say_plan(report, model, forecaster, data, plan)
    with told(report):
        trial = _fit_and_try(report, model, forecaster, data, plan, keep=out)
        if refit:
            forecaster = models.make_forecaster(model, _complete(model, parameters, data, plan))
            _fit(report, forecaster, data.frame)
        else:
            forecaster.update(data.frame)
        forecaster.scores_ = {**forecaster.scores_, "test": trial_dict(trial)}
        if is_chief():
            forecaster.save(path)
    report.line("saved", f"{path}      next: forecast predict {path}" if is_chief() else "by the first worker")
    report.result(
        {
            "model": model,
            "saved": str(path),
            **data_dict(data),
            **_plan_dict(forecaster, data, plan),
            **trial_dict(trial),
            "seconds": round(time.monotonic() - began, 1),
        }
    )


def _complete(model: str, parameters: dict, data: Data, plan: Plan) -> dict:
    """The parameters with all that was found and chosen."""
    chosen = {"horizon": plan.horizon, "lookback": plan.lookback, "validation_size": plan.validation}
    seed = {"random_state": 0} if models.is_network(model) else {}
    return {**seed, **parameters, **data.keys, **chosen}


def _fit_and_try(report, model, forecaster, data: Data, plan: Plan, keep: Path | None) -> Trial:
    try:
        _fit(report, forecaster, data.rows_before(plan.test_start))
    except Stopped as stopped:
        _stop(report, forecaster, data, keep, stopped.ready)
    trial = try_out(model, forecaster, data, plan)
    say_trial(report, trial)
    return trial


def _fit(report: Report, forecaster, frame: pd.DataFrame) -> None:
    """Fit with a line of progress; the forecaster keeps nothing of it."""
    network = _network(forecaster)
    if network is None:
        _fit_and_say(report, forecaster, frame)
        return
    from forecastkit.cli.progress import Epochs

    with report.live("epoch", "starting") as say:
        progress = Epochs(say)
        network.set_params(callbacks=[progress])
        try:
            forecaster.fit(frame)
        except KeyboardInterrupt:
            raise Stopped(f"the best weights so far, of epoch {progress.best}," if progress.best else "") from None
        finally:
            network.set_params(callbacks=None)


def _fit_and_say(report, forecaster, frame):
    """Fit what has no epochs of its own; ``auto`` says what it tries."""
    says = "verbose" in forecaster.get_params(deep=False) and not report.quiet
    try:
        forecaster.set_params(**({"verbose": 1} if says else {})).fit(frame)
    except KeyboardInterrupt:
        raise Stopped("the members that were ready" if hasattr(forecaster, "history_") else "") from None
    finally:
        forecaster.set_params(**({"verbose": 0} if says else {}))


def _network(forecaster):
    """The forecaster or its first member, where that is trained by epochs; ``auto`` has many trainings."""
    if hasattr(type(forecaster), "leaderboard_"):
        return None
    members = getattr(forecaster, "forecasters", None) or [forecaster]
    return members[0] if "callbacks" in members[0].get_params(deep=False) else None


def _stop(report: Report, forecaster, data: Data, keep: Path | None, ready: str) -> None:
    """After Ctrl-C: keep what is ready where the user said where, and leave."""
    if ready and keep is not None:
        forecaster.update(data.frame).save(keep)
        report.warning(f"stopped: {ready} are in {keep}; they were not tested")
    elif ready:
        report.warning("stopped: nothing was written; with --out FILE the best weights so far are kept")
    else:
        report.warning("stopped before the first epoch was over: nothing was written")
    network = _network(forecaster)
    if ready and network is not None and network.resume is not None:
        report.line("resume", f"the same command goes on from the epochs in {network.resume}")
    raise SystemExit(STOPPED)


@contextlib.contextmanager
def told(report: Report):
    """Warnings of the library as lines of the report; those of others are not for the user."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.filterwarnings("always", category=UserWarning, message=r"(\w+Forecaster|fit): ")
        warnings.showwarning = lambda message, *rest: report.warning(as_flags(str(message)))
        yield


def _say_plan(report: Report, model: str, forecaster, data: Data, plan: Plan) -> None:
    chosen = [model, f"horizon {plan.horizon}", f"lookback {plan.lookback}"]
    network = _network(forecaster)
    if network is not None:
        chosen += [f"patch {_patch(network, data, plan)}", f"random state {network.random_state}"]
    short = "      shorter than usual: rows are few" if plan.shortened else ""
    report.line("chosen", ", ".join(chosen) + short)
    grid = data.panel.grid
    kept = plan.validation if isinstance(plan.validation, int) else round(plan.validation * (plan.rows - plan.test))
    report.line(
        "split",
        f"validation {units(grid, kept)}, test {units(grid, plan.test)}, {plan.cutoffs:,} "
        f"origin{'s' * (plan.cutoffs != 1)}",
    )


def _patch(network, data: Data, plan: Plan) -> int:
    from forecastkit.forecasters.neural import choose_patch

    season = network.season_length or data.panel.grid.seasons[0]
    return network.patch or choose_patch(season, plan.lookback, plan.horizon)


def _plan_dict(forecaster, data: Data, plan: Plan) -> dict:
    return {
        "horizon": forecaster.horizon_,
        "lookback": forecaster.lookback_,
        "season_length": forecaster.season_length_,
        "validation_size": plan.validation,
        "test_size": plan.test,
        "origins": plan.cutoffs,
        "stride": plan.stride,
    }
