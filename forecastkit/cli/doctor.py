"""``forecast doctor``: whether this machine can train models, and what prevents it."""

from forecastkit.cli.console import Reporter
from forecastkit.cli.options import DoctorOptions
from forecastkit.diagnostics.machine import Finding, examine
from forecastkit.diagnostics.smoke_test import run_smoke_test
from forecastkit.training.engines import DISTRIBUTIONS, PRECISIONS
from forecastkit.utils.validation import check_choice, check_real

TEST_RUN = "two steps in a separate process ..."


def doctor(options: DoctorOptions) -> None:
    """Examine, train two steps, and print the findings; exit code 1 if training cannot work."""
    check_choice("--distribute", "it", options.distribute, DISTRIBUTIONS)
    check_choice("--precision", "it", options.precision, (None, *PRECISIONS))
    check_real("--timeout", "it", options.timeout, 1.0, 86400.0)
    report = Reporter(json=options.json)
    findings = examine()
    for finding in findings:
        _print(report, finding)
    if options.run and not any(finding.prevents for finding in findings):
        with report.progress("test run", TEST_RUN) as show:
            show("test run", TEST_RUN)
            more = run_smoke_test(options.distribute, options.precision, options.timeout)
        for finding in more:
            _print(report, finding)
        findings += more
    prevented = any(finding.prevents for finding in findings)
    report.result({"works": not prevented, "findings": [vars(finding) for finding in findings]})
    if prevented:
        raise SystemExit(1)


def _print(report: Reporter, finding: Finding) -> None:
    report.info(finding.subject, finding.text, "red" if finding.prevents else "")
    if finding.remedy:
        report.info("", finding.remedy, "yellow")
