"""What fraction of a network's corrections of the linear forecast to keep, on development sets before their test block.

Networks with defaults are fitted before two blocks of every development set: the validation block of out_of_the_box.py
(``validation``) and the one of the same length before it (``earlier``). A JSON line per set, block and network holds
MASE relative to the seasonal naive: of the linear forecaster, and of the network with fractions of its corrections.
Under each rule the fraction depends on how many horizons fit into the validation block (``horizons``) and on the
fraction of the validation loss that the corrections save (``gain``; lines of earlier runs have none, and count as if it
was small). ``now`` is `forecastkit.forecasters.linear_recipes.correction_kept`.
"""

import argparse
import time
from pathlib import Path

import accuracy
import blocks
import numpy as np
from interval_rules import load
from suite import methods, scores, sets

FRACTIONS = (0.0, 0.25, 0.5, 0.75, 1.0)
COLUMNS = {"series_id": "series", "time": "time", "target": "y"}
RULES = {
    "none": lambda n, gain: 0.0,
    "all": lambda n, gain: 1.0,
    "half": lambda n, gain: 0.5,
    "n / (n + 3)": lambda n, gain: n / (n + 3),
    "(n - 1) / (n + 1)": lambda n, gain: (n - 1) / (n + 1),
    "(n - 1) / (n + 1), at most half": lambda n, gain: min((n - 1) / (n + 1), 0.5),
    "n / (n + 4), at most half": lambda n, gain: min(n / (n + 4), 0.5),
    "now": lambda n, gain: max(0.5, min(2 * gain, 1.0)) if n >= 3 else n / (n + 3),
}


def main(argv=None) -> None:
    args = arguments(argv)
    done = {(line["set"], line["block"], line["model"]) for line in accuracy.lines_of(args.out)}
    for about in sets.SETS:
        for block in args.blocks:
            models = [model for model in args.models if (about.name, block, model) not in done]
            if about.development and about.name in (args.sets or [about.name]) and models:
                task = load(about, args.data, args.most_rows, block)
                linear = mase(task, forecasts(task, "linear")[0])
                for model in models:
                    line = {"set": about.name, "block": block, "model": model, "linear": linear}
                    line |= {**measured(task, model), "most_rows": args.most_rows, **accuracy.environment()}
                    accuracy.write_line(args.out, line)
                    print({name: value for name, value in line.items() if name != "recipe"}, flush=True)
    show(accuracy.lines_of(args.out))


def measured(task: sets.Task, model: str) -> dict:
    """The errors of a network with fractions of its corrections, and what rules depend on."""
    from forecastkit.forecasters import neural

    usual, seen = neural.correction_kept, {}

    def observed(forecaster, context):
        seen["horizons"] = int((context.stop - context.split).max()) // forecaster.horizon_
        return 0.9999  # below 1, so that there are no final epochs

    neural.correction_kept = observed
    began = time.process_time()
    try:
        network, fitted = forecasts(task, model)
    finally:
        neural.correction_kept = usual
    seconds = time.process_time() - began
    fitted.network_.scale_correction(0.0)
    path = backtested(task, fitted)
    record = fitted.training_history_
    return {
        "kept": {str(part): mase(task, path + part * (network - path)) for part in FRACTIONS},
        **seen,
        "recipe": fitted.recipe_,
        "epochs": len(record.loss),
        "best_epoch": record.best_epoch + 1,
        "gain": round(record.gain, 3),
        "cpu_seconds": round(seconds, 1),
    }


def mase(task: sets.Task, point: np.ndarray) -> float:
    naive = scores.score(task, methods.ours(scores.REFERENCE, task).point, None)["mase"]
    return round(scores.score(task, point, None)["mase"] / naive, 4)


def forecasts(task: sets.Task, model: str, **parameters) -> tuple[np.ndarray, object]:
    """Point forecasts (series, origins, horizon) of a forecaster without final epochs, and the fitted forecaster."""
    import forecastkit as fk

    forecaster = getattr(fk, accuracy.class_name(model))(horizon=task.about.horizon, **COLUMNS, **parameters)
    if "random_state" in forecaster.get_params(deep=False):
        forecaster.set_params(random_state=0)
    forecaster.fit(task.train)
    return backtested(task, forecaster), forecaster


def backtested(task: sets.Task, forecaster) -> np.ndarray:
    """Point forecasts (series, origins, horizon) of the block."""
    import forecastkit as fk

    about = task.about
    frame = fk.backtest(forecaster, task.frame, n_windows=about.origins, stride=about.stride).forecasts
    frame = frame.sort_values(["series", "cutoff", "step"])
    order = np.argsort(np.argsort(task.ids))
    shape = len(task.ids), about.origins, about.horizon
    return frame["forecast"].to_numpy("float64").reshape(shape)[order]


def show(lines: list[dict]) -> None:
    """Print the geometric mean over all lines and the largest value of each rule, relative to linear forecasts."""
    for rule, fraction in RULES.items():
        for reference in ("path", "linear"):
            relative = [line["kept"]["0.0"] if reference == "path" else line["linear"] for line in lines]
            found = [value_of(line, fraction) / other for line, other in zip(lines, relative, strict=True)]
            mean = scores.geometric_mean(found)
            print(f"{rule}: {mean:.4f} of the {reference}, at most {max(found):.3f} ({len(lines)} lines)")


def value_of(line: dict, fraction) -> float:
    """The error of a line under a rule, interpolated between the fractions that were measured."""
    kept = fraction(line["horizons"], line.get("gain", 0.0))
    return float(np.interp(kept, FRACTIONS, list(line["kept"].values())))


def arguments(argv=None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of the files that are not bundled")
    parser.add_argument("--sets", type=accuracy.names, help="default: all development sets")
    parser.add_argument("--blocks", type=accuracy.names, default=["validation", "earlier"])
    parser.add_argument("--models", type=accuracy.names, default=["gru", "lstm", "transformer"])
    parser.add_argument("--most-rows", type=int, default=sets.MAX_ROWS, help="latest rows kept of each series")
    parser.add_argument("--out", type=Path, required=True, help="lines are appended; those there are not run again")
    return parser.parse_args(argv)


if __name__ == "__main__":
    blocks.use_checkout()
    main()
