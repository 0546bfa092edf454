"""What the command line prints."""

import json

import numpy as np
from rich.console import Console

from forecastkit.cli.console import Reporter
from forecastkit.utils.formatting import decimals, minutes_and_seconds, number, percent


def test_number_formatting():
    assert [number(1234.567, 1), number(np.nan), number(None)] == ["1,234.6", "-", "-"]
    assert [decimals([1102.3, 3.1]), decimals([0.0123]), decimals([np.nan]), decimals([41.2])] == [0, 4, 0, 1]
    assert [percent(0.789), percent(np.nan), minutes_and_seconds(52.9), minutes_and_seconds(3725)] == [
        "79 %",
        "-",
        "00:52",
        "62:05",
    ]


def test_json_has_no_nan(capsys):
    Reporter(json=True).result({"a": np.float64("nan"), "b": [np.int64(1), float("inf")], "c": ("ü",)})
    assert json.loads(capsys.readouterr().out) == {"a": None, "b": [1, None], "c": ["ü"]}


def test_long_lines_are_indented_behind_their_label(capsys):
    report = Reporter()
    report.out = Console(force_terminal=True, width=60, color_system=None, soft_wrap=True)
    report.info("target", "word " * 20)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) > 1
    assert "target" in lines[0]
    assert lines[1].startswith(" " * 9 + "word")
