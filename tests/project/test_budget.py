"""How much code a reader has to follow: files on the two main paths, and parameters of functions."""

import ast
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import forecastkit as fk

PACKAGE = Path(fk.__file__).parent
#: Files of the library that `fit` and `predict` of a GRU without covariates enter. The aim is 24 and 14; the linear
#: forecast that networks correct takes three of them.
MAX_FIT, MAX_PREDICT = 30, 14
#: Parameters of a function that is no constructor, and those that have more: public functions have a keyword for each
#: choice, and the command line one for each option.
MAX_PARAMETERS = 8
LONGER = {
    "comparison.comparison.compare": 14,
    "data.memmap.build.map_parquet": 9,
    "evaluation.backtesting.backtest": 12,
    "inspection.interpretation.interpret": 11,
    "integrations.tf_dataset.window_dataset": 9,
    "plotting.forecasts.plot_backtest": 10,
    "plotting.forecasts.plot_forecast": 9,
    "reporting.report.report": 10,
    "tuning.api.tune": 14,
}


def files_entered(call) -> set[str]:
    """Files of the library in which a call enters a function."""
    entered = set()

    def profile(frame, event, argument):
        path = Path(frame.f_code.co_filename)
        if event == "call" and path.is_relative_to(PACKAGE):
            entered.add(str(path.relative_to(PACKAGE)))

    before = sys.getprofile()
    sys.setprofile(profile)
    try:
        call()
    finally:
        sys.setprofile(before)
    return entered


@pytest.fixture(scope="module")
def paths():
    """Files entered by `fit` and by `predict`, after a first fit has imported and traced everything."""
    y = pd.Series(np.sin(np.arange(120.0)), index=pd.date_range("2024-01-01", periods=120, freq="D"))
    sizes = {"horizon": 3, "lookback": 12, "units": 4, "epochs": 1, "windows_per_epoch": 16, "random_state": 0}
    fk.GRUForecaster(**sizes).fit(y).predict()
    model = fk.GRUForecaster(**sizes)
    return files_entered(lambda: model.fit(y)), files_entered(model.predict)


def test_fit_and_predict_enter_few_files(paths):
    fit, predict = paths
    assert "forecasters/base.py" in fit
    assert "forecasters/predict.py" in predict
    assert len(fit) <= MAX_FIT, sorted(fit)
    assert len(predict) <= MAX_PREDICT, sorted(predict)


def parameters_of(node) -> int:
    """How many parameters a function has, `self` and `cls` aside."""
    names = [a.arg for a in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)]
    return sum(name not in ("self", "cls") for name in names) + sum(map(bool, (node.args.vararg, node.args.kwarg)))


def test_functions_take_few_parameters():
    found = {}
    for path in PACKAGE.rglob("*.py"):
        module = ".".join(path.relative_to(PACKAGE).with_suffix("").parts)
        if not module.startswith("cli."):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.FunctionDef) and node.name != "__init__":
                    found[f"{module}.{node.name}"] = parameters_of(node)
    assert {name: count for name, count in found.items() if count > MAX_PARAMETERS} == LONGER
