"""How intervals from residuals should follow the size of a series, on development sets before their test block.

AutoForecaster with its fast members is fitted before two blocks of every development set: the validation block of
out_of_the_box.py (``validation``) and the one of the same length before it (``earlier``). Each rule gives the rows of
`forecastkit.uncertainty.validation`, in seasons or horizons, and the bounds of its ratio; ``none`` leaves residuals as
they are. A JSON line per set and block holds the fraction of actuals that the 80 % intervals hold, and the weighted
quantile loss.
"""

import argparse
from dataclasses import replace
from pathlib import Path

import accuracy
import blocks
import numpy as np
import pandas as pd
from suite import scores, sets

RULES = {"none": None, "2": (2, 0.5, 2.0), "4": (4, 0.5, 2.0), "8": (8, 0.5, 2.0), "4, only wider": (4, 1.0, 2.0)}


def main(argv=None) -> None:
    args = arguments(argv)
    done = {(line["set"], line["block"]) for line in accuracy.lines_of(args.out)}
    for about in sets.SETS:
        for block in args.blocks:
            if about.development and about.name in (args.sets or [about.name]) and (about.name, block) not in done:
                task = load(about, args.data, args.most_rows, block)
                line = {"set": about.name, "block": block, **measured(task), "most_rows": args.most_rows}
                accuracy.write_line(args.out, {**line, **accuracy.environment()})
                print(line, flush=True)
    show(accuracy.lines_of(args.out))


def load(about: sets.DataSet, folder: Path, most_rows: int, block: str) -> sets.Task:
    """The task whose last rows are the block; the rows after it are left out."""
    if block == "validation":
        return sets.load(about, folder, most_rows, block)

    def read(given):
        pieces = [piece for _, piece in about.read(given).groupby("series", sort=False)]
        return pd.concat([sets.before_test(sets.before_test(piece, about), about) for piece in pieces])

    return sets.load(replace(about, read=read), None if about.bundled else folder, most_rows)


def measured(task: sets.Task) -> dict:
    """The members, and coverage and loss under each rule."""
    import forecastkit as fk
    from forecastkit.uncertainty import validation

    usual, fits = validation.LocalScale.fit, []

    def recorded(*arguments):
        fits.append((arguments, usual(*arguments)))
        return fits[-1][1]

    validation.LocalScale.fit = recorded
    model = fk.AutoForecaster(
        horizon=task.about.horizon, series_id="series", time="time", target="y",
        forecasters=["damped_trend", "pretrained"], time_limit=None, random_state=0,
    )  # fmt: skip
    try:
        model.fit(task.train)
    finally:
        validation.LocalScale.fit = usual
    given = {id(found): arguments for arguments, found in fits}
    # Forecasters with quantiles of their own have no local scale; of points alone the combination has one.
    members = [one for one in (model, *model.forecasters_) if one.local_scale_ is not None]
    members = [(one, given[id(one.local_scale_)]) for one in members]
    found = {}
    for rule, sizes in RULES.items():
        for member, arguments in members:
            member.local_scale_ = None if sizes is None else scale_by(sizes, arguments)
        found[rule] = scored(task, model)
    return {"members": model.names_, "rules": found}


def scale_by(sizes: tuple[int, float, float], arguments: tuple):
    """The local scale of a rule."""
    from forecastkit.uncertainty import validation

    validation.LENGTHS, validation.LEAST, validation.MOST = sizes
    return validation.LocalScale.fit(*arguments)


def scored(task: sets.Task, model) -> dict[str, float]:
    """Coverage of the 80 % intervals, and the weighted quantile loss."""
    import forecastkit as fk

    about = task.about
    result = fk.backtest(
        model, task.frame, n_windows=about.origins, stride=about.stride, quantile_levels=list(scores.LEVELS)
    )
    frame = result.forecasts.dropna(subset="actual")
    actual, columns = frame["actual"].to_numpy(), [f"q{level:g}" for level in scores.LEVELS]
    quantiles = frame[columns].to_numpy()
    inside = (actual >= quantiles[:, 0]) & (actual <= quantiles[:, -1])
    return {"coverage": round(float(inside.mean()), 4), "wql": round(scores.wql(actual, quantiles), 5)}


def show(lines: list[dict]) -> None:
    for rule in lines[0]["rules"]:
        found = [line["rules"][rule] for line in lines]
        coverage = np.array([one["coverage"] for one in found])
        loss = scores.geometric_mean(
            [one["wql"] / line["rules"]["none"]["wql"] for one, line in zip(found, lines, strict=True)]
        )
        print(
            f"{rule}: mean {coverage.mean():.3f}, mean distance from 0.8 {np.abs(coverage - 0.8).mean():.3f}, "
            f"{coverage.min():.2f} to {coverage.max():.2f}, loss {loss:.3f} of none ({len(lines)} blocks)"
        )


def arguments(argv=None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of the files that are not bundled")
    parser.add_argument("--sets", type=accuracy.names, help="default: all development sets")
    parser.add_argument("--blocks", type=accuracy.names, default=["validation", "earlier"])
    parser.add_argument("--most-rows", type=int, default=2_500, help="latest rows kept of each series")
    parser.add_argument("--out", type=Path, required=True, help="lines are appended; those there are not run again")
    return parser.parse_args(argv)


if __name__ == "__main__":
    blocks.use_checkout()
    main()
