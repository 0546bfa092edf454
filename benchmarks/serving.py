"""The REST service of docs/examples under load: 50 clients at once, each with its own rows, one process.

A network is saved and served by uvicorn in a process of its own. Every client sends its requests one after another.
Seconds are those of the wall clock from sending a request to its complete answer.
"""

import argparse
import json
import os
import platform
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "examples"


def saved(path: Path) -> pd.Series:
    """Fit and save a small network; return the series."""
    import forecastkit as fk

    hours = np.arange(2000)
    values = 100 + 10 * np.sin(2 * np.pi * hours / 24) + np.random.default_rng(0).normal(0, 1, len(hours))
    series = pd.Series(values, pd.date_range("2024-01-01", periods=len(hours), freq="h", name="time"), name="load")
    fk.GRUForecaster(horizon=24, epochs=2, random_state=0).fit(series).save(path)
    return series


def started(path: Path) -> tuple[subprocess.Popen, str]:
    """Start the service and return its process and address, once it answers."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "uvicorn", "service:app", "--port", str(port), "--log-level", "error"]
    process = subprocess.Popen(command, cwd=FOLDER, env={**os.environ, "MODEL": str(path)})
    address = f"http://127.0.0.1:{port}/forecast"
    while process.poll() is None:
        try:
            answer(address, {})
            return process, address
        except OSError:
            time.sleep(0.1)
    raise SystemExit("the service did not start")


def answer(address: str, body: dict) -> list[dict]:
    """Send a request and return its answer."""
    request = urllib.request.Request(address, json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as found:
        return json.load(found)


def load(address: str, series: pd.Series, clients: int, requests: int, stored: bool) -> dict:
    """Seconds of all requests of so many clients at once, and the number of failures."""
    ready = threading.Barrier(clients)

    def client(number: int) -> list[float]:
        rows = (series.tail(100) + number).reset_index()
        body = {} if stored else {"history": rows.assign(time=rows["time"].astype(str)).to_dict("records")}
        ready.wait()
        seconds = []
        for _ in range(requests):
            began = time.perf_counter()
            try:
                failed = len(answer(address, body)) != 24
            except OSError:
                failed = True
            seconds.append(np.nan if failed else time.perf_counter() - began)
        return seconds

    began = time.perf_counter()
    with ThreadPoolExecutor(clients) as pool:
        seconds = np.concatenate(list(pool.map(client, range(clients))))
    whole = time.perf_counter() - began
    milliseconds = {f"p{level}_ms": round(1e3 * float(np.nanpercentile(seconds, level)), 1) for level in (50, 95, 99)}
    return {
        "clients": clients,
        "requests": len(seconds),
        "errors": int(np.isnan(seconds).sum()),
        "per_second": round(len(seconds) / whole, 1),
        **milliseconds,
    }


def main(argv: list[str] | None = None) -> None:
    """Serve, load, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clients", type=int, default=50)
    parser.add_argument("--requests", type=int, default=20, help="of each client")
    parser.add_argument("--out", type=Path, help="JSON")
    args = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.forecast"
        series = saved(path)
        process, address = started(path)
        try:
            found = {
                "one client, stored rows": load(address, series, 1, args.requests, stored=True),
                "stored rows": load(address, series, args.clients, args.requests, stored=True),
                "rows of the request": load(address, series, args.clients, args.requests, stored=False),
            }
            found["memory_mb"] = round(memory(process.pid), 1)
        finally:
            process.terminate()
            process.wait()
    print(json.dumps(found, indent=1))
    if args.out:
        machine = {"processor": platform.processor() or platform.machine(), "cores": os.cpu_count()}
        args.out.write_text(json.dumps({**machine, **found}, indent=1) + "\n", encoding="utf-8")


def memory(process: int) -> float:
    """Peak resident memory in megabytes, from /proc."""
    status = Path(f"/proc/{process}/status")
    lines = status.read_text(encoding="utf-8").splitlines() if status.exists() else []
    return next((int(line.split()[1]) / 1e3 for line in lines if line.startswith("VmHWM")), float("nan"))


if __name__ == "__main__":
    main()
