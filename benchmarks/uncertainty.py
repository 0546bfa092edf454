"""Quantiles on unseen time: how often central intervals held what came, by quarters of the horizon, and the loss.

Columns are standardised by the training rows. A model is fitted on training and validation rows, told how many of them
are for validation, and forecasts quantiles at every window of the test rows, stride 1. One JSON line for each way to
calibrate; those there are not measured again. `linear_gaussian` is the linear point forecast with normal errors, whose
spread by column and step is that of its errors on the validation rows; `seasonal_naive` has the quantiles of its own
errors there. Choices are made with a `--split` whose test rows are the validation rows of the task.
"""

import argparse
import time
from pathlib import Path

import accuracy
import numpy as np
from scipy.stats import norm

#: Ends of the 50, 80, 90 and 95 % intervals, and deciles for the weighted quantile loss.
LEVELS = (0.025, 0.05, 0.1, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.7, 0.75, 0.8, 0.9, 0.95, 0.975)
DECILES = tuple(level for level in LEVELS if level * 10 == round(level * 10))
INTERVALS = (0.5, 0.8, 0.9, 0.95)
WAYS = ("none", "fixed", "rolling")
CALIBRATE = {"none": False, "fixed": True, "rolling": "rolling"}


def fitted(task: accuracy.Task, name: str, seed: int | None, settings: dict):
    """A forecaster that knows all ways to calibrate, with quantiles of its own where it is a network."""
    model = accuracy.forecaster(name, task, seed, settings)
    levels = LEVELS if accuracy.has_seed(name) else None
    first = task.split[0] + task.split[1]
    return model.set_params(quantile_levels=levels, calibrate="rolling").fit(task.values.iloc[:first])


def quantiles(task: accuracy.Task, model, way: str) -> np.ndarray:
    """Quantiles of every test window, (windows, C, horizon, levels)."""
    import forecastkit as fk

    model.set_params(calibrate=CALIBRATE[way])
    first = task.split[0] + task.split[1]
    table = fk.backtest(model, task.values, start=first, quantile_levels=list(LEVELS)).forecasts
    columns = [accuracy.cube(table.assign(forecast=table[f"q{level:g}"]), task) for level in LEVELS]
    return np.stack(columns, axis=-1)


def linear_gaussian(task: accuracy.Task) -> np.ndarray:
    """Quantiles of normal errors about the linear forecast."""
    import forecastkit as fk

    train, first = task.split[0], task.split[0] + task.split[1]
    sizes = {"horizon": task.horizon, "lookback": task.lookback}
    early = fk.LinearForecaster(**sizes, validation_size=0).fit(task.values.iloc[:train])
    validation_origins = fk.backtest(early, task.values.iloc[:first], start=train).forecasts
    if "target" not in validation_origins:  # of a single column
        validation_origins = validation_origins.assign(target=task.values.columns[0])
    errors = (validation_origins["actual"] - validation_origins["forecast"]).groupby(
        [validation_origins["target"], validation_origins["step"]]
    )
    spread = errors.std(ddof=0).unstack().loc[task.values.columns].to_numpy()
    model = fk.LinearForecaster(**sizes, validation_size=task.split[1]).fit(task.values.iloc[:first])
    point = accuracy.cube(fk.backtest(model, task.values, start=first).forecasts, task)
    return point[..., None] + spread[..., None] * norm.ppf(LEVELS)


