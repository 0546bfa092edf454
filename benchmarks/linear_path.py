"""How much of a network's corrections of the linear forecast to keep, on development sets before their test block.

For each set a linear forecaster, a GRU and its linear path alone forecast the validation block of out_of_the_box.py,
and the MASE relative to the seasonal naive is shown for fractions of the corrections that are kept. ``clear`` says
whether they were a clear gain on the validation rows of the fit: then all are kept, else the fraction
`forecastkit.forecasters.linear_recipes.KEPT`. ``default`` is the MASE under this rule.
"""

import argparse
import time
from pathlib import Path

import accuracy
import blocks
import numpy as np
from suite import methods, scores, sets

FRACTIONS = (0.0, 0.25, 0.5, 0.75, 1.0)
#: Stands for corrections that are kept although they are no clear gain.
ALMOST_ALL = 0.9999


def main(argv=None) -> None:
    args = arguments(argv)
    done = {line["set"] for line in accuracy.lines_of(args.out)}
    for about in sets.SETS:
        if about.development and about.name in (args.sets or [about.name]) and about.name not in done:
            line = measured(sets.load(about, args.data, args.most_rows, block="validation"))
            accuracy.write_line(args.out, {**line, "most_rows": args.most_rows, **accuracy.environment()})
            print({name: value for name, value in line.items() if name != "recipe"}, flush=True)
    lines = accuracy.lines_of(args.out)
    for name in ("linear", "default"):
        print(f"{name}: {scores.geometric_mean([line[name] for line in lines]):.4f} of the seasonal naive")
    for fraction in map(str, FRACTIONS):
        print(f"kept {fraction}: {scores.geometric_mean([line['kept'][fraction] for line in lines]):.4f}")


def measured(task: sets.Task) -> dict:
    """The line of a set."""
    import forecastkit as fk
    from forecastkit.forecasters import linear_path

    usual, linear_path.KEPT = linear_path.KEPT, ALMOST_ALL
    began = time.perf_counter()
    try:
        network, model = forecasts(task, fk.GRUForecaster(random_state=0))
    finally:
        linear_path.KEPT = usual
    seconds = time.perf_counter() - began
    # So small a rate leaves the corrections at 0.
    path = forecasts(task, fk.GRUForecaster(random_state=0, epochs=1, learning_rate=1e-12))[0]

    def mase(point):
        return scores.score(task, point, None)["mase"]

    naive = mase(methods.ours(scores.REFERENCE, task).point)
    kept = {str(part): round(mase(path + part * (network - path)) / naive, 4) for part in FRACTIONS}
    correction = model.recipe_["correction"]
    return {
        "set": task.about.name,
        "linear": round(mase(methods.ours("linear", task).point) / naive, 4),
        "default": kept["1.0"] if correction in (0, 1) else kept[str(usual)],
        "kept": kept,
        "clear": correction == 1,
        "recipe": model.recipe_,
        "epochs": len(model.training_history_.loss),
        "best_epoch": model.training_history_.best_epoch + 1,
        "fit_seconds": round(seconds, 1),
    }


def forecasts(task: sets.Task, forecaster) -> tuple[np.ndarray, object]:
    """Point forecasts (series, origins, horizon), and the fitted forecaster."""
    import forecastkit as fk

    about = task.about
    forecaster.set_params(horizon=about.horizon, series_id="series", time="time", target="y")
    forecaster.fit(task.train)
    frame = fk.backtest(forecaster, task.frame, n_windows=about.origins, stride=about.stride).forecasts
    frame = frame.sort_values(["series", "cutoff", "step"])
    order = np.argsort(np.argsort(task.ids))
    shape = len(task.ids), about.origins, about.horizon
    return frame["forecast"].to_numpy("float64").reshape(shape)[order], forecaster


def arguments(argv=None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of the files that are not bundled")
    parser.add_argument("--sets", type=accuracy.names, help="default: all development sets")
    parser.add_argument("--most-rows", type=int, default=3_000, help="latest rows kept of each series")
    parser.add_argument("--out", type=Path, required=True, help="lines are appended; those there are not run again")
    return parser.parse_args(argv)


if __name__ == "__main__":
    blocks.use_checkout()
    main()
