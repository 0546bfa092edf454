"""Whether intervals of AutoForecaster should be calibrated by default, on development sets before their test block.

AutoForecaster with its fast members is fitted before the two blocks of interval_rules.py with each value of
`calibrate`. A JSON line per set and block holds the fraction of actuals that the 80 % intervals hold, and the weighted
quantile loss. ``rolling`` differs from ``True`` where series have enough validation windows.
"""

import argparse
from pathlib import Path

import accuracy
import blocks
import numpy as np
from interval_rules import load, scored
from suite import scores, sets

VALUES = {"none": False, "fixed": True, "rolling": "rolling"}


def main(argv=None) -> None:
    args = arguments(argv)
    done = {(line["set"], line["block"]) for line in accuracy.lines_of(args.out)}
    for about in sets.SETS:
        for block in ("validation", "earlier"):
            if about.development and about.name in (args.sets or [about.name]) and (about.name, block) not in done:
                task = load(about, args.data, args.most_rows, block)
                found = {name: scored(task, fitted(task, value)) for name, value in VALUES.items()}
                line = {"set": about.name, "block": block, "calibrate": found, "most_rows": args.most_rows}
                accuracy.write_line(args.out, {**line, **accuracy.environment()})
    lines = accuracy.lines_of(args.out)
    differs = [line for line in lines if line["calibrate"]["rolling"] != line["calibrate"]["fixed"]]
    for title, own in (("all blocks", lines), ("blocks with rolling corrections", differs)):
        for name in VALUES:
            show(f"{title}, {name}", [(line["calibrate"][name], line["calibrate"]["none"]) for line in own])


def fitted(task: sets.Task, value):
    import forecastkit as fk

    model = fk.AutoForecaster(
        horizon=task.about.horizon, series_id="series", time="time", target="y", calibrate=value,
        forecasters=["damped_trend", "pretrained"], time_limit=None, random_state=0,
    )  # fmt: skip
    return model.fit(task.train)


def show(title: str, pairs: list) -> None:
    coverage = np.array([own["coverage"] for own, _ in pairs])
    loss = scores.geometric_mean([own["wql"] / none["wql"] for own, none in pairs])
    print(
        f"{title}: mean {coverage.mean():.3f}, mean distance from 0.8 {np.abs(coverage - 0.8).mean():.3f}, "
        f"{coverage.min():.2f} to {coverage.max():.2f}, loss {loss:.3f} of none ({len(pairs)} blocks)"
    )


def arguments(argv=None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of the files that are not bundled")
    parser.add_argument("--sets", type=accuracy.names, help="default: all development sets")
    parser.add_argument("--most-rows", type=int, default=1_500, help="latest rows kept of each series")
    parser.add_argument("--out", type=Path, required=True, help="lines are appended; those there are not run again")
    return parser.parse_args(argv)


if __name__ == "__main__":
    blocks.use_checkout()
    main()
