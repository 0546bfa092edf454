"""What bike_sharing.py and competitions.py share: models and averages on a block of rows, a JSON line each."""

import argparse
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import accuracy
import numpy as np
import pandas as pd
import table

BLOCKS = ("validation", "test")
#: Decimals of errors, where they are not two.
PLACES = {"owa": 3, "mase": 3}
#: What the name of a median of members begins with.
MEDIAN = "median "
SEEDED = ("gru", "lstm", "transformer", "lstm_transformer", "gru_as_is", "gru_tuned")


@dataclass(frozen=True)
class Task:
    """A data set and one of its blocks.

    Parameters
    ----------
    measure : callable
        ``measure(model, seed, changes)`` fits and gives the forecasts (one array) and the seconds of it.
    score : callable
        ``score(forecast)`` gives the errors as a dict.
    """

    measure: Callable
    score: Callable

    def run_models(self, args) -> None:
        """Every model and seed that has no line yet."""
        args.forecasts.mkdir(parents=True, exist_ok=True)
        for name in args.models:
            for seed in args.seeds if name in SEEDED else [None]:
                run = {"model": name, "seed": seed, "block": args.block}
                if is_done(accuracy.lines_of(args.out), run):
                    continue
                forecast, seconds = self.measure(name, seed, args.settings if name in SEEDED else {})
                np.save(stored(args.forecasts, run), forecast)
                self.add(args.out, {**run, **self.score(forecast), "fit_seconds": round(seconds, 1)})

    def run_averages(self, args) -> None:
        """Averages over all seeds of members such as 'gru+linear', as EnsembleForecaster takes them."""
        for name in args.averages:
            run = {"model": name, "seed": None, "block": args.block}
            done, members = accuracy.lines_of(args.out), name.removeprefix(MEDIAN).split("+")
            paths = [
                sorted(args.forecasts.glob(stored(Path(), {**run, "model": m, "seed": "*"}).name)) for m in members
            ]
            if is_done(done, run) or not all(paths):
                continue
            combine = np.median if name.startswith(MEDIAN) else np.mean
            forecast = combine([np.mean([np.load(path) for path in seeds], axis=0) for seeds in paths], axis=0)
            runs = [line for line in done if line["block"] == args.block and "runs" not in line]
            taken = [line["fit_seconds"] for line in runs if line["model"] in members]
            line = {**run, **self.score(forecast), "fit_seconds": round(sum(taken), 1), "runs": sum(map(len, paths))}
            self.add(args.out, line)

    def add(self, path: Path, line: dict) -> None:
        accuracy.write_line(path, {**line, **accuracy.environment()})
        print(", ".join(f"{key} {value}" for key, value in line.items()), flush=True)


def is_done(lines: list[dict], run: dict) -> bool:
    return any(all(line[key] == value for key, value in run.items()) for line in lines)


def stored(folder: Path, run: dict) -> Path:
    """Where the forecasts of a run lie."""
    return folder / f"{run['block']}-{run['model']}-{run['seed']}.npy"


def label_of(line: dict) -> str:
    """What tells an average from the mean of its members' errors."""
    return f", average of {line['runs']}" if "runs" in line else ""


def rendered(lines: list[dict], errors: list[str]) -> str:
    """All lines as a markdown table: a row per model, the mean error over its seeds per block, the best test first."""
    frame = pd.DataFrame(lines)
    frame["model"] = [line["model"].replace("_", " ").replace("+", " + ") + label_of(line) for line in lines]
    wide = frame.pivot_table(index="model", columns="block", values=errors, dropna=False)
    wide = wide.reindex(columns=[(error, block) for block in BLOCKS for error in errors])
    wide = wide.sort_values((errors[0], "test"))
    wide = wide.apply(lambda column: column.map(f"{{:.{PLACES.get(column.name[0], 2)}f}}".format)).replace(
        "nan", "not run"
    )
    wide.columns = [f"{error}, {block}" for error, block in wide.columns]
    return table.markdown(wide.reset_index())


def arguments(doc: str, argv=None, csv: bool = True) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    if csv:
        parser.add_argument("--csv", type=Path, required=True)
    parser.add_argument("--block", choices=BLOCKS, default="validation")
    parser.add_argument("--models", type=accuracy.names, default=["seasonal_naive", "linear", "tabular", "gru"])
    parser.add_argument("--averages", type=accuracy.names, default=[], help="such as gru,gru+linear")
    parser.add_argument("--seeds", type=accuracy.whole_numbers, default=(0, 1))
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a parameter of the networks")
    parser.add_argument("--out", type=Path, required=True, help="lines are appended; those there are not run again")
    parser.add_argument("--forecasts", type=Path, required=True, help="folder that averages are made from")
    args = parser.parse_args(argv)
    args.settings = accuracy.settings_of(args.set)
    return args


def run(task: Task, args: argparse.Namespace, errors: list[str], others: list[dict] = ()) -> None:
    """Run what has not been run, and print the table of all, with lines of others."""
    task.run_models(args)
    task.run_averages(args)
    print(rendered([*accuracy.lines_of(args.out), *others], errors))


def use_checkout() -> None:
    """Measure the checkout these scripts lie in, whether or not another version is installed."""
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
