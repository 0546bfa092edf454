"""Accuracy under the fair long-horizon protocol: one JSON line per model and seed, see README.md in this folder.

Columns are standardised by the mean and standard deviation of the training rows. A model is fitted on training and
validation rows, told how many of them are for validation, and forecasts every window of the test rows, stride 1.
"""

import argparse
import ast
import hashlib
import json
import os
import platform
import re
import subprocess
import sys
import time
from importlib import metadata
from pathlib import Path

import numpy as np
import pandas as pd

PACKAGES = ("forecastkit", "keras", "tensorflow", "tensorflow-cpu", "numpy", "pandas", "scikit-learn")
IDENTITY = ("sha256", "split", "model", "seed", "horizon", "lookback", "parameters")


class Task:
    """A file, its split in rows, and the sizes of the windows.

    Attributes
    ----------
    values : DataFrame of shape (train + validation + test, C)
        Standardised by the training rows.
    actual : ndarray of shape (windows, C, horizon)
        What every test window should have forecast.
    """

    def __init__(self, path: Path, split: tuple[int, int, int], horizon: int, lookback: int):
        self.path, self.split, self.horizon, self.lookback = path, split, horizon, lookback
        self.sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
        self.values = standardise(read(path), split)
        rows = np.lib.stride_tricks.sliding_window_view(self.values.to_numpy(), horizon, axis=0)
        self.actual = rows[split[0] + split[1] :]

    def about(self) -> dict:
        """What identifies the task in a line of results."""
        return {
            "dataset": self.path.name.split(".")[0],
            "sha256": self.sha256,
            "split": list(self.split),
            "horizon": self.horizon,
            "lookback": self.lookback,
        }

    def errors(self, forecast: np.ndarray) -> dict:
        """Mean squared and absolute error over all windows, channels and steps."""
        error = forecast.astype("float64") - self.actual
        return {"mse": float((error**2).mean()), "mae": float(np.abs(error).mean()), "windows": len(error)}


def read(path: Path) -> pd.DataFrame:
    """A file whose first column is the time, the others the series."""
    frame = pd.read_csv(path)
    time_column = frame.columns[0]
    frame[time_column] = pd.to_datetime(frame[time_column])
    return frame.set_index(time_column).astype("float64")


def standardise(frame: pd.DataFrame, split: tuple[int, int, int]) -> pd.DataFrame:
    """Only the rows of the split, each column minus its training mean, over its training deviation."""
    if len(frame) < sum(split):
        sys.exit(f"the split {split} needs {sum(split)} rows, the file has {len(frame)}")
    train = frame.iloc[: split[0]]
    return (frame.iloc[: sum(split)] - train.mean()) / train.std(ddof=0).replace(0.0, 1.0)


def forecaster(name: str, task: Task, seed: int | None, settings: dict):
    """The forecaster of this name with the library's defaults, apart from the sizes and what was asked for."""
    own = parameters(name, settings)
    seeded = {} if seed is None else {"random_state": seed}
    sizes = {"horizon": task.horizon, "lookback": task.lookback, "validation_size": task.split[1]}
    return as_it_is(name).set_params(**sizes, **own, **seeded)


def as_it_is(name: str):
    """The forecaster of this name with nothing but the library's defaults; what is tuned is a GRU."""
    import forecastkit as fk

    given = [fk.GRUForecaster()] if name == "tuned" else []
    return getattr(fk, class_name(name))(*given)


def class_name(name: str) -> str:
    """The public class: 'lstm_transformer' is LSTMTransformerForecaster, 'seasonal_naive' SeasonalNaiveForecaster."""
    from forecastkit.networks import backbones

    stem = backbones.class_names().get(name) or "".join(part.capitalize() for part in name.split("_"))
    return f"{stem}Forecaster"


def has_seed(name: str) -> bool:
    return "random_state" in as_it_is(name).get_params(deep=False)


def parameters(name: str, settings: dict) -> dict:
    """Those of the settings that this model has."""
    known = as_it_is(name).get_params(deep=False)
    return {key: value for key, value in settings.items() if key in known}


