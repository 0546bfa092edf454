"""The largest deviation of exported graphs from `predict`, for every network, several kinds of data and all formats.

Each network is fitted for one epoch on each of three data sets and exported; the graph gets the last window of every
series. A line of the results holds the largest deviation of points and of quantiles, divided by the standard deviation
of the series, or the sentence of a refusal. ``--page`` puts the table into a page of the docs. Lines of the results
that exist are not computed again.
"""

import argparse
import json
import os
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd

FORMATS = ("onnx", "saved_model", "litert")
HEADING = "### Deviations of exported graphs"
SMALL = {"horizon": 6, "lookback": 24, "epochs": 1, "windows_per_epoch": 64, "batch_size": 32,
         "random_state": 0}  # fmt: skip


# Data sets ------------------------------------------------------------------------------------------------------------


def series() -> tuple[pd.DataFrame, None, dict]:
    """One complete series; quantiles come from residuals."""
    return waves(1), None, {"normalization": "standard", "linear_path": False}


def channels() -> tuple[pd.DataFrame, None, dict]:
    """Three targets, of which one is constant, with gaps, a calendar and an embedding of the series."""
    rows = waves(2).assign(same=5.0)
    rows[np.arange(len(rows)) % 7 == 0] = np.nan
    return rows, None, {"calendar": True, "embed_series": True, "calibrate": True, "linear_path": False}


def covariates() -> tuple[pd.DataFrame, pd.DataFrame, dict]:
    """Three series with gaps, covariates of all roles, categories of few and many levels, a transform and a bound."""
    parts, ahead = [], []
    for number, name in enumerate("abc"):
        count = 240 - 20 * number
        rng = np.random.default_rng(number)
        frame = pd.DataFrame({
            "unique_id": name,
            "ds": pd.date_range("2024-01-01", periods=count, freq="h"),
            "temp": rng.normal(20, 5, count),
            "kind": rng.choice(["open", "half", "shut"], count),
            "place": [f"p{level}" for level in rng.integers(0, 20, count)],
            "wind": rng.normal(size=count),
            "size": float(number),
            "group": f"g{number}",
        })  # fmt: skip
        frame["load"] = (50 + 10 * waves(1, count)["y0"].to_numpy() + frame["temp"]) * 10.0**number
        ahead.append(frame.tail(6).drop(columns=["load", "wind"]))
        frame.loc[[30, 31, 32, count - 9], "load"] = np.nan
        frame.loc[[40, 41], ["temp", "wind"]] = np.nan
        parts.append(frame.drop(index=range(60, 66)).iloc[:-6])
    roles = {"target": "load", "known": ["temp", "kind", "place"], "past": "wind", "static": ["size", "group"]}
    more = {"quantile_levels": [0.1, 0.5, 0.9], "calibrate": True, "target_transform": "log1p", "upper": 9e4}
    return pd.concat(parts), pd.concat(ahead), {**roles, **more}


CASES = {"series": series, "channels": channels, "covariates": covariates}


def waves(count: int, rows: int = 240) -> pd.DataFrame:
    """Hourly series with a daily season and noise."""
    rng = np.random.default_rng(0)
    season = np.sin(2 * np.pi * np.arange(rows) / 24)
    values = {f"y{i}": 10.0**i * (2 + season + rng.normal(0, 0.2, rows)) for i in range(count)}
    return pd.DataFrame(values, index=pd.date_range("2024-01-01", periods=rows, freq="h", name="time"))


# Windows and forecasts ------------------------------------------------------------------------------------------------


def raw_windows(model, panel, lookback: int) -> dict[str, np.ndarray]:
    """Return the last window of every series of a panel, with its horizon, as the exported graph takes them."""
    from forecastkit.features.calendar import calendar_table

    last = panel.last_observed()
    past = last[:, None] + np.arange(1 - lookback, 1)
    before = past < panel.indptr[:-1, None]  # the window of a short series begins with missing values
    past = np.maximum(past, 0)
    steps = np.clip(last[:, None] + np.arange(1 - lookback, model.horizon_ + 1), 0, panel.rows - 1)
    first = panel.ordinal_at(np.arange(len(last)), last) - lookback + 1
    calendar = [calendar_table(panel.grid, int(at), steps.shape[1], model.scaler_.calendar) for at in first]
    target = np.where(before[..., None], np.nan, panel.target[past].astype("float64"))
    found = {
        "target": target[..., 0] if panel.channels == 1 else target,
        "calendar": np.stack(calendar),
        "series": np.arange(len(last)),
    }
    for role, values in (("past", panel.past[past]), ("known", panel.known[steps]), ("static", panel.static)):
        numeric = values.shape[-1] - len(model.scaler_.met.get(role, ()))
        found[role], found[f"{role}_codes"] = values[..., :numeric], np.nan_to_num(values[..., numeric:])
    return found


def forecast_arrays(model, frame: pd.DataFrame, description: dict) -> tuple[np.ndarray, np.ndarray]:
    """Return the points and quantiles of a long frame with the axes of the exported graph."""
    count, targets = len(model.history_.ids), model.history_.channels
    levels = description["outputs"].get("quantiles", {}).get("levels", [])
    values = frame[["forecast", *(f"q{level:g}" for level in levels)]].to_numpy()
    values = values.reshape(count, targets, model.horizon_, -1).transpose(0, 2, 1, 3)
    values = values[:, :, 0] if targets == 1 else values
    return values[..., 0], values[..., 1:]


