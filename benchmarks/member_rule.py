"""Which quick members AutoForecaster should average, by their folds, on development sets before their test block.

For each set the quick forecasters are scored on AutoForecaster's folds of the rows before the validation block of
out_of_the_box.py, and their forecasts of that block, which ``out_of_the_box.py --block validation --forecasts FOLDER``
has stored, are averaged: over all, over those within a factor of the best score, and over those that AutoForecaster
chooses: within `forecastkit.auto.select_members.WITHIN`, or not worse by more than chance. A JSON line per set holds
the scores on the folds and the MASE of each average relative to the seasonal naive.
"""

import argparse
from pathlib import Path

import accuracy
import blocks
import numpy as np
from suite import scores, sets

MEMBERS = ("linear", "damped_trend", "pretrained")
FACTORS = (1.0, 1.1, 1.25, 1.4)


def main(argv=None) -> None:
    args = arguments(argv)
    done = {line["set"] for line in accuracy.lines_of(args.out)}
    for about in sets.SETS:
        if about.development and about.name in (args.sets or [about.name]) and about.name not in done:
            task = sets.load(about, args.data, block="validation")
            line = {"set": about.name, **tried(task, *fold_scores(task), args.forecasts)}
            accuracy.write_line(args.out, {**line, **accuracy.environment()})
    lines = accuracy.lines_of(args.out)
    for rule in lines[0]["relative"]:
        ratios = [line["relative"][rule] for line in lines]
        print(f"{rule}: {scores.geometric_mean(ratios):.3f} of the seasonal naive on {len(ratios)} sets")


def fold_scores(task: sets.Task) -> tuple[dict[str, float], list[str]]:
    """The members' scores on the folds of AutoForecaster, and those that it chooses."""
    import forecastkit as fk

    model = fk.AutoForecaster(
        horizon=task.about.horizon, series_id="series", time="time", target="y",
        forecasters=[name for name in MEMBERS if name != "linear"], time_limit=None, random_state=0,
    )  # fmt: skip
    table = model.fit(task.train).leaderboard_.set_index("forecaster")["score"]
    return {name: round(float(table[name]), 4) for name in MEMBERS}, list(model.names_)


def tried(task: sets.Task, found: dict[str, float], chosen: list[str], folder: Path) -> dict:
    """The MASE of the plain averages under each rule, relative to the seasonal naive."""

    def mase(names):
        points = [np.load(folder / f"{task.about.name}-{name}.npz")["point"] for name in names]
        return scores.score(task, np.mean(points, axis=0), None)["mase"]

    naive, least = mase([scores.REFERENCE]), min(found.values())
    rules = {f"within {factor}": [name for name in MEMBERS if found[name] <= factor * least] for factor in FACTORS}
    rules |= {"all": list(MEMBERS), "chosen": chosen}
    relative = {rule: round(mase(names) / naive, 4) for rule, names in rules.items()}
    return {"folds": found, "chosen": chosen, "relative": relative}


def arguments(argv=None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of the files that are not bundled")
    parser.add_argument(
        "--forecasts", type=Path, required=True, help="folder of the stored forecasts of validation blocks"
    )
    parser.add_argument("--sets", type=accuracy.names, help="default: all development sets")
    parser.add_argument("--out", type=Path, required=True, help="lines are appended; those there are not run again")
    return parser.parse_args(argv)


if __name__ == "__main__":
    blocks.use_checkout()
    main()
