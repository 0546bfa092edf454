"""The file of JSON lines to which AutoForecaster appends its trials."""

import json
import os
from pathlib import Path

from forecastkit.auto.candidates import WHERE
from forecastkit.utils.exceptions import ParameterError
from forecastkit.utils.formatting import json_value
from forecastkit.utils.validation import refuse


def check_trials_file(path) -> None:
    """Refuse a path that cannot store trials; nothing is created or changed.

    Raises
    ------
    InputError
        If the file has other content.
    ParameterError
        If the path cannot be written.
    """
    try:
        path = Path(path)
        if path.exists():
            with open(path, "rb+") as file:
                first = file.readline()
            if first and not _is_trial(first):
                refuse(WHERE, "path must be a file that AutoForecaster wrote, or a new one", repr(str(path)))
        elif not os.access(path.parent, os.W_OK):
            raise FileNotFoundError(f"no folder {str(path.parent)!r} that can be written")
    except (OSError, TypeError) as error:
        _refuse_path(path, error)


def _is_trial(line: bytes) -> bool:
    try:
        return {"forecaster", "fold", "score"} <= set(json.loads(line))
    except (ValueError, TypeError, RecursionError):
        return False


def append_line(path, values: dict) -> None:
    """Append values to a file as a JSON line."""
    try:
        with open(path, "a", encoding="utf-8") as file:
            file.write(json.dumps(json_value(values)) + "\n")
    except OSError as error:
        _refuse_path(path, error)


def _refuse_path(path, error):
    refuse(WHERE, "path must be a file that can be written", f"{path!r} ({error})", error=ParameterError)
