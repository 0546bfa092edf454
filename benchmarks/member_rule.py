"""How AutoForecaster should weight its fast members by their errors on folds, on development sets before their test.

AutoForecaster with its fast members is fitted before two blocks of every development set, those of interval_rules.py.
Its forecasts of the folds, and those that each member fitted on all rows makes of the block, are kept in a folder. A
JSON line per set and block holds the members' scores on the folds and, for each rule of weighting them, the MASE of the
block relative to the seasonal naive. Weights are proportional to the inverse errors to some power (0: equal weights)
over the latest folds; ``best`` is the member with the smallest error on the folds, ``shrunken`` what AutoForecaster
does: differences between errors are first shrunk by as much as folds disagree, or, if there is one fold of many series,
as much as groups of the series do (``groups, 1 fold``; a plain average for few series).
"""

import argparse
import pickle
from pathlib import Path

import accuracy
import blocks
import numpy as np
from interval_rules import load
from suite import scores, sets

MEMBERS = ("linear", "damped_trend", "pretrained")
#: Number of folds and exponent of each rule.
RULES = {
    "plain average": (1, 0), "best, 2 folds": (2, 200), "best, 4 folds": (4, 200),
    **{f"power {power}, {folds} folds": (folds, power) for folds in (2, 4) for power in (2, 4, 6, 8, 12)},
    **{f"shrunken, {folds} folds": (folds, None) for folds in (2, 4)}, "groups, 1 fold": (1, None),
}  # fmt: skip


def main(argv=None) -> None:
    args = arguments(argv)
    args.evidence.mkdir(parents=True, exist_ok=True)
    done = {(line["set"], line["block"]) for line in accuracy.lines_of(args.out)}
    for about in sets.SETS:
        for block in ("validation", "earlier"):
            if not about.development or about.name not in (args.sets or [about.name]) or (about.name, block) in done:
                continue
            path = args.evidence / f"{about.name}-{block}.pkl"
            if not path.exists():
                path.write_bytes(pickle.dumps(evidence(load(about, args.data, args.most_rows, block))))
            line = {"set": about.name, "block": block, **tried(pickle.loads(path.read_bytes()))}
            accuracy.write_line(args.out, {**line, "most_rows": args.most_rows, **accuracy.environment()})
    show(accuracy.lines_of(args.out))


def evidence(task: sets.Task) -> dict:
    """Forecasts of the folds with their actuals and scales, and forecasts of the block by member."""
    import forecastkit as fk
    from forecastkit.auto import forecaster

    found, usual = {}, forecaster.choose

    def choose(search, known, schedule, reference):
        evaluator = search.evaluator
        windows = evaluator.windows[: len(evaluator.folds)]
        found["folds"] = [
            {"actual": w.actual, "scale": w.ranking_scale, "reference": w.reference, "series": w.origins.entity}
            for w in windows
        ]
        found["forecasts"] = dict(evaluator.forecasts)
        return dict.fromkeys(known, 1 / len(known))

    forecaster.choose = choose
    columns = {"series_id": "series", "time": "time", "target": "y"}
    tried = [name for name in MEMBERS if name != "linear"]
    try:
        model = fk.AutoForecaster(
            horizon=task.about.horizon, forecasters=tried, time_limit=None, random_state=0, **columns
        ).fit(task.train)
    finally:
        forecaster.choose = usual
    about, order = task.about, np.argsort(np.argsort(task.ids))
    shape = len(task.ids), about.origins, about.horizon
    points = {}
    for name, member in zip(model.names_, model.forecasters_, strict=True):
        frame = fk.backtest(member, task.frame, n_windows=about.origins, stride=about.stride).forecasts
        frame = frame.sort_values(["series", "cutoff", "step"])
        points[name] = frame["forecast"].to_numpy("float64").reshape(shape)[order]
    scale = [scores.seasonal_change(values[: -about.test_rows], about.season) for values in task.values]
    return {**found, "block": points, "actual": task.actual(), "block_scale": np.array(scale)}


def tried(found: dict) -> dict:
    """The members' scores on the folds, and the relative MASE of the block under each rule."""
    naive = next(name for name in found["block"] if name not in MEMBERS and "naive" in name)
    folds = [
        {name: mase(fold, found["forecasts"][name, number]) / fold["reference"] for name in MEMBERS}
        for number, fold in enumerate(found["folds"])
    ]
    groups = groups_of(found) if folds else []
    block = {"actual": found["actual"], "scale": found["block_scale"][:, None]}
    reference = mase(block, found["block"][naive])
    relative = {}
    for rule, (most, power) in RULES.items():
        weights = weights_of(groups if rule.startswith("groups") else folds[:most], power)
        forecast = sum(weight * found["block"][name] for name, weight in weights.items())
        relative[rule] = round(mase(block, forecast) / reference, 4)
    return {"folds": [{name: round(error, 4) for name, error in fold.items()} for fold in folds], "relative": relative}


def groups_of(found: dict) -> list[dict]:
    """The members' scores on the groups of series of the latest fold; none for few series."""
    from forecastkit.auto.select_members import GROUPS, MIN_SERIES

    fold = found["folds"][0]
    series = np.unique(fold["series"], return_inverse=True)[1]
    if series.max() + 1 < GROUPS * MIN_SERIES:
        return []
    rows = [np.flatnonzero(series % GROUPS == number) for number in range(GROUPS)]
    parts = [{key: fold[key][own] for key in ("actual", "scale")} for own in rows]
    return [
        {name: mase(part, found["forecasts"][name, 0][own]) / fold["reference"] for name in MEMBERS}
        for part, own in zip(parts, rows, strict=True)
    ]


def weights_of(folds: list[dict], power: float | None) -> dict[str, float]:
    """Weights by inverse mean errors on these folds, those of AutoForecaster without a power; equal without folds."""
    from forecastkit.auto.select_members import weights_by_errors

    if power is None and folds:
        return weights_by_errors({name: np.array([fold[name] for fold in folds]) for name in MEMBERS})
    power = power or 0.0
    errors = np.array([np.mean([fold[name] for fold in folds]) if folds else 1.0 for name in MEMBERS])
    powers = (errors.min() / errors) ** power
    return dict(zip(MEMBERS, powers / powers.sum(), strict=True))


def mase(windows: dict, forecast: np.ndarray) -> float:
    scale = windows["scale"][..., None]
    return float(np.nanmean(np.abs(windows["actual"] - forecast) / np.where(scale > 0, scale, np.nan)))


def show(lines: list[dict]) -> None:
    plain = np.array([line["relative"]["plain average"] for line in lines])
    for rule in RULES:
        own = np.array([line["relative"][rule] for line in lines])
        worst = int(np.argmax(own / plain))
        where = f"{lines[worst]['set']}, {lines[worst]['block']}"
        print(
            f"{rule}: {scores.geometric_mean(own):.4f} of the seasonal naive on {len(own)} blocks, at worst "
            f"{own[worst] / plain[worst] - 1:+.1%} of the plain average ({where})"
        )


def arguments(argv=None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of the files that are not bundled")
    parser.add_argument("--evidence", type=Path, required=True, help="folder of forecasts, made if absent")
    parser.add_argument("--sets", type=accuracy.names, help="default: all development sets")
    parser.add_argument("--most-rows", type=int, default=2_500, help="latest rows kept of each series")
    parser.add_argument("--out", type=Path, required=True, help="lines are appended; those there are not run again")
    return parser.parse_args(argv)


if __name__ == "__main__":
    blocks.use_checkout()
    main()
