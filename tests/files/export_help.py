"""What the tests of exports share: made-up values, and what `forecast inspect` says of a table."""

import json

import numpy as np
import pandas as pd

from forecastkit.cli import main

DAYS = pd.date_range("2023-01-01", periods=60)
MONTHS = pd.date_range("2019-01-01", periods=48, freq="MS")
RNG = np.random.default_rng(0)
VALUES = RNG.integers(1000, 9000, 60)


def lines(*parts) -> str:
    return "\n".join(parts) + "\n"


def inspected(text, tmp_path, capsys) -> dict:
    """The JSON of `forecast inspect` of a file with this text."""
    path = tmp_path / "export.csv"
    path.write_text(text, encoding="utf-8")
    assert main(["inspect", str(path), "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def said_of(text, tmp_path, capsys):
    """The output of `forecast inspect` of a file with this text."""
    path = tmp_path / "export.csv"
    path.write_text(text, encoding="utf-8")
    assert main(["inspect", str(path)]) == 0
    return capsys.readouterr()
