"""The study of the fourteen claims about recurrent networks and Transformers: one JSON line per measurement.

Measurements whose line is there are not taken again, so that the script goes on where it was stopped. Claims 5, 8, 13
and 14 also rest on the lines that accuracy.py wrote. With --table nothing is measured: the verdicts are printed as
markdown, derived from the lines by code.
"""

import argparse
import json
import os
import sys
import time
from pathlib import Path

from accuracy import environment, lines_of, whole_numbers
from study import plan, published, verdicts
from table import rewritten

FOLDER = Path(__file__).resolve().parent
HEADING = "## The claims"
RESULTS, ACCURACY = FOLDER / "results" / "study.jsonl", FOLDER / "results" / "accuracy.jsonl"


def chosen(args) -> list:
    """The measurements for these claims that can be taken: M1 is not bundled."""
    planned = plan.quick() if args.quick else plan.full()
    wanted = [each for each in planned if set(plan.MEASURES[each.measure][1]) & set(args.claims)]
    if args.data is None:
        kept = [each for each in wanted if each.key.get("data") != "m1"]
        if len(kept) < len(wanted):
            print("without --data, M1 is left out", flush=True)
        return kept
    return wanted


def take(args) -> None:
    """Take every measurement that has no line yet, until the minutes are over."""
    began, todo = time.monotonic(), chosen(args)
    for number, each in enumerate(todo, start=1):
        if any(each.matches(line) for line in lines_of(args.out)):
            continue
        if args.minutes and time.monotonic() - began > 60 * args.minutes:
            print(f"{args.minutes} minutes are over, {len(todo) - number + 1} left for the next call")
            return
        one(each, args, f"{number}/{len(todo)}")


def one(each, args, place: str) -> None:
    """Take one measurement and append its line."""
    import keras

    started = time.perf_counter()
    more = {"folder": str(args.data)} if each.key.get("data") == "m1" else {}
    result = each.run(**more)
    spent = round(time.perf_counter() - started, 1)
    line = {"measure": each.measure, "key": each.key, "result": result, "seconds": spent, **environment()}
    args.out.parent.mkdir(parents=True, exist_ok=True)
    with args.out.open("a", encoding="utf-8") as file:
        file.write(json.dumps(rounded(line)) + "\n")
    print(f"{place} {each}: {spent:.0f} s", flush=True)
    keras.backend.clear_session()  # hundreds of networks would pile up


def rounded(value):
    """Floats to six significant digits, in lists and dicts too."""
    if isinstance(value, dict):
        return {key: rounded(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [rounded(each) for each in value]
    return float(f"{value:.6g}") if isinstance(value, float) else value


def child(name: str, key: str) -> None:
    """Measure in this process, for a parent that reads the last line. All cores may be used, by so many threads."""
    from study import cost

    if hasattr(os, "sched_setaffinity") and os.environ.get("TF_NUM_INTRAOP_THREADS") != "1":
        os.sched_setaffinity(0, range(os.cpu_count()))
    print(json.dumps(getattr(cost, f"{name}_here")(**json.loads(key))))


def told(args) -> list:
    """All verdicts, from the lines of both files."""
    return verdicts.verdicts(lines_of(args.out), published.summary(lines_of(args.accuracy)))


def arguments(argv=None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--claims", type=whole_numbers, default=tuple(range(1, 15)), help="such as 1,2; default: all")
    parser.add_argument("--data", type=Path, help="folder with m1_monthly.csv.gz")
    parser.add_argument("--quick", action="store_true", help="one small measurement of each kind")
    parser.add_argument("--minutes", type=float, help="start no measurement after so many")
    parser.add_argument("--out", type=Path, default=RESULTS, help="lines are appended; those there are not taken again")
    parser.add_argument("--accuracy", type=Path, default=ACCURACY, help="the lines of accuracy.py")
    parser.add_argument("--table", action="store_true", help="print the verdicts as markdown, measure nothing")
    parser.add_argument("--page", type=Path, help="put the verdicts into this page, measure nothing")
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    return parser.parse_args(argv)


def main(argv=None) -> None:
    args = arguments(argv)
    if args.child:
        child(*args.child)
    elif args.table:
        print(verdicts.markdown(told(args)))
    elif args.page:
        text = args.page.read_text(encoding="utf-8")
        args.page.write_text(rewritten(text, HEADING, verdicts.markdown(told(args))), encoding="utf-8")
    else:
        take(args)


if __name__ == "__main__":
    # The checkout this script lies in, whether or not another version is installed.
    sys.path.insert(0, str(FOLDER.parent))
    main()