def run_graph(path: Path, description: dict, given: dict[str, np.ndarray]) -> list[np.ndarray]:
    """Return the outputs of an exported graph."""
    outputs = list(description["outputs"])
    if description["format"] == "onnx":
        import onnxruntime

        return onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"]).run(outputs, given)
    import tensorflow as tf

    if description["format"] == "saved_model":
        signature = tf.saved_model.load(str(path)).signatures["serving_default"]
        found = signature(**{name: tf.constant(values) for name, values in given.items()})
        return [found[name].numpy() for name in outputs]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # TensorFlow deprecates its interpreter
        signature = tf.lite.Interpreter(str(path)).get_signature_runner("serving_default")
    rows = [
        signature(**{name: values[i : i + 1] for name, values in given.items()}) for i in range(len(given["target"]))
    ]
    return [np.concatenate([row[name] for row in rows]) for name in outputs]


def deviations(model, future: pd.DataFrame | None, format: str, path: Path) -> dict:
    """Export a fitted model and return the largest deviations of its graph, relative to the scale of each series."""
    from forecastkit.forecasters.future_rows import read_rows_to_forecast

    began = time.perf_counter()
    model.export(path, format=format)
    seconds = time.perf_counter() - began
    description = json.loads(Path(f"{path}.json").read_text(encoding="utf-8"))
    panel = (
        model.history_
        if future is None
        else read_rows_to_forecast("export", model.schema_, model.history_, future, None)[1]
    )
    raw = raw_windows(model, panel, description["lookback"])
    given = {name: raw[name].astype(item["type"]) for name, item in description["inputs"].items()}
    levels = description["outputs"].get("quantiles", {}).get("levels", ())
    expected = forecast_arrays(model, model.forecast(future, quantile_levels=levels), description)
    rows = [slice(*model.history_.indptr[[e, e + 1]]) for e in range(len(model.history_.ids))]
    scale = np.stack([np.nanstd(model.history_.target[part].astype("float64"), axis=0) for part in rows])
    scale = np.where(scale == 0, 1.0, scale)
    scale = scale[:, :1] if model.history_.channels == 1 else scale[:, None]
    found = {"seconds": round(seconds, 1), "bytes": size_of(path)}
    for name, got, own in zip(description["outputs"], run_graph(path, description, given), expected, strict=False):
        error = np.abs(got - own) / (scale if name == "forecast" else scale[..., None])
        found[name] = float(f"{error.max():.1e}")
    return found


def size_of(path: Path) -> int:
    """Return the bytes of a file, or of all files of a folder."""
    return sum(file.stat().st_size for file in (path.rglob("*") if path.is_dir() else [path]) if file.is_file())


# Table ----------------------------------------------------------------------------------------------------------------


def table(lines: list[dict]) -> pd.DataFrame:
    """Return the largest deviation of a network's points and quantiles by data set and format."""
    cells = pd.DataFrame([
        {
            "network": line["network"],
            "column": f"{line['format']}, {line['case']}",
            "shown": "refused" if "refused" in line else f"{max(line['forecast'], line.get('quantiles', 0)):.0e}",
        }
        for line in lines
    ])  # fmt: skip
    wide = cells.pivot(index="network", columns="column", values="shown")
    order = [f"{format}, {case}" for format in FORMATS for case in CASES]
    return wide.reindex(columns=[name for name in order if name in wide]).fillna("").reset_index()


def main(argv: list[str] | None = None) -> None:
    """Measure what is not measured yet, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", help="comma-separated names, default: all")
    parser.add_argument("--cases", default=",".join(CASES), help="comma-separated data sets")
    parser.add_argument("--formats", default=",".join(FORMATS), help="comma-separated formats")
    parser.add_argument("--out", type=Path, help="JSON lines, which are extended")
    parser.add_argument("--page", type=Path, help="put the table of all lines into this page")
    args = parser.parse_args(argv)
    lines = []
    if args.out and args.out.exists():
        lines = [json.loads(line) for line in args.out.read_text(encoding="utf-8").splitlines()]
    for line in measured(args, {(line["network"], line["case"], line["format"]) for line in lines}):
        lines.append(line)
        print(json.dumps(line), flush=True)
        if args.out:
            with args.out.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")
    if args.page:
        from table import markdown, rewritten

        text = args.page.read_text(encoding="utf-8")
        args.page.write_text(rewritten(text, HEADING, markdown(table(lines))), encoding="utf-8")


def measured(args: argparse.Namespace, known: set[tuple]):
    """Yield a line for each network, data set and format that is not known."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import forecastkit as fk
    from forecastkit.networks import backbones
    from forecastkit.utils.exceptions import InputError

    for name in args.networks.split(",") if args.networks else backbones.names():
        for case in args.cases.split(","):
            formats = [format for format in args.formats.split(",") if (name, case, format) not in known]
            if not formats:
                continue
            rows, future, options = CASES[case]()
            model = fk.KerasForecaster(backbone=backbones.find(name)(units=8), **SMALL, **options).fit(rows)
            for format in formats:
                line = {"network": name, "case": case, "format": format}
                with tempfile.TemporaryDirectory() as folder:
                    try:
                        yield line | deviations(model, future, format, Path(folder) / "model")
                    except InputError as error:
                        yield line | {"refused": str(error)}


if __name__ == "__main__":
    main()
