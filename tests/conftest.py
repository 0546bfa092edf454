"""What all tests share: a quiet TensorFlow, one thread, and a few tiny data sets."""

import contextlib
import gc
import io
import json
import os
import pickle
import sys

# Before TensorFlow is imported: its C++ side reads these once.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
# Two workers share two cores; and sums, and so their last bits, depend on how work is split.
os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")
os.environ.setdefault("TF_NUM_INTEROP_THREADS", "1")
# It rewrites every graph and compiles kernels for every shape, for products that take microseconds without.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
# Before NumPy is: threads of BLAS wait for each other in a loop, and two workers on two cores would do little else.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("MPLBACKEND", "Agg")

import numpy as np
import pandas as pd
import pytest

from forecastkit.cli import main
from forecastkit.datasets import dataset_path
from forecastkit.training.trained_network import NETWORK_CACHE

# Tests of one process fit a few hundred kinds of tiny networks; each is traced once as long as it is kept.
NETWORK_CACHE.max_networks = 24
# Graphs and traced networks are a million objects that stay: looking through them took a fifth of the time.
gc.set_threshold(50_000, 10, 10)


def is_long(item) -> bool:
    """Whether a test is slow or rotated."""
    return any(item.get_closest_marker(name) for name in ("slow", "rotated"))


def pytest_collection_finish(session):
    """Exclude what is loaded from garbage collection; if no test is long, fold no constants of graphs either."""
    gc.freeze()
    if "tensorflow" in sys.modules and not any(map(is_long, session.items)):
        v1, context = sys.modules["tensorflow"].compat.v1, sys.modules["tensorflow.python.eager.context"].context()
        options = v1.OptimizerOptions(opt_level=v1.OptimizerOptions.L0)
        # There is no public switch. TensorFlow reads it once, when it computes something for the first time.
        context._config = v1.ConfigProto(graph_options=v1.GraphOptions(optimizer_options=options))


def optimize_graphs(wanted: bool) -> None:
    """Choose whether TensorFlow optimizes graphs, which for a tiny network takes longer than running it."""
    if tensorflow := sys.modules.get("tensorflow"):
        tensorflow.config.optimizer.set_experimental_options({"disable_meta_optimizer": not wanted})


def pytest_runtest_setup(item):
    """Optimize graphs in slow and rotated tests only."""
    optimize_graphs(is_long(item))


#: Random tables of each kind, through the command line and in Python; CONTRIBUTING.md has the other numbers.
FUZZED = int(os.environ.get("FORECASTKIT_FUZZ", "60"))

#: Sizes that train in a second or two.
SMALL = {
    "horizon": 6,
    "lookback": 24,
    "patch": 6,
    "units": 8,
    "epochs": 1,
    "windows_per_epoch": 256,
    "batch_size": 64,
    "random_state": 0,
    "linear_path": False,
}


#: Backbones whose layers another one has too; `.ci/run` tests them in rotation.
ROTATED_BACKBONES = (
    "cnn_transformer",
    "convolutional_blocks",
    "decoder_only",
    "encoder_decoder",
    "gru_transformer",
    "min_lstm",
    "recurrent_blocks",
    "rnn",
    "rnn_transformer",
    "transformer_xl",
)


def in_rotation(values, rotated) -> list:
    """Values for `parametrize`, with the mark `rotated` on some of them."""
    return [pytest.param(value, marks=pytest.mark.rotated) if value in rotated else value for value in values]


def wave(rows: int, seed: int = 0, season: int = 24) -> np.ndarray:
    """A season with noise, float64."""
    rng = np.random.default_rng(seed)
    return 10 + 3 * np.sin(2 * np.pi * np.arange(rows) / season) + rng.normal(0, 0.3, rows)


def make_panel(rows: int = 240, series=("a", "b", "c")) -> pd.DataFrame:
    """Hourly series of different lengths with gaps, a known, a past and a static covariate."""
    parts = []
    for number, name in enumerate(series):
        length = rows - 20 * number
        rng = np.random.default_rng(number)
        temp = rng.normal(size=length)
        frame = pd.DataFrame(
            {
                "unique_id": name,
                "ds": pd.date_range("2024-01-01", periods=length, freq="h"),
                "load": wave(length, number) * 10.0 ** (2 * number) + temp,
                "temp": temp,
                "wind": rng.normal(size=length),
                "size": float(number),
            }
        )
        frame.loc[30:35, "load"] = np.nan
        parts.append(frame.drop(index=range(60, 66)))
    return pd.concat(parts, ignore_index=True)


def make_future(panel: pd.DataFrame, steps: int = 6) -> pd.DataFrame:
    """The rows after each series of `make_panel`, with the known covariate."""
    last = panel.groupby("unique_id", sort=False)[["ds", "size"]].last()
    return pd.concat(
        [
            pd.DataFrame(
                {
                    "unique_id": name,
                    "ds": pd.date_range(row.ds, periods=steps + 1, freq="h")[1:],
                    "temp": np.linspace(-1, 1, steps),
                    "size": row["size"],
                }
            )
            for name, row in last.iterrows()
        ],
        ignore_index=True,
    )


ROLES = {"target": "load", "known": "temp", "past": "wind", "static": "size"}


def weights_of(model) -> list[np.ndarray]:
    """The weights of a network. Unlike `model_`, this leaves the Keras model to the next fit of its kind."""
    return pickle.loads(pickle.dumps(model.network_)).weights


@pytest.fixture(scope="session")
def hourly() -> pd.DataFrame:
    """Two hourly targets in columns, 240 rows."""
    index = pd.date_range("2024-01-01", periods=240, freq="h", name="time")
    return pd.DataFrame({"north": wave(240), "south": 100 * wave(240, 1)}, index=index)


@pytest.fixture(scope="session")
def panel() -> pd.DataFrame:
    """See `make_panel`. Shared by the session: do not write to it."""
    return make_panel()


@pytest.fixture(scope="session")
def future(panel) -> pd.DataFrame:
    """See `make_future`."""
    return make_future(panel)


@pytest.fixture(scope="session")
def gru(panel):
    """A GRU fitted on the panel with covariates of all three roles. Shared by the session: do not fit it again."""
    import forecastkit as fk

    return fk.GRUForecaster(**SMALL, **ROLES).fit(panel)


# The command line -----------------------------------------------------------------------------------------------------

AIR = str(dataset_path("airpassengers"))
#: Flags of a network that trains in a second.
TINY = (
    *("--model", "gru", "--epochs", "2", "--windows-per-epoch", "64"),
    *("--set", "units=8", "--set", "patch=12", "--set", "linear_path=false"),
)


@pytest.fixture
def home(tmp_path, monkeypatch):
    """The working directory, empty."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def run(home, capsys):
    """Runs a command in an empty folder, which must end with this code; gives what it printed."""

    def command(*args, code=0):
        ended = main([str(arg) for arg in args])
        printed = capsys.readouterr()
        assert ended == code, printed.err
        return printed

    return command


@pytest.fixture(scope="session")
def air(tmp_path_factory):
    """A small GRU on AirPassengers, fitted on the rows before its test; what `train --json` printed and warned of."""
    path, printed, warned = tmp_path_factory.mktemp("air") / "air.forecast", io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(warned):
        assert main(["train", "--csv", AIR, *TINY, "--no-refit", "--out", str(path), "--json"]) == 0
    return path, json.loads(printed.getvalue()), warned.getvalue()
