"""What speed.py measured, as a table of the docs: ``python benchmarks/speed_table.py --page docs/speed.md``."""

import argparse
import json
from pathlib import Path

import pandas as pd
from speed import best, most
from table import markdown, rewritten

RESULTS = Path(__file__).resolve().parent / "results" / "speed.json"
HEADING = "## Beside other libraries"
NETWORKS = {"gru": "GRU", "lstm": "LSTM", "transformer": "Transformer"}
RIVALS = ("keras", "neuralforecast", "darts", "skforecast")


def speeds(model: str, results: dict) -> dict:
    """A row: our windows a second, and how many times those of the others they are, in a whole fit and once it runs."""
    own, part = results["training"][model]["ours"], results["of_matmul"][model]["ours"]["steady"]
    row = {
        "": f"{NETWORKS[model]}, training",
        "forecastkit": f"{best(own, 'windows_per_second'):,.0f} "
        f"({best(own, 'steady_windows_per_second'):,.0f}; {part:.0%}) windows/s",
    }
    for other, ratio in results["ratios"][model].items():
        row[other] = f"{ratio['whole_fit']:.1f} ({ratio['steady']:.1f}) times"
    return row


def memories(model: str, results: dict) -> dict:
    """A row: our peak of memory above the imports, and how many times that of the others it is."""
    own = most(results["training"][model]["ours"], above=True)
    row = {"": f"{NETWORKS[model]}, memory", "forecastkit": f"{own:,.0f} MB"}
    for other, ratio in results["ratios"][model].items():
        row[other] = f"{ratio['memory_above_imports']:.1f} times"
    return row


def shown(results: dict) -> pd.DataFrame:
    """All rows, as text."""
    models = [model for model in NETWORKS if model in results["training"]]
    rows = [make(model, results) for make in (speeds, memories) for model in models]
    frame = pd.DataFrame(rows)
    return frame[["", "forecastkit", *(name for name in RIVALS if name in frame)]].fillna("-")


def main(argv=None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--page", type=Path, help="put the table into this page instead of printing it")
    args = parser.parse_args(argv)
    table = markdown(shown(json.loads(args.results.read_text(encoding="utf-8"))))
    if args.page is None:
        print(table)
        return
    text = args.page.read_text(encoding="utf-8")
    args.page.write_text(rewritten(text, HEADING, table), encoding="utf-8")


if __name__ == "__main__":
    main()
