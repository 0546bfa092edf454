"""``forecast doctor``: what this machine has for training, and what stands in the way."""

from forecastkit.cli.console import Report
from forecastkit.diagnostics.machine import Finding, examine
from forecastkit.diagnostics.smoke_test import rehearse
from forecastkit.training.engines import DISTRIBUTIONS, PRECISIONS
from forecastkit.utils.validation import check_choice, check_real


def doctor(distribute, precision, timeout, run, json) -> None:
    """Look, train two steps, and say what was found; code 1 where training cannot work."""
    check_choice("--distribute", "it", distribute, DISTRIBUTIONS)
    check_choice("--precision", "it", precision, (None, *PRECISIONS))
    check_real("--timeout", "it", timeout, 1.0, 86400.0)
    report = Report(json=json)
    findings = examine()
    for finding in findings:
        _say(report, finding)
    if run and not any(finding.prevents for finding in findings):
        with report.live("dry run", "two steps in a process of their own ...") as say:
            say("dry run", "two steps in a process of their own ...")
            more = rehearse(distribute, precision, timeout)
        for finding in more:
            _say(report, finding)
        findings += more
    prevented = any(finding.prevents for finding in findings)
    report.result({"works": not prevented, "findings": [vars(finding) for finding in findings]})
    if prevented:
        raise SystemExit(1)


def _say(report: Report, finding: Finding) -> None:
    label, style = finding.subject, "red" if finding.prevents else ""
    report.line(label, finding.text, style)
    if finding.remedy:
        report.line("", finding.remedy, "yellow")
