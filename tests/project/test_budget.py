"""How much code a reader has to follow: files on the two main paths, and parameters of functions."""

import ast
import inspect
import re
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import forecastkit as fk
from forecastkit.comparison.comparison import CompareOptions
from forecastkit.evaluation.backtesting import BacktestOptions
from forecastkit.inspection.interpretation import InterpretOptions
from forecastkit.training.trained_network import TrainedNetwork
from forecastkit.tuning.api import TuneOptions

PACKAGE = Path(fk.__file__).parent
#: Files of the library that `fit` and `predict` of a GRU without covariates enter at most.
MAX_FIT, MAX_PREDICT = 24, 13
#: Parameters of a function that is no constructor; the command line has one for each option.
MAX_PARAMETERS = 8
#: Functions with further options, and the types that list them.
OPTIONS = {
    fk.backtest: BacktestOptions,
    fk.compare: CompareOptions,
    fk.interpret: InterpretOptions,
    fk.tune: TuneOptions,
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
    fit = files_entered(lambda: model.fit(y))
    with pytest.MonkeyPatch.context() as patch:
        # The sine is linear in its past, and a network without corrections is not evaluated.
        patch.setattr(TrainedNetwork, "linear_map", lambda network: None)
        return fit, files_entered(model.predict)


def test_fit_and_predict_enter_few_files(paths):
    fit, predict = paths
    assert "forecasters/base.py" in fit
    assert "forecasters/predict.py" in predict
    assert len(fit) <= MAX_FIT, sorted(fit)
    assert len(predict) <= MAX_PREDICT, sorted(predict)


def test_the_documented_walks_are_those_of_the_code(paths):
    text = (PACKAGE.parent / "docs" / "architecture.md").read_text(encoding="utf-8")
    walks = text.split("## The walk of a fit and of a forecast")[1].split("\n## ")[0].split("`predict()` then enters:")
    for walk, entered in zip(walks, paths, strict=True):
        tables = "".join(line for line in walk.splitlines() if line.startswith("|"))
        assert set(re.findall(r"`([a-z_/]+\.py)`", tables)) == entered


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
    assert {name: count for name, count in found.items() if count > MAX_PARAMETERS} == {}


@pytest.mark.parametrize("function", OPTIONS, ids=lambda function: function.__name__)
def test_further_options_are_documented_and_no_others_are_accepted(function):
    section = inspect.getdoc(function).split("Other Parameters\n----------------\n")[1].split("\n\n")[0]
    named = [line.split(" :")[0] for line in section.splitlines() if not line.startswith(" ")]
    assert named == list(OPTIONS[function].__annotations__)
    assert not set(named) & set(inspect.signature(function).parameters)


def test_misspelt_options_are_refused():
    model, y = fk.NaiveForecaster(horizon=2), np.arange(30.0)
    for call, wrong, right in [
        (fk.backtest, "n_window", "n_windows"),
        (fk.backtest, "verbos", "verbose"),
        (fk.tune, "njobs", "n_jobs"),
        (fk.interpret, "step", "steps"),
    ]:
        with pytest.raises(fk.InputError, match=f"the option must exist, got '{wrong}'. Did you mean '{right}'"):
            call(model, y, **{wrong: 1})
    with pytest.raises(fk.InputError, match="map_parquet: the role must exist, got 'serie_id'"):
        fk.map_parquet("none.parquet", "none", serie_id="id")
