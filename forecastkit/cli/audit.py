"""``forecast audit``: whether forecasts of a model change when what comes after them does."""

from forecastkit.cli import model_source, models
from forecastkit.cli.console import Report
from forecastkit.cli.read_data import about
from forecastkit.cli.train import told
from forecastkit.inspection.lookahead_audit import Audit
from forecastkit.inspection.lookahead_audit import audit as run_audit
from forecastkit.utils.exceptions import InputError


def audit(artifact, csv, model, parameters, settings, start, json, quiet) -> None:
    """Audit a saved model, or one that is fitted here, and print the findings; a leak is a refusal."""
    report = Report(quiet, json)
    parameters = models.read_flags(parameters, settings)
    model_source.check_subject("audit", artifact, model, parameters)
    with told(report), about(csv):
        if artifact is not None:
            forecaster, X, y = model_source.saved(artifact, csv)
        else:
            forecaster, data, plan = model_source.fresh(report, csv, model, parameters)
            X, y = data.frame, None
            start = start or data.panel.grid.timestamps([plan.test_start])[0]
        found = run_audit(forecaster, X, y, start=model_source.position(start) if isinstance(start, str) else start)
    _say(report, found)
    report.result({"passed": found.passed, "findings": found.findings.to_dict(orient="records")})
    if not found.passed:
        leaks = found.findings.loc[~found.findings["passed"], "changed"]
        raise InputError(f"audit: forecasts must not depend on what comes after them, got a change by {leaks.iloc[0]}.")


def _say(report: Report, found: Audit) -> None:
    rows = [(f"{row.check}: {row.changed}", "ok" if row.passed else "LEAK") for row in found.findings.itertuples()]
    report.table("audit", ("result",), rows)
    report.line("verdict", "no forecast depends on what comes after it" if found.passed else "leaks were found")
