"""``forecast audit``: checks whether forecasts of a model depend on data after their cutoff."""

from forecastkit.cli import load_or_fit
from forecastkit.cli.console import Reporter
from forecastkit.cli.options import AuditOptions
from forecastkit.cli.parameters import parse_parameters
from forecastkit.cli.read_data import name_file_in_errors
from forecastkit.inspection.lookahead_audit import Audit
from forecastkit.inspection.lookahead_audit import audit as run_audit
from forecastkit.utils.exceptions import InputError


def audit(options: AuditOptions) -> None:
    """Audit a saved or newly fitted model and print the findings; a leak is an error."""
    report = Reporter(options.quiet, options.json)
    parameters = parse_parameters(options.parameters, options.settings)
    load_or_fit.check_model_source("audit", options.artifact, options.model, parameters)
    start = load_or_fit.parse_start(options.start)
    with report.library_warnings(), name_file_in_errors(options.csv):
        if options.artifact is not None:
            forecaster, X, y = load_or_fit.load_with_data(options.artifact, options.csv)
        else:
            forecaster, data, sizes = load_or_fit.make_with_data(report, options.csv, options.model, parameters)
            X, y = data.frame, None
            start = data.panel.grid.timestamps([sizes.test_start.max()])[0] if start is None else start
        found = run_audit(forecaster, X, y, start=start)
    _print(report, found)
    report.result({"passed": found.passed, "findings": found.findings.to_dict(orient="records")})
    if not found.passed:
        leaks = found.findings.loc[~found.findings["passed"], "changed"]
        raise InputError(f"audit: forecasts must not depend on later data, got a change by {leaks.iloc[0]}.")


def _print(report: Reporter, found: Audit) -> None:
    rows = [(f"{row.check}: {row.changed}", "ok" if row.passed else "LEAK") for row in found.findings.itertuples()]
    report.table("audit", ("result",), rows)
    report.info("verdict", "no forecast depends on later data" if found.passed else "leaks were found")