def scores(task: accuracy.Task, forecast: np.ndarray) -> dict:
    """Weighted quantile loss over the deciles, and coverage over all steps and by quarters of the horizon."""
    from forecastkit import metrics

    deciles = [LEVELS.index(level) for level in DECILES]
    median = forecast[..., LEVELS.index(0.5)]

    def losses(part=slice(None)):
        """Of the deciles, and of the median given as every one of them."""
        wql = metrics.wql(task.actual[:, part], forecast[:, part][..., deciles], DECILES)
        return round(float(wql), 5), round(float(metrics.wape(task.actual[:, part], median[:, part])), 5)

    out = dict(zip(("wql", "wape"), losses(), strict=True))
    names = task.values.columns
    by_column = {name: losses(slice(place, place + 1)) for place, name in enumerate(names)}
    out |= {f"{kind}_by_column": {name: by_column[name][i] for name in names} for i, kind in enumerate(("wql", "wape"))}
    for share in INTERVALS:
        low, high = (LEVELS.index(round(0.5 + side * share / 2, 3)) for side in (-1, 1))
        inside = (forecast[..., low] <= task.actual) & (task.actual <= forecast[..., high])
        quarters = [float(part.mean()) for part in np.array_split(inside, 4, axis=-1)]
        out[f"coverage_{share:g}"] = round(float(inside.mean()), 4)
        out[f"quarters_{share:g}"] = [round(quarter, 4) for quarter in quarters]
    return out


def measure(task: accuracy.Task, name: str, seed: int | None, settings: dict, ways: list[str]):
    """Each way to calibrate and its scores."""
    began = time.perf_counter()
    if name == "linear_gaussian":
        yield "none", {**scores(task, linear_gaussian(task)), "fit_seconds": round(time.perf_counter() - began, 1)}
        return
    model = fitted(task, name, seed, settings)
    seconds = round(time.perf_counter() - began, 1)
    for way in ways:
        began = time.perf_counter()
        found = scores(task, quantiles(task, model, way))
        yield way, {**found, "fit_seconds": seconds, "backtest_seconds": round(time.perf_counter() - began, 1)}


def runs(args: argparse.Namespace):
    """Name and seed of every model to be measured."""
    for name in args.models:
        seeded = name != "linear_gaussian" and accuracy.has_seed(name)
        for seed in args.seeds if seeded else [None]:
            yield name, seed


def run(task: accuracy.Task, args: argparse.Namespace) -> None:
    """Measure what has no line yet."""
    for name, seed in runs(args):
        plain = name == "linear_gaussian"
        own = {} if plain else accuracy.parameters(name, args.settings)
        about = {**task.about(), "model": name, "seed": seed, "parameters": own}
        lines = [line for line in accuracy.lines_of(args.out) if all(line.get(key) == about[key] for key in about)]
        done = {line["calibrate"] for line in lines}
        if missing := [way for way in (("none",) if plain else WAYS) if way not in done]:
            for way, found in measure(task, name, seed, args.settings, missing):
                accuracy.write_line(args.out, {**about, "calibrate": way, **found, **accuracy.environment()})
                print(f"{name} seed {seed}, calibrated {way}: {said(found)}", flush=True)


def said(found: dict) -> str:
    """The scores in a line."""
    share, quarters = (100 * np.array(found[key]) for key in ("coverage_0.8", "quarters_0.8"))
    held = f"{share:.1f} % in the 80 % interval, by quarters {', '.join(f'{quarter:.1f}' for quarter in quarters)}"
    return f"WQL {found['wql']:.4f}, WAPE {found['wape']:.4f}, {held}"


def main(argv=None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--csv", type=Path, required=True, help="first column the time, the others the series")
    parser.add_argument("--split", type=accuracy.whole_numbers, required=True, help="rows to train, validate, test")
    parser.add_argument("--horizon", type=int, default=24)
    parser.add_argument("--lookback", type=int, default=336)
    parser.add_argument("--models", type=accuracy.names, default=["seasonal_naive", "linear", "linear_gaussian", "gru"])
    parser.add_argument("--seeds", type=accuracy.whole_numbers, default=(0,))
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a parameter, may be repeated")
    parser.add_argument("--out", type=Path, required=True, help="lines are appended")
    args = parser.parse_args(argv)
    args.settings = accuracy.settings_of(args.set)
    run(accuracy.Task(args.csv, args.split, args.horizon, args.lookback), args)


if __name__ == "__main__":
    accuracy.sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    main()
