"""Training windows per second and peak memory, against plain Keras, neuralforecast, darts and skforecast, as ratios.

GRU and LSTM of 64 units read 96 values one by one and forecast 24; the Transformer has PatchTST's size (patches of
16, two layers, four heads). Contenders run in turn (A B C A B C), each in a process of its own.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
from pathlib import Path

import arithmetic

HERE = Path(__file__).resolve().parent
MODELS = ("gru", "lstm", "transformer")
RECURRENT = ("gru", "lstm")


def run(python: str, *arguments: object) -> dict:
    """The JSON line of one contender."""
    command = [python, str(HERE / "contenders.py"), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{done.stderr[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def race(model: str, pythons: dict, windows: int, rounds: int) -> dict:
    """Every contender in turn, `rounds` times: all runs of each by name."""
    runs = {name: [] for name in pythons}
    for _ in range(rounds):
        for name, python in pythons.items():
            runs[name].append(run(python, name, model, windows))
            print(f"{model:12} {name:15} {line(runs[name][-1])}", flush=True)
    return runs


def line(run: dict) -> str:
    return (
        f"{run['windows_per_second']:8.0f} windows/s, steady {run['steady_windows_per_second']:8.0f}, "
        f"start {run['start_seconds']:5.1f} s, peak {run['peak']:6.0f} MB, {run['weights']:,} weights"
    )


def ratios(runs: dict) -> dict:
    """Ours over each of the others: best run over best run, and the peaks of memory."""
    found = {}
    for other in runs.keys() - {"ours"}:
        pairs = zip(runs["ours"], runs[other], strict=True)
        found[other] = {
            "whole_fit": best(runs["ours"], "windows_per_second") / best(runs[other], "windows_per_second"),
            "whole_fit_by_round": [one["windows_per_second"] / two["windows_per_second"] for one, two in pairs],
            "steady": best(runs["ours"], "steady_windows_per_second") / best(runs[other], "steady_windows_per_second"),
            "peak_memory": most(runs["ours"]) / most(runs[other]),
            "memory_above_imports": most(runs["ours"], above=True) / most(runs[other], above=True),
        }
    return found


def best(runs: list[dict], key: str) -> float:
    return max(run[key] for run in runs)


def most(runs: list[dict], above: bool = False) -> float:
    """The highest peak of memory, or what it is `above` the process's peak before the call, in MB."""
    return max(run["peak"] - (run["imported"] if above else 0.0) for run in runs)


def fractions(model: str, runs: dict, rate: float) -> dict:
    """Which part of the rate of the machine's matrix products each one's training makes use of, whole and steady."""
    keys = {"whole_fit": "windows_per_second", "steady": "steady_windows_per_second"}
    return {
        name: {label: arithmetic.training_fraction(model, best(those, key), rate) for label, key in keys.items()}
        for name, those in runs.items()
    }


def machine() -> dict:
    """What the figures hold for."""
    cpu = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        cpu = next((row.split(":")[1].strip() for row in info.read_text().splitlines() if "model name" in row), cpu)
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "cpu": cpu,
        "cores": os.cpu_count(),
        "memory_gib": round(memory),
        "system": platform.system(),
        "python": platform.python_version(),
        "load_before": round(os.getloadavg()[0], 2),
    }


def rounded(value):
    """Three decimals for small numbers, none for large ones, all the way down."""
    if isinstance(value, dict):
        return {key: rounded(each) for key, each in value.items()}
    if isinstance(value, list):
        return [rounded(each) for each in value]
    return round(value, 3 if value < 100 else 0) if isinstance(value, float) else value


def arguments(argv=None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", default=",".join(MODELS))
    parser.add_argument("--windows", type=int, default=228 * 2 * 256, help="windows to train on in each run")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--no-keras", action="store_true", help="leave plain Keras out")
    parser.add_argument("--peers-python", help="python of an environment with neuralforecast; left out without it")
    parser.add_argument("--more-python", help="python of an environment with darts and skforecast; left out without it")
    parser.add_argument("--out", type=Path, help="JSON file to write")
    return parser.parse_args(argv)


def candidates(args: argparse.Namespace, model: str) -> dict:
    """The python of each contender's environment by its name."""
    pythons = {"ours": sys.executable}
    if not args.no_keras:
        pythons["keras"] = sys.executable
    if args.peers_python:
        pythons["neuralforecast"] = args.peers_python
    if args.more_python and model in RECURRENT:
        pythons |= {"darts": args.more_python, "skforecast": args.more_python}
    return pythons


def measure(model: str, args: argparse.Namespace, results: dict) -> None:
    """Put one network's runs, ratios, fractions and backtest into the results, and print them."""
    runs = race(model, candidates(args, model), args.windows, args.rounds)
    results["training"][model], results["ratios"][model] = runs, ratios(runs)
    results["of_matmul"][model] = fractions(model, runs, results["machine"]["matmul_gflops"] * 1e9)
    for other, found in results["ratios"][model].items():
        print(
            f"{model:12} ours / {other}: {found['whole_fit']:.2f} whole fit, {found['steady']:.2f} steady, "
            f"{found['peak_memory']:.2f} peak memory, {found['memory_above_imports']:.2f} of it above the imports",
            flush=True,
        )
    for name, part in results["of_matmul"][model].items():
        print(
            f"{model:12} {name}: {part['steady']:.0%} of the machine's matrix products, {part['whole_fit']:.0%} whole"
        )
    told = results["backtest"][model] = run(sys.executable, "backtest", model, 2560)
    print(f"{model:12} backtest {told['seconds']:.1f} s for {told['forecasts']:,} forecasts", flush=True)


def main(argv=None) -> None:
    args = arguments(argv)
    results = {"machine": machine(), "training": {}, "ratios": {}, "of_matmul": {}, "backtest": {}}
    results["machine"]["matmul_gflops"] = arithmetic.matmul_rate() / 1e9
    for model in args.models.split(","):
        measure(model, args, results)
    if args.out:
        args.out.parent.mkdir(parents=True, exist_ok=True)
        args.out.write_text(json.dumps(rounded(results), indent=1) + "\n")


if __name__ == "__main__":
    main()