def measure(task: Task, name: str, seed: int | None, settings: dict) -> tuple[dict, np.ndarray]:
    """Fit one model and forecast every test window: a line of results and the forecasts (windows, C, horizon)."""
    import forecastkit as fk

    first = task.split[0] + task.split[1]
    model = forecaster(name, task, seed, settings)
    began = time.perf_counter()
    model.fit(task.values.iloc[:first])
    fitted = time.perf_counter()
    table = fk.backtest(model, task.values, start=first, stride=1).forecasts
    seconds = {"fit_seconds": round(fitted - began, 2), "backtest_seconds": round(time.perf_counter() - fitted, 2)}
    forecast = cube(table, task)
    return {**task.errors(forecast), **seconds, **trained(model)}, forecast


def cube(table: pd.DataFrame, task: Task) -> np.ndarray:
    """The long table as (windows, C, horizon); every cell must be there, once, beside the right actual."""
    windows, channels, horizon = task.actual.shape
    times, columns = task.values.index, task.values.columns
    cutoff = times.get_indexer(table["cutoff"])
    channel = columns.get_indexer(table["target"]) if channels > 1 else np.zeros(len(table), dtype=int)
    place = cutoff - (task.split[0] + task.split[1] - 1), channel, table["step"].to_numpy() - 1
    cell = np.ravel_multi_index(place, task.actual.shape)
    if len(np.unique(cell)) != len(cell) or len(cell) != windows * channels * horizon:
        raise AssertionError(f"{len(np.unique(cell))} cells in {len(cell)} rows, expected {task.actual.size}")
    out = np.empty((2, task.actual.size))
    out[:, cell] = table["forecast"], table["actual"]
    forecast, actual = out.reshape(2, *task.actual.shape)
    np.testing.assert_allclose(actual, task.actual, rtol=1e-5, atol=1e-4)
    if not np.isfinite(forecast).all():
        raise AssertionError(f"{(~np.isfinite(forecast)).sum()} forecasts are not finite")
    return forecast.astype("float32")


def trained(model) -> dict:
    """Size of the network and the course of its training, or what was tried and chosen; nothing for models without."""
    if hasattr(model, "leaderboard_"):
        table = model.leaderboard_.round(4)
        return {"members": model.names_, "leaderboard": json.loads(table.to_json(orient="records"))}
    record = getattr(model, "training_history_", None)
    if record is None:
        return {}
    return {
        "weights": int(model.model_.count_params()),
        "best_epoch": record.best_epoch + 1,
        "epochs": len(record.loss),
        "val_loss": [round(loss, 5) for loss in record.val_loss],
    }


def groups_of(name: str) -> list[list[str]]:
    """Members of an average by groups, which count the same: those in parentheses are one, others each their own.

    >>> groups_of("linear+(gru+lstm)")
    [['linear'], ['gru', 'lstm']]
    """
    return [part.strip("()").split("+") for part in re.findall(r"\([^()]+\)|[^+()]+", name)]


def average(task: Task, name: str, seed: int | None, settings: dict, folder: Path, done: list[dict]):
    """The average of members' forecasts, or None where one of them has not been run."""
    groups = groups_of(name)
    runs = {
        member: identity(task, member, seed if has_seed(member) else None, settings)
        for group in groups
        for member in group
    }
    paths = {member: stored(folder, run) for member, run in runs.items()}
    lines = [line for run in runs.values() for line in done if matches(line, run)]
    if len(lines) < len(runs) or not all(path.exists() for path in paths.values()):
        return None
    means = (np.mean([np.load(paths[member]) for member in group], axis=0) for group in groups)
    forecast = np.mean(list(means), axis=0)
    seconds = {key: round(sum(line[key] for line in lines), 2) for key in ("fit_seconds", "backtest_seconds")}
    return {**task.errors(forecast), **seconds}


def identity(task: Task, name: str, seed: int | None, settings: dict) -> dict:
    """What makes a run the same as an earlier one."""
    members = [member for group in groups_of(name) for member in group]
    own = {key: value for member in members for key, value in parameters(member, settings).items()}
    return {**task.about(), "model": name, "seed": seed, "parameters": own}


def matches(line: dict, run: dict) -> bool:
    return all(line.get(key) == run[key] for key in IDENTITY)


def stored(folder: Path, run: dict) -> Path:
    """Where the forecasts of a run lie."""
    code = hashlib.sha256(json.dumps([run[key] for key in IDENTITY], sort_keys=True).encode()).hexdigest()[:12]
    return folder / f"{run['dataset']}-{run['horizon']}-{run['model']}-{run['seed']}-{code}.npy"


