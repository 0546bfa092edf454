"""``forecast inspect``: what is in a model, or what is found in a table. Loads no TensorFlow."""

import zipfile
from pathlib import Path

import numpy as np

from forecastkit.cli.console import Report
from forecastkit.cli.describe_data import data_dict, say_data
from forecastkit.cli.models import read_flags
from forecastkit.cli.read_data import read_data
from forecastkit.data.files.multiple import TABLES
from forecastkit.persistence.artifact import describe
from forecastkit.utils.formatting import decimals, number, ranges, share
from forecastkit.utils.validation import some


def inspect(path: Path, roles: dict, json: bool) -> None:
    """Say what a file is."""
    report = Report(json=json)
    if is_table(path):
        data = read_data(path, read_flags(roles, ()))
        say_data(report, data)
        horizon, lookback = data.panel.grid.usual_sizes
        report.line("usual", f"horizon {horizon}, lookback {lookback}      next: forecast train --csv {path}")
        report.result({"kind": "table", **data_dict(data), "usual": {"horizon": horizon, "lookback": lookback}})
        return
    model = describe(path)
    _say_model(report, path, model)
    report.result({"kind": "model", "file": str(path), **model})


def is_table(path: Path) -> bool:
    """Whether a file is to be read as a table: by its name, else because it is no zip."""
    return path.suffix.lower() in TABLES or not path.is_file() or not zipfile.is_zipfile(path)


def _say_model(report: Report, path: Path, model: dict) -> None:
    report.line("model", f"{model['class']}, {sum(model['bytes'].values()) / 1e6:.1f} MB")
    roles = "      ".join(f"{role}  {some(model[role], 8)}" for role in ("known", "past", "static") if model[role])
    report.line("target", some(model["target"], 8) + (f"      {roles}" if roles else ""))
    if model["series_id"] is not None:
        report.line("series", f"{model['series_id']}: {model['series']:,}")
    until = model["cutoff"].removesuffix(" 00:00:00")
    report.line("time", f"{model['time'] or 'by row'}, {model['freq']}, history to {until}")
    report.line("chosen", f"horizon {model['horizon']}, lookback {model['lookback']}, season {model['season_length']}")
    if training := model.get("training"):
        epochs, best = len(training["loss"]), training["best_epoch"] + 1
        report.line("trained", f"{epochs} epochs, best {best}, {training['seconds']:.0f} s")
    _say_scores(report, model["scores"])
    report.line("made by", ", ".join(f"{name} {version}" for name, version in model["versions"].items()))


def _say_scores(report: Report, scores: dict) -> None:
    """The scores of the test that ``forecast train`` made, else those of the validation block."""
    if test := scores.get("test", {}).get("test"):
        places = decimals([row["mae"] for row in test.values()])
        rows = [
            (name, number(row["mae"], places), number(_float(row["mase"])), share(_float(row["coverage"])))
            for name, row in test.items()
        ]
        report.table("test", ("MAE", "MASE", "in 80 % range"), rows)
        if held := ranges(scores["test"].get("coverage", [])):
            report.line("ranges", held)
    elif skill := scores.get("skill_seasonal_naive"):
        report.line("skill", f"{share(skill)} less error than seasonal naive on the validation rows")


def _float(value) -> float:
    return np.nan if value is None else float(value)
