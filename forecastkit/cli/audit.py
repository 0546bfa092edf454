"""``forecast audit``: whether forecasts of a model change when what comes after them does."""

from forecastkit.auditing import Audit
from forecastkit.auditing import audit as run_audit
from forecastkit.checks import InputError
from forecastkit.cli import models, subject
from forecastkit.cli.data import about
from forecastkit.cli.train import told
from forecastkit.report import Report


def audit(artifact, csv, model, parameters, settings, start, json, quiet) -> None:
    """Audit a saved model, or one that is fitted here, and print the findings; a leak is a refusal."""
    report = Report(quiet, json)
    parameters = models.read_flags(parameters, settings)
    subject.check_subject("audit", artifact, model, parameters)
    with told(report), about(csv):
        if artifact is not None:
            forecaster, X, y = subject.saved(artifact, csv)
        else:
            forecaster, data, plan = subject.fresh(report, csv, model, parameters)
            X, y = data.frame, None
            start = start or data.panel.grid.stamps([plan.test_start])[0]
        found = run_audit(forecaster, X, y, start=subject.position(start) if isinstance(start, str) else start)
    _say(report, found)
    report.result({"passed": found.passed, "findings": found.findings.to_dict(orient="records")})
    if not found.passed:
        leaks = found.findings.loc[~found.findings["passed"], "changed"]
        raise InputError(f"audit: forecasts must not depend on what comes after them, got a change by {leaks.iloc[0]}.")


def _say(report: Report, found: Audit) -> None:
    rows = [(f"{row.check}: {row.changed}", "ok" if row.passed else "LEAK") for row in found.findings.itertuples()]
    report.table("audit", ("result",), rows)
    report.line("verdict", "no forecast depends on what comes after it" if found.passed else "leaks were found")
