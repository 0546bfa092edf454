"""What a person waits for: seconds of commands from a cold start, and of fits in a warm process.

Each wait is measured in processes of its own, in turns: seconds of the wall clock and of the processor, where other
work on the machine counts less. `--against NAME=FOLDER` measures another checkout of the library in the same run.
`--peers-python` measures the first fit with the peers that its environment has. A wait that fails is left out.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
#: Runs a command from a small process, since peak memory of children includes that of their parent.
COMMAND = """
import json, resource, subprocess, sys, time
began = time.perf_counter()
command = [sys.executable, "-m", "forecastkit", *sys.argv[1:]]
done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
seconds, used = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
if done.returncode:
    sys.exit(done.stderr.decode())
print(json.dumps({"seconds": seconds, "processor": used.ru_utime + used.ru_stime, "mb": used.ru_maxrss / 1e3}))
"""
#: Runs statements in a process where the libraries are loaded, and times the last of them.
WARM = """
import json, sys, time, warnings
warnings.simplefilter("ignore")
setup, timed = sys.argv[1:]
names = {}
exec(setup, names)
began, used = time.perf_counter(), time.process_time()
exec(timed, names)
print(json.dumps({"seconds": time.perf_counter() - began, "processor": time.process_time() - used}))
"""
LIBRARY = """
import keras
import forecastkit as fk
passengers = fk.load_dataset("airpassengers")
make = lambda **more: fk.GRUForecaster(horizon=12, random_state=0, **more)
"""
#: Waits of the command line, in an order in which files are there when they are needed.
COMMANDS = {
    "forecast --help": ["--help"],
    "forecast inspect table": ["inspect", "{csv}"],
    "forecast train": ["train", "--csv", "{csv}", "--horizon", "12", "--out", "{folder}/auto.forecast"],
    "forecast train --model gru": [
        "train", "--csv", "{csv}", "--horizon", "12", "--model", "gru", "--out", "{folder}/gru.forecast",
    ],
    "forecast predict, auto": ["predict", "{folder}/auto.forecast"],
    "forecast predict, gru": ["predict", "{folder}/gru.forecast"],
}  # fmt: skip
#: Waits of a process in which the library is loaded: what comes before, and what is timed.
CALLS = {
    "import forecastkit, then a linear fit": (
        "import pandas, sklearn",
        "import forecastkit as fk\nfk.LinearForecaster(horizon=12).fit(fk.load_dataset('airpassengers')).predict()",
    ),
    "first fit of a GRU": (LIBRARY, "make().fit(passengers)"),
    "second fit of a GRU": (LIBRARY + "make().fit(passengers)", "make().fit(passengers)"),
    "backtest of a GRU, 4 refits": (
        LIBRARY + "make().fit(passengers)",
        "fk.backtest(make(), passengers, n_windows=4, stride=6, refit=True).scores",
    ),
    "tuning of a GRU, 10 trials": (LIBRARY, "fk.tune(make(), passengers, n_trials=10)"),
    "comparison of 8 networks, budget 120 s": (
        LIBRARY,
        "fk.compare(['gru', 'lstm', 'rnn', 'transformer', 'min_lstm', 'lstm_transformer', 'cnn_transformer', 'tft'],"
        " passengers, horizon=12, folds=2, seeds=1, budget=120)",
    ),
}
#: The same fit by peers: a GRU of the library's default size and number of steps, on the same data.
PEER_CALLS = {
    "first fit of a GRU, neuralforecast": (
        "import pandas as pd\nfrom neuralforecast import NeuralForecast\nfrom neuralforecast.models import GRU\n"
        "frame = pd.read_csv({csv!r})\n"
        "frame = pd.DataFrame({{'unique_id': 'a', 'ds': pd.to_datetime(frame.iloc[:, 0]), 'y': frame.iloc[:, 1]}})\n",
        "NeuralForecast([GRU(h=12, input_size=36, max_steps=100)], 'MS').fit(frame)",
    ),
    "first fit of a GRU, darts": (
        "import pandas as pd\nfrom darts import TimeSeries\nfrom darts.models import BlockRNNModel\n"
        "frame = pd.read_csv({csv!r})\nframe.iloc[:, 0] = pd.to_datetime(frame.iloc[:, 0])\n"
        "series = TimeSeries.from_dataframe(frame, *frame.columns[:2])\n",
        "BlockRNNModel(36, 12, model='GRU', n_epochs=100).fit(series)",
    ),
}


def run(code: str, arguments: list[str], package: Path, python: str = sys.executable) -> dict | None:
    """Run code in a new process with this checkout of the library; None if it fails."""
    environment = {**os.environ, "PYTHONPATH": str(package), "TF_CPP_MIN_LOG_LEVEL": "3"}
    # Python looks for modules in the working directory first.
    command = [python, "-c", code, *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, cwd=package)
    if done.returncode:
        print(done.stderr.strip().splitlines()[-1:], file=sys.stderr)
        return None
    return json.loads(done.stdout.splitlines()[-1])


def waits(chosen: set[str], packages: dict[str, Path], repeats: int, folder: Path, peers: str | None) -> list[dict]:
    """Measure each wait for each checkout, in turns, and return the least of several figures."""
    csv = ROOT / "datasets" / "AirPassengers.csv"
    for name in packages:
        (folder / name).mkdir()
    lines = []
    for wait in [name for name in (*COMMANDS, *CALLS, *(PEER_CALLS if peers else ())) if name in chosen]:
        found: dict[str, list[dict]] = {name: [] for name in packages}
        for _ in range(repeats):
            for name, package in packages.items():
                if wait in COMMANDS:
                    arguments = [part.format(csv=csv, folder=folder / name) for part in COMMANDS[wait]]
                    if "--out" in arguments:  # it refuses to replace a file
                        Path(arguments[-1]).unlink(missing_ok=True)
                    found[name].append(run(COMMAND, arguments, package))
                elif wait in CALLS:
                    found[name].append(run(WARM, list(CALLS[wait]), package))
                elif name == "this":
                    statements = [part.format(csv=str(csv)) for part in PEER_CALLS[wait]]
                    found[name].append(run(WARM, statements, folder, peers))
        for name, figures in found.items():
            figures = [figure for figure in figures if figure]
            if figures:
                least = {key: round(min(one[key] for one in figures), 2) for key in figures[0]}
                lines.append({"wait": wait, "checkout": name, **least})
                print(json.dumps(lines[-1]), flush=True)
    return lines


def main(argv: list[str] | None = None) -> None:
    """Measure the chosen waits and write them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--waits", help="comma-separated beginnings of names, default: all")
    parser.add_argument("--against", action="append", default=[], metavar="NAME=FOLDER", help="another checkout")
    parser.add_argument("--peers-python", help="interpreter of an environment with neuralforecast or darts")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--out", type=Path, help="JSON")
    args = parser.parse_args(argv)
    packages = {"this": ROOT} | {name: Path(folder) for name, folder in (one.split("=", 1) for one in args.against)}
    begins = tuple((args.waits or "").split(","))
    chosen = {name for name in (*COMMANDS, *CALLS, *PEER_CALLS) if name.startswith(begins)}
    with tempfile.TemporaryDirectory() as folder:
        lines = waits(chosen, packages, args.repeats, Path(folder), args.peers_python)
    if args.out:
        machine = {"processor": platform.processor() or platform.machine(), "cores": os.cpu_count()}
        machine |= {"threads": os.environ.get("OMP_NUM_THREADS", "all"), "load": round(os.getloadavg()[0], 1)}
        args.out.write_text(json.dumps({**machine, "waits": lines}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
