"""Ctrl-C in work that is saved piece by piece."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from forecastkit.cli.console import Reporter
from forecastkit.cli.interrupts import STOPPED


@contextmanager
def report_interrupt(report: Reporter, run_log: Path | None) -> Iterator[None]:
    """After Ctrl-C, print where finished work is saved, and exit."""
    try:
        yield
    except KeyboardInterrupt:
        saved = (
            f"finished runs are in {run_log}; the same command continues from there" if run_log else "nothing is saved"
        )
        report.warning(f"stopped: {saved}")
        raise SystemExit(STOPPED) from None
