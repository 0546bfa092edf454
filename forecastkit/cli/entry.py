"""Runs a command: errors that the user can correct are printed as one sentence, without a traceback."""

import contextlib
import functools
import os
import sys

import typer

from forecastkit.cli.app import app
from forecastkit.cli.flags import as_flags
from forecastkit.cli.interrupts import STOPPED, single_interrupts
from forecastkit.utils.estimator import forecast_only
from forecastkit.utils.exceptions import backend_needed


def main(args: list[str] | None = None) -> int:
    """Run the command of the process, or the given one.

    Parameters
    ----------
    args : list of str, optional
        Arguments; by default those of the process.

    Returns
    -------
    int
        Exit code: 0 success, 1 invalid data or model, 2 invalid usage, 130 interrupted by Ctrl-C.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    if args is None and sys.argv[1:2] == ["predict"]:
        forecast_only()
    _replace_unprintable()
    with single_interrupts():
        code = _run(args)
    return _flush(code)


@functools.cache
def _command():
    """Return the app as a typer command, which takes longer to build than to run."""
    return typer.main.get_command(app)


def _run(args) -> int:
    try:
        with backend_needed():
            _command()(args, prog_name="forecast")
    except SystemExit as end:
        return int(end.code or 0)
    except KeyboardInterrupt:
        _report("warning", "stopped")
        return STOPPED
    except BrokenPipeError:
        return 1
    except (ValueError, OSError, MemoryError) as error:
        return _refused(error)
    return 0


def _refused(error: Exception) -> int:
    """Print an error message and return its exit code; other exceptions are raised."""
    from forecastkit.utils.exceptions import InputError, ParameterError

    if isinstance(error, InputError):
        _report("error", as_flags(str(error)))
        return 2 if isinstance(error, ParameterError) else 1
    if isinstance(error, OSError) and error.strerror:
        rule = f"{error.filename}: the file must be accessible" if error.filename else "the output must be written"
        _report("error", f"{rule}, got the error {error.strerror!r}.")
        return 1
    if isinstance(error, MemoryError):
        _report("error", f"memory must suffice for the data and the model, got none left ({error or 'out of memory'}).")
        return 1
    raise error


def _report(kind: str, text: str) -> None:
    from forecastkit.cli.console import Reporter

    getattr(Reporter(), kind)(text)


def _replace_unprintable() -> None:
    """Replace characters that the encoding of a stream lacks by a question mark."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError, ValueError):
            stream.reconfigure(errors="replace")


def _flush(code: int) -> int:
    """Flush the output; a full disk or a closed pipe then gives no traceback either."""
    try:
        sys.stdout.flush()
    except OSError as error:
        with contextlib.suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if not isinstance(error, BrokenPipeError):
            _report("error", f"the output must be written, got the error {error.strerror!r}.")
        return code or 1
    return code
