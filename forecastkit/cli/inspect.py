"""``forecast inspect``: describes a saved model, or what is detected in a table. TensorFlow is not imported."""

import zipfile
from pathlib import Path

import numpy as np

from forecastkit.cli.console import Reporter
from forecastkit.cli.describe_data import print_data, summarize_data
from forecastkit.cli.options import InspectOptions
from forecastkit.cli.parameters import parse_parameters
from forecastkit.cli.read_data import read_data
from forecastkit.data.files.multiple import TABLES
from forecastkit.data.schema import as_names
from forecastkit.data.sizes import choose_horizon, choose_lookback
from forecastkit.persistence.artifact import describe
from forecastkit.utils.formatting import coverage_text, decimals, number, percent
from forecastkit.utils.validation import first_few


def inspect(options: InspectOptions) -> None:
    """Describe a file."""
    report, path = Reporter(json=options.json), options.file
    if is_table(path):
        data = read_data(path, parse_parameters(options.parameters, ()))
        print_data(report, data)
        horizon = choose_horizon(None, None, data.panel, data.panel.schema)
        lookback = choose_lookback(horizon, data.panel.grid.seasons, int(data.lengths.max()))
        report.info("usual", f"horizon {horizon}, lookback {lookback}      next: forecast train --csv {path}")
        usual = {"horizon": horizon, "lookback": lookback}
        report.result({"kind": "table", **summarize_data(data), "usual": usual})
        return
    model = describe(path)
    _print_model(report, model)
    report.result({"kind": "model", "file": str(path), **model})


def is_table(path: Path) -> bool:
    """Return whether a file is read as a table: by its suffix, or because it is not a zip file."""
    return path.suffix.lower() in TABLES or not path.is_file() or not zipfile.is_zipfile(path)


def _print_model(report: Reporter, model: dict) -> None:
    report.info("model", f"{model['class']}, {sum(model['bytes'].values()) / 1e6:.1f} MB")
    roles = "      ".join(f"{role}  {first_few(model[role], 8)}" for role in ("known", "past", "static") if model[role])
    report.info("target", first_few(model["target"], 8) + (f"      {roles}" if roles else ""))
    if model["series_id"] is not None:
        report.info("series", f"{', '.join(as_names(model['series_id']))}: {model['series']:,}")
    until = model["cutoff"].removesuffix(" 00:00:00")
    time = [model["time"], model["freq"]] if model["time"] else [model["freq"]]
    report.info("time", f"{', '.join(time)}, history to {until}")
    report.info(
        "settings", f"horizon {model['horizon']}, lookback {model['lookback']}, season {model['season_length']}"
    )
    if training := model.get("training"):
        epochs, best = len(training["loss"]), training["best_epoch"] + 1
        said = f"best {best}" if best else "none better than the linear forecast"
        report.info("trained", f"{epochs} epochs, {said}, {training['seconds']:.0f} s")
    _print_scores(report, model["scores"])
    report.info("versions", ", ".join(f"{name} {version}" for name, version in model["versions"].items()))


def _print_scores(report: Reporter, scores: dict) -> None:
    """Print the test scores of ``forecast train``, or those of the validation block."""
    if test := scores.get("test", {}).get("test"):
        places = decimals([row["mae"] for row in test.values()])
        rows = [
            (name, number(row["mae"], places), number(_float(row["mase"])), percent(_float(row["coverage"])))
            for name, row in test.items()
        ]
        report.table("test", ("MAE", "MASE", "80 % interval holds"), rows)
        if held := coverage_text(scores["test"].get("coverage", [])):
            report.info("coverage", held)
    elif skill := scores.get("skill_seasonal_naive"):
        report.info("skill", f"{percent(skill)} smaller error than the seasonal naive forecast on the validation rows")


def _float(value) -> float:
    return np.nan if value is None else float(value)
