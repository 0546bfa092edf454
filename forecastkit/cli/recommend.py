"""``forecast recommend``: a model for a table, with reasons."""

import shlex

from forecastkit.cli.compare import complete_parameters, load_backend, parse_budget, print_comparison
from forecastkit.cli.console import Reporter
from forecastkit.cli.describe_data import print_data, summarize_data
from forecastkit.cli.flags import COLUMN_ROLES
from forecastkit.cli.interrupts import report_interrupt
from forecastkit.cli.options import RecommendOptions
from forecastkit.cli.parameters import parse_parameters
from forecastkit.cli.read_data import Data, name_file_in_errors, read_data
from forecastkit.comparison.recommendation import Recommendation
from forecastkit.utils.time_budget import TimeBudget


def recommend(options: RecommendOptions) -> None:
    """Read the data, choose sizes, run a quick comparison, and print the choice and its reasons."""
    report, budget = Reporter(options.quiet, options.json), TimeBudget(parse_budget(options.budget))
    given = parse_parameters(options.parameters, options.settings)
    data = read_data(options.csv, given)
    print_data(report, data)
    parameters = complete_parameters(data, given, {})
    report.info("settings", f"horizon {parameters['horizon']}")
    with report.library_warnings(), name_file_in_errors(options.csv), report_interrupt(report, None):
        found = _run(report, data, parameters, budget)
    print_comparison(report, found.comparison)
    report.info("choice", found.name, "bold")
    for reason in found.reasons:
        report.info("because", reason)
    report.info("next", command := _next_command(found, options, given))
    report.result({**summarize_data(data), **found.to_dict(), "next": command})


def _run(report: Reporter, data: Data, parameters: dict, budget: TimeBudget) -> Recommendation:
    from forecastkit.comparison.recommendation import recommend

    load_backend(["gru"])
    with report.progress("runs", "starting") as show:
        return recommend(data.panel, budget=budget, **parameters, progress=lambda text: show("runs", text))


def _next_command(found: Recommendation, options: RecommendOptions, given: dict) -> str:
    """Return the command that trains the recommended model."""
    names = [name for name in (*COLUMN_ROLES, "horizon", "lookback") if name in given]
    flags = [f"--{name.replace('_', '-')} {_quote(given[name])}" for name in names]
    tables = [f"--csv {shlex.quote(str(path))}" for path in options.csv]
    return " ".join(["forecast train", *tables, f"--model {found.name}", *flags])


def _quote(value) -> str:
    return shlex.quote(",".join(map(str, value)) if isinstance(value, list) else str(value))
