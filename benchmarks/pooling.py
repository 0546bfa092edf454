"""Whether the series of a panel should have linear coefficients of their own, on development sets.

`LinearForecaster` with complete pooling and with its default are fitted on the rows before the validation block of
`suite/sets.py` and forecast that block. One JSON line per set: both errors, and the penalty that the default chose on
windows before the block.
"""

import argparse
import json
import time
from pathlib import Path

import numpy as np
from suite.sets import SETS, load

import forecastkit as fk


def measured(about, folder: Path, most_rows: int) -> dict:
    """Return MASE and processor seconds with complete pooling and by default."""
    task = load(about, folder, block="validation", most_rows=most_rows)
    line = {"set": about.name, "series": len(task.ids)}
    for pooling in ("complete", "auto"):
        began = time.process_time()
        model = fk.LinearForecaster(
            horizon=about.horizon, series_id="series", time="time", target="y", pooling=pooling
        ).fit(task.train)
        line[f"{pooling}_seconds"] = round(time.process_time() - began, 2)
        result = fk.backtest(model, task.frame, n_windows=about.origins, stride=about.stride)
        line[pooling] = round(float(result.scores["mase"].iloc[0]), 4)
    penalty = model.penalty_of_corrections_
    return {**line, "penalty": None if np.isinf(penalty) else penalty}


def main(argv: list[str] | None = None) -> None:
    """Measure every development set of several series."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of the sets that are not bundled")
    parser.add_argument("--sets", help="comma-separated, default: all development sets of several series")
    parser.add_argument("--most-rows", type=int, default=3_000, help="latest rows of each series")
    parser.add_argument("--out", type=Path, help="JSON lines")
    args = parser.parse_args(argv)
    wanted = (args.sets or "m1_yearly_a,m1_quarterly_a,m1_monthly_a,m4_weekly_a,m4_hourly_a,etth2,exchange").split(",")
    lines = []
    for about in SETS:
        if about.name in wanted and about.development:
            lines.append(measured(about, args.data, args.most_rows))
            print(json.dumps(lines[-1]), flush=True)
    if args.out:
        args.out.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")


if __name__ == "__main__":
    main()
