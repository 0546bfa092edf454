"""Training windows per second of one worker on one core, and of two on a core each that share every batch.

Both are the same script in processes of their own, pinned to their cores before TensorFlow is imported; the two meet on
loopback by TF_CONFIG. They are run in turn (1 2 1 2), and best runs are compared.
"""

import argparse
import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

from speed import machine, rounded

ROWS, LOOKBACK, HORIZON = 20_000, 96, 24


def free_ports(count: int) -> list[int]:
    """Ports of loopback that nobody listens on."""
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in held]
    for one in held:
        one.close()
    return ports


def run(workers: int, cores: list[int], args) -> dict:
    """Train on so many workers, each on a core of its own; what the first tells."""
    addresses = [f"127.0.0.1:{port}" for port in free_ports(workers)]
    processes = []
    for index in range(workers):
        config = {"cluster": {"worker": addresses}, "task": {"type": "worker", "index": index}}
        one_core = {"TF_NUM_INTRAOP_THREADS": "1", "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": "-1"}
        environment = {**os.environ, **one_core, "TF_CONFIG": json.dumps(config), "TF_CPP_MIN_LOG_LEVEL": "3"}
        command = [sys.executable, __file__, "--core", cores[index], "--model", args.model, "--batch", args.batch,
                   "--patch", args.patch, "--steps", args.steps, "--epochs", args.epochs]  # fmt: skip
        pipe = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        processes.append(subprocess.Popen(list(map(str, command)), env=environment, **pipe))
    said = [process.communicate() for process in processes]
    for process, (_, error) in zip(processes, said, strict=True):
        if process.returncode:
            sys.exit(f"{' '.join(process.args)} failed:\n{error[-2000:]}")
    return json.loads(said[0][0].splitlines()[-1])


def train(args) -> dict:
    """What one worker does: seconds of the whole fit and of an epoch's steps once all is compiled."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {args.core})
    import numpy as np

    import forecastkit as fk

    rng = np.random.default_rng(0)
    series = np.sin(np.arange(ROWS) * 2 * np.pi / 24) + 0.1 * rng.normal(size=ROWS)
    forecaster = fk.KerasForecaster(
        backbone=fk.backbones.find(args.model)(units=64),
        horizon=HORIZON,
        lookback=LOOKBACK,
        patch=args.patch,
        batch_size=args.batch,
        windows_per_epoch=args.batch * args.steps,
        epochs=args.epochs,
        final_epochs=0,
        patience=None,
        validation_size=0.02,
        random_state=0,
        distribute="auto",
    )
    began = time.monotonic()
    forecaster.fit(series)
    seconds = time.monotonic() - began
    record, windows = forecaster.training_history_, args.batch * args.steps
    return {
        "windows_per_second": windows * args.epochs / seconds,
        "steady_windows_per_second": windows / record.epoch_seconds(),
        "loss": record.loss[-1],
    }


def main(argv=None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="gru")
    parser.add_argument("--batch", type=int, default=2_048, help="windows of a step, of all workers together")
    parser.add_argument("--patch", type=int, default=1)
    parser.add_argument("--steps", type=int, default=25, help="steps of an epoch")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--core", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--out", type=Path)
    args = parser.parse_args(argv)
    if args.core is not None:
        print(json.dumps(train(args)))
        return 0
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else list(range(os.cpu_count() or 1))
    if len(cores) < 2:
        sys.exit("scaling.py needs two cores")
    about = machine()
    runs = {"one": [], "two": []}
    for _ in range(args.rounds):
        for name, workers in (("one", 1), ("two", 2)):
            runs[name].append(run(workers, cores, args))
            print(f"{name:4} {runs[name][-1]['steady_windows_per_second']:8.0f} windows/s", flush=True)
    best = {name: max(one["steady_windows_per_second"] for one in those) for name, those in runs.items()}
    ratio = best["two"] / best["one"]
    print(f"two workers: {ratio:.2f} times one")
    if args.out:
        settings = {name: getattr(args, name) for name in ("model", "batch", "patch", "steps", "epochs", "rounds")}
        found = {"machine": about, **settings, "ratio": ratio, "runs": runs}
        args.out.write_text(json.dumps(rounded(found), indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
