"""Errors of forecasters with nothing set but the horizon, on many data sets: a JSON line per set and method.

Every series ends with a test block of several origins. Methods of this library are fitted once on the rows before it
and forecast from each origin, seeing the rows up to it. MASE and WQL are shown relative to those of the seasonal naive
on the same windows, as geometric means over sets with intervals of a bootstrap over sets. Lines that are there are not
run again. Sets that choices of defaults may look at are told apart from those only reported: see suite/sets.py.
"""

import argparse
import time
from pathlib import Path

import accuracy
import blocks
import numpy as np
import table
from suite import methods, scores, sets

#: Data sets that need no folder of files.
BUNDLED = tuple(one.name for one in sets.SETS if one.bundled)


def main(argv=None) -> None:
    args = arguments(argv)
    wanted = [one for one in sets.SETS if one.name in args.sets]
    for about in wanted:
        task = None
        for name in args.methods:
            if is_done(args.out, about.name, name):
                continue
            task = task or sets.load(about, args.data, args.most_rows, args.block)
            measure(task, name, args)
    show(accuracy.lines_of(args.out), args.wide)


def measure(task: sets.Task, name: str, args) -> None:
    """Run one method, or the average of methods whose forecasts are stored, and append its line."""
    began, about = time.perf_counter(), task.about
    if "+" in name:
        parts = [stored(args.forecasts, about.name, part) for part in name.split("+")]
        if not all(parts):
            return
        made = methods.average(parts)
    else:
        try:
            made = methods.run(name, task, args.peers_python)
        except Exception as error:
            print(f"{about.name}: {name} failed: {error!r}"[:300], flush=True)
            return
        keep(args.forecasts, about.name, name, made)
    line = {
        "set": about.name,
        "method": name,
        "development": about.development,
        "block": args.block,
        **{key: round(value, 5) for key, value in scores.score(task, made.point, made.quantiles).items()},
        "fit_seconds": round(made.fit_seconds, 2),
        "seconds": round(made.seconds, 2),
    }
    accuracy.write_line(args.out, {**line, **accuracy.environment()})
    print(f"{about.name}: {name} MASE {line['mase']:.3f} ({time.perf_counter() - began:.1f} s)", flush=True)


def is_done(path: Path, set_name: str, name: str) -> bool:
    return any(line["set"] == set_name and line["method"] == name for line in accuracy.lines_of(path))


def keep(folder: Path | None, set_name: str, name: str, made: methods.Forecasts) -> None:
    """Store forecasts, which averages are made from."""
    if folder is None:
        return
    folder.mkdir(parents=True, exist_ok=True)
    more = {} if made.quantiles is None else {"quantiles": made.quantiles.astype("float32")}
    seconds = {"fit_seconds": made.fit_seconds, "seconds": made.seconds}
    np.savez(folder / f"{set_name}-{name}.npz", point=made.point.astype("float32"), **seconds, **more)


def stored(folder: Path | None, set_name: str, name: str) -> methods.Forecasts | None:
    path = None if folder is None else folder / f"{set_name}-{name}.npz"
    if path is None or not path.exists():
        return None
    found = np.load(path)
    quantiles = found.get("quantiles", None)
    return methods.Forecasts(found["point"], quantiles, float(found["fit_seconds"]), float(found["seconds"]))


def show(lines: list[dict], wide: bool) -> None:
    """The tables of all lines."""
    if not any(line["method"] == scores.REFERENCE for line in lines):
        print(f"no line of {scores.REFERENCE}, which all others are relative to")
        return
    shown = scores.summary(lines)
    for name, digits in (("mase", 3), ("wql", 3), ("coverage", 3), ("seconds", 0)):
        shown[name] = shown[name].map(f"{{:.{digits}f}}".format)
    print(table.markdown(shown))
    if wide:
        relative = scores.wide(lines).map("{:.3f}".format).reset_index()
        print(table.markdown(relative))


def arguments(argv=None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="folder of the files that are not bundled")
    parser.add_argument("--sets", type=accuracy.names, help="default: all that can be read; or development, reported")
    parser.add_argument("--methods", type=accuracy.names, default=["seasonal_naive", "linear"],
                        help="forecasters by name (gru, auto, ...), peers, averages such as gru+linear")  # fmt: skip
    parser.add_argument(
        "--peers-python", type=Path, help=f"a Python that has the packages of {', '.join(methods.PEERS)}"
    )
    parser.add_argument("--out", type=Path, required=True, help="lines are appended; those there are not run again")
    parser.add_argument("--forecasts", type=Path, help="folder of the forecasts, which averages are made from")
    parser.add_argument(
        "--block", choices=("test", "validation"), default="test",
        help="validation: the rows before the test block, for choices; take another --out for it",
    )  # fmt: skip
    parser.add_argument("--most-rows", type=int, default=sets.MAX_ROWS, help="latest rows kept of each series")
    parser.add_argument("--wide", action="store_true", help="print a table of all sets too")
    args = parser.parse_args(argv)
    args.sets = chosen(args.sets, args.data)
    return args


def chosen(names: list[str] | None, folder: Path | None) -> list[str]:
    """Names of the data sets asked for."""
    known = {one.name: one for one in sets.SETS if one.bundled or folder is not None}
    halves = {"development": True, "reported": False}
    if names is None:
        return list(known)
    found = [[n for n in known if known[n].development == halves[name]] if name in halves else [name] for name in names]
    found = [name for part in found for name in part]
    absent = [name for name in found if name not in known]
    if absent:
        raise SystemExit(f"no data set {', '.join(absent)}; there are {', '.join(known)}; others need --data FOLDER")
    return found


if __name__ == "__main__":
    blocks.use_checkout()
    main()
