"""``forecast recommend``: a model for a table, with reasons."""

import shlex

from forecastkit.cli import models as registry
from forecastkit.cli.compare import complete, load_backend, say, stops
from forecastkit.cli.console import Report
from forecastkit.cli.describe_data import data_dict, say_data
from forecastkit.cli.flags import ROLES
from forecastkit.cli.read_data import about, read_data
from forecastkit.cli.train import told
from forecastkit.comparison.recommendation import Recommendation
from forecastkit.data.files.multiple import listed
from forecastkit.evaluation.time_budget import Budget, seconds_of


def recommend(csv, budget, parameters, settings, json, quiet) -> None:
    """Read, choose sizes, compare quickly, say the choice and its reasons."""
    report, begun = Report(quiet, json), Budget(seconds_of(budget, "--budget"))
    given = registry.read_flags(parameters, settings)
    data = read_data(csv, {name: given[name] for name in given if name in ROLES})
    say_data(report, data)
    parameters = complete(data, given, {})
    report.line("chosen", f"horizon {parameters['horizon']}, lookback {parameters['lookback']}")
    with told(report), about(csv), stops(report, None):
        found = _run(report, data, parameters, begun)
    say(report, found.comparison)
    report.line("choice", found.name, "bold")
    for reason in found.reasons:
        report.line("because", reason)
    report.line("next", command := _next(found, csv, given))
    report.result({**data_dict(data), **found.to_dict(), "next": command})


def _run(report: Report, data, parameters: dict, budget: Budget) -> Recommendation:
    from forecastkit.comparison.recommendation import recommend

    load_backend(["gru"])
    with report.live("runs", "starting") as show:
        return recommend(data.frame, budget=budget, **parameters, progress=lambda text: show("runs", text))


def _next(found: Recommendation, csv, given: dict) -> str:
    """The command that trains what was chosen."""
    roles = [
        f"--{name.replace('_', '-')} {_text(given[name])}" for name in (*ROLES, "horizon", "lookback") if name in given
    ]
    return " ".join(
        [
            "forecast train",
            *(f"--csv {shlex.quote(str(path))}" for path in listed(csv)),
            f"--model {found.name}",
            *roles,
        ]
    )


def _text(value) -> str:
    return shlex.quote(",".join(map(str, value)) if isinstance(value, list) else str(value))
