"""The lines that accuracy.py wrote as a markdown table: the mean over seeds, the spread, the seconds."""

import argparse
import json
from pathlib import Path

import pandas as pd

KEYS = ["dataset", "horizon", "lookback", "model", "settings"]


def load(paths: list[Path]) -> pd.DataFrame:
    """All lines of these files as a frame, the parameters as text."""
    lines = [json.loads(line) for path in paths for line in path.read_text(encoding="utf-8").splitlines()]
    frame = pd.DataFrame(lines)
    frame["settings"] = [", ".join(f"{key}={value}" for key, value in given.items()) for given in frame["parameters"]]
    return frame


def summarise(frame: pd.DataFrame) -> pd.DataFrame:
    """One row per data set, horizon and model: mean and standard deviation over seeds, mean seconds; best MSE first."""
    groups = frame.groupby(KEYS, dropna=False, sort=False)
    table = groups.agg(
        seeds=("mse", "size"),
        mse=("mse", "mean"),
        mse_spread=("mse", "std"),
        mae=("mae", "mean"),
        mae_spread=("mae", "std"),
        fit=("fit_seconds", "mean"),
        forecast=("backtest_seconds", "mean"),
    )
    return table.reset_index().sort_values(["dataset", "horizon", "lookback", "mse"], ignore_index=True)


def with_spread(mean: float, spread: float) -> str:
    return f"{mean:.3f}" if pd.isna(spread) else f"{mean:.3f} ± {spread:.3f}"


def readable(table: pd.DataFrame) -> pd.DataFrame:
    """The table as text, columns that say nothing left out."""
    shown = pd.DataFrame(
        {
            "data": table["dataset"],
            "horizon": table["horizon"],
            "lookback": table["lookback"],
            "model": table["model"].str.replace("_", " ").str.replace("+", " + "),
            "settings": table["settings"],
            "MSE": [with_spread(*pair) for pair in zip(table["mse"], table["mse_spread"], strict=True)],
            "MAE": [with_spread(*pair) for pair in zip(table["mae"], table["mae_spread"], strict=True)],
            "seeds": table["seeds"],
            "training, s": table["fit"].map("{:.0f}".format),
            "backtest, s": table["forecast"].map("{:.0f}".format),
        }
    )
    return shown if table["settings"].any() else shown.drop(columns="settings")


def by_task(table: pd.DataFrame) -> pd.DataFrame:
    """A row per model, a column per data set and horizon: ``MSE / MAE (seeds)``; the best of the first column first."""
    table = table.assign(
        task=table["dataset"] + "-" + table["horizon"].astype(str),
        model=table["model"].str.replace("_", " ").str.replace("+", " + "),
        cell=[
            f"{with_spread(row.mse, row.mse_spread)} / {row.mae:.3f}"
            + (f" ({row.seeds} seeds)" if row.seeds > 1 else "")
            for row in table.itertuples()
        ],
    )
    tasks = table.sort_values(["dataset", "horizon"])["task"].unique()
    order = table[table["task"] == tasks[0]].sort_values("mse")["model"]
    wide = table.pivot(index="model", columns="task", values="cell").reindex(order)[tasks]
    return wide.fillna("not run").reset_index()


def markdown(shown: pd.DataFrame) -> str:
    """A frame of text as a table."""
    rows = [list(shown.columns), ["---"] * shown.shape[1], *shown.astype(str).to_numpy().tolist()]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def rewritten(page: str, heading: str, table: str) -> str:
    """A text with another table in the place of the first one under a heading."""
    before, heading, after = page.partition(heading)
    lines = after.splitlines(keepends=True)
    rows = [number for number, line in enumerate(lines) if line.startswith("|")]
    end = next(number for number in range(rows[0], len(lines) + 1) if number not in rows)
    return before + heading + "".join([*lines[: rows[0]], table + "\n", *lines[end:]])


def main(argv=None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("results", nargs="+", type=Path)
    parser.add_argument("--wide", action="store_true", help="a row per model, a column per data set and horizon")
    args = parser.parse_args(argv)
    table = summarise(load(args.results))
    print(markdown(by_task(table) if args.wide else readable(table)))


if __name__ == "__main__":
    main()
