"""Networks with a fixed number of epochs and with the plan that follows the validation loss, on development sets.

Fitted before the validation block of out_of_the_box.py, which is then forecast. A JSON line per set, network and plan:
MASE relative to the seasonal naive, processor seconds of fit and forecasts, epochs trained, the best one, and why
training ended.
"""

import argparse
import time
from pathlib import Path

import accuracy
import blocks
import linear_path
import numpy as np
from suite import methods, scores, sets


def main(argv=None) -> None:
    args = arguments(argv)
    done = {(line["set"], line["model"], line["plan"]) for line in accuracy.lines_of(args.out)}
    for about in sets.SETS:
        if not about.development or about.name not in (args.sets or [about.name]):
            continue
        task = None
        for model in args.models:
            for plan in args.plans:
                if (about.name, model, plan) in done:
                    continue
                task = task or sets.load(about, args.data, args.most_rows, block="validation")
                line = {"set": about.name, "model": model, "plan": plan, **measured(task, model, plan)}
                accuracy.write_line(args.out, {**line, "rows": args.most_rows})
                print(line, flush=True)
    show(accuracy.lines_of(args.out))


def measured(task: sets.Task, model: str, plan: str) -> dict:
    """The figures of one network; the plan is a number of epochs, or ``auto``."""
    naive = scores.score(task, methods.ours(scores.REFERENCE, task).point, None)["mase"]
    began = time.process_time()
    point, fitted = linear_path.forecasts(task, model, epochs=None if plan == "auto" else int(plan))
    seconds, record = time.process_time() - began, fitted.training_history_
    return {
        "mase": round(scores.score(task, point, None)["mase"] / naive, 4),
        "cpu": round(seconds, 1),
        "epochs": len(record.loss),
        "best": record.best_epoch + 1,
        "ended": record.ended,
        "decay": record.decay_start,
        "kept": fitted.recipe_.get("correction"),
    }


def show(lines: list[dict]) -> None:
    """Geometric means over the sets that all plans of a network have, and seconds in all."""
    for model in dict.fromkeys(line["model"] for line in lines):
        plans = {}
        for line in lines:
            if line["model"] == model:
                plans.setdefault(line["plan"], {})[line["set"]] = line
        common = set.intersection(*(set(found) for found in plans.values()))
        for plan, found in plans.items():
            mase = scores.geometric_mean([found[name]["mase"] for name in common])
            seconds = np.sum([found[name]["cpu"] for name in common])
            print(f"{model}, {plan}: MASE {mase:.4f}, {seconds:.0f} s, {len(common)} sets")


def arguments(argv=None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of the files that are not bundled")
    parser.add_argument("--sets", type=accuracy.names, help="default: all development sets")
    parser.add_argument("--models", type=accuracy.names, default=["gru"])
    parser.add_argument("--plans", type=accuracy.names, default=["10", "auto"], help="numbers of epochs, or auto")
    parser.add_argument("--most-rows", type=int, default=1_500, help="latest rows kept of each series")
    parser.add_argument("--out", type=Path, required=True, help="lines are appended; those there are not run again")
    return parser.parse_args(argv)


if __name__ == "__main__":
    blocks.use_checkout()
    main()
