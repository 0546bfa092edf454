"""Imports of `forecast predict` in a new process, as they take most of its time."""

import json
import subprocess
import sys
from functools import partial

import numpy as np
import pytest
from sklearn.base import BaseEstimator

import forecastkit as fk
from forecastkit.utils import estimator

#: Packages that a forecast does not need.
UNUSED = {"IPython", "dask", "joblib", "keras", "matplotlib", "narwhals", "scipy", "sklearn", "tensorflow"}
#: Modules of ours that read tables, for which no file is given.
READERS = ("forecastkit.data.files.", "forecastkit.data.ingest.read_panel", "forecastkit.data.ingest.find_keys")

COMMAND = """
import sys
from forecastkit.cli import main

code = main()
print(code, *sys.modules, file=sys.stderr)
"""


def in_a_process(*arguments):
    """Exit code, output and imported modules of a command, run as the console script runs it."""
    done = subprocess.run([sys.executable, "-c", COMMAND, *map(str, arguments)], capture_output=True, text=True)
    code, *modules = done.stderr.splitlines()[-1].split()
    return int(code), done, set(modules)


def test_a_forecast_imports_what_it_uses(tmp_path, gru, future):
    gru.save(tmp_path / "gru.forecast")
    future.to_csv(tmp_path / "future.csv", index=False)
    code, done, modules = in_a_process(
        "predict", tmp_path / "gru.forecast", "--future", tmp_path / "future.csv", "--json"
    )
    assert code == 0, done.stderr
    assert not modules & (UNUSED - {"narwhals"})
    forecast = [row["forecast"] for row in json.loads(done.stdout)["forecast"]]
    expected = gru.forecast(future)["forecast"]
    np.testing.assert_allclose(forecast, expected, rtol=0, atol=1e-5 * np.ptp(expected))


@pytest.mark.parametrize("name", ["linear", "auto"])
def test_a_forecast_from_the_stored_history_reads_no_table(tmp_path, hourly, name):
    makers = {"linear": fk.LinearForecaster, "auto": partial(fk.AutoForecaster, forecasters=["linear"])}
    model = makers[name](horizon=6, lookback=24).fit(hourly)
    model.save(tmp_path / "model.forecast")
    code, done, modules = in_a_process("predict", tmp_path / "model.forecast", "--json")
    assert code == 0, done.stderr
    assert not modules & UNUSED
    assert not [name for name in modules if name.startswith(READERS)]
    forecast = [row["forecast"] for row in json.loads(done.stdout)["forecast"]]
    np.testing.assert_allclose(forecast, model.forecast()["forecast"])


def test_a_missing_model_is_refused_before_pandas_is_imported(tmp_path):
    code, done, modules = in_a_process("predict", tmp_path / "none.forecast")
    assert (code, done.stdout) == (1, "")
    assert "the file must exist" in done.stderr
    assert not modules & (UNUSED | {"pandas", "pyarrow"})


def test_base_classes_are_scikit_learns_if_it_is_imported():
    estimator.forecast_only()
    assert estimator.BaseEstimator is BaseEstimator
    assert issubclass(fk.LinearForecaster, BaseEstimator)
    with pytest.raises(AttributeError, match="ClassifierMixin"):
        _ = estimator.ClassifierMixin