def environment() -> dict:
    """Versions, the commit, the machine."""
    versions = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    command = ["git", "-C", str(Path(__file__).parent), "describe", "--always", "--dirty", "--exclude=*"]
    commit = subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    return {"versions": versions, "commit": commit, "cores": os.cpu_count()}


def lines_of(path: Path) -> list[dict]:
    """All lines of results so far."""
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def write_line(path: Path, line: dict) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")


def append(path: Path, line: dict) -> None:
    write_line(path, line)
    print(
        f"{line['dataset']} {line['horizon']} {line['model']} seed {line['seed']}: MSE {line['mse']:.4f} "
        f"MAE {line['mae']:.4f}, {line['fit_seconds']:.0f} s + {line['backtest_seconds']:.0f} s",
        flush=True,
    )


def run_models(task, args) -> None:
    """Every model and seed that has no line yet."""
    for seed in args.seeds:
        for name in args.models:
            run = identity(task, name, seed if has_seed(name) else None, args.settings)
            if any(matches(line, run) for line in lines_of(args.out)):
                continue
            result, forecast = measure(task, name, run["seed"], args.settings)
            if args.forecasts:
                args.forecasts.mkdir(parents=True, exist_ok=True)
                np.save(stored(args.forecasts, run), forecast)
            append(args.out, {**run, **result, **environment()})


def run_ensembles(task, args) -> None:
    """Every average whose members have been run, with this seed or without one."""
    for name in args.ensembles:
        for seed in args.seeds if any(has_seed(member) for group in groups_of(name) for member in group) else [None]:
            run, done = identity(task, name, seed, args.settings), lines_of(args.out)
            if any(matches(line, run) for line in done):
                continue
            result = average(task, name, seed, args.settings, args.forecasts, done)
            if result is None:
                print(f"{name} seed {seed}: a member has not been run, or its forecasts are not in {args.forecasts}")
                continue
            append(args.out, {**run, **result, **environment()})


def limit_threads(count: int) -> None:
    """Threads of TensorFlow's operations and of BLAS, so that two runs can share a machine."""
    import tensorflow as tf
    from threadpoolctl import threadpool_limits

    threadpool_limits(count)
    tf.config.threading.set_intra_op_parallelism_threads(count)
    tf.config.threading.set_inter_op_parallelism_threads(count)


def settings_of(pairs: list[str]) -> dict:
    """``['epochs=5', 'loss=mse']`` as a dict of values."""
    settings = {}
    for pair in pairs:
        key, _, text = pair.partition("=")
        try:
            settings[key] = ast.literal_eval(text)
        except (ValueError, SyntaxError):
            settings[key] = text
    return settings


def names(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def whole_numbers(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in names(text))


def arguments(argv=None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--csv", type=Path, required=True, help="first column the time, the others the series")
    parser.add_argument("--split", type=whole_numbers, required=True, help="rows to train, validate, test")
    parser.add_argument("--horizon", type=int, default=96)
    parser.add_argument("--lookback", type=int, default=528)
    parser.add_argument("--models", type=names, default=[], help="such as linear,seasonal_naive,gru")
    parser.add_argument("--ensembles", type=names, default=[], help="averages such as gru+linear, linear+(gru+lstm)")
    parser.add_argument("--seeds", type=whole_numbers, default=(0, 1, 2))
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a parameter, may be repeated")
    parser.add_argument("--out", type=Path, required=True, help="lines are appended; those there are not run again")
    parser.add_argument("--forecasts", type=Path, help="folder for the forecasts, which averages are made from")
    parser.add_argument("--threads", type=int, help="threads of TensorFlow's operations and of BLAS")
    args = parser.parse_args(argv)
    args.settings = settings_of(args.set)
    if len(args.split) != 3:
        parser.error("--split takes three numbers")
    if args.ensembles and not args.forecasts:
        parser.error("--ensembles needs --forecasts")
    return args


def main(argv=None) -> None:
    args = arguments(argv)
    if args.threads:
        limit_threads(args.threads)
    task = Task(args.csv, args.split, args.horizon, args.lookback)
    run_models(task, args)
    run_ensembles(task, args)


if __name__ == "__main__":
    # The checkout this script lies in, whether or not another version is installed.
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    main()
