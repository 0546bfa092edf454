"""Handling of Ctrl-C."""

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from forecastkit.cli.console import Reporter

#: Exit code of a command stopped by Ctrl-C.
STOPPED = 130
#: Seconds during which further interrupts are ignored.
SECONDS = 1.0


@contextmanager
def single_interrupts() -> Iterator[None]:
    """Raise KeyboardInterrupt at the first Ctrl-C, ignore others for a second, and raise it at a later one.

    Two interrupts in quick succession count once, so that saving is not interrupted. This applies only in the main
    thread and with Python's default handler.
    """
    default = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if threading.current_thread() is not threading.main_thread() or not default:
        yield
        return
    last = [-SECONDS]

    def handle(number, frame):
        now = time.monotonic()
        if now - last[0] >= SECONDS:
            last[0] = now
            raise KeyboardInterrupt

    signal.signal(signal.SIGINT, handle)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@contextmanager
def exit_on_interrupt(report: "Reporter") -> Iterator[None]:
    """After Ctrl-C, say that nothing was written, and exit."""
    try:
        yield
    except KeyboardInterrupt:
        report.warning("stopped: nothing was written")
        raise SystemExit(STOPPED) from None


@contextmanager
def report_interrupt(report: "Reporter", run_log: Path | None) -> Iterator[None]:
    """After Ctrl-C, print where finished work is saved, and exit."""
    try:
        yield
    except KeyboardInterrupt:
        saved = (
            f"finished runs are in {run_log}; the same command continues from there" if run_log else "nothing is saved"
        )
        report.warning(f"stopped: {saved}")
        raise SystemExit(STOPPED) from None
