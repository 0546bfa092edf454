"""scikit-learn's own suite over every forecaster: four in full, the others in rotation."""

import os

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

import forecastkit as fk

#: Its arrays have no times, so that rows follow the history, far beyond a horizon of 1.
pytestmark = pytest.mark.filterwarnings("ignore:.*rows reach")
#: What contradicts time order, and why. Nothing else may fail.
IN_TIME_ORDER = {
    "check_methods_sample_order_invariance": "rows are steps in time: their order says which step each one is",
    "check_methods_subset_invariance": "rows without times follow the history, so that a subset names other steps",
    "check_sample_weight_equivalence_on_dense_data": "a repeated row is one more step in time, not a heavier one",
}
SMALL = {"units": 8, "epochs": 6, "final_epochs": 0, "windows_per_epoch": 256, "random_state": 0}
REPRESENTATIVES = ("SeasonalNaiveForecaster", "LinearForecaster", "GRUForecaster", "TransformerForecaster")
OTHERS = sorted(name for name in dir(fk) if name.endswith("Forecaster") and name not in REPRESENTATIVES)
#: Which of the others have their turn: a number that rises, such as that of the run; "all" takes every one.
TURN = os.environ.get("FORECASTKIT_TURN", "0")


def in_turn(turn: str, names: list[str]) -> list[str]:
    """The names whose turn it is."""
    return names if turn == "all" else [names[int(turn) % len(names)]]


def make(name):
    """The forecaster of this name, quick to fit."""
    cls = getattr(fk, name)
    options = {key: value for key, value in SMALL.items() if key in cls().get_params(deep=False)}
    if name == "EnsembleForecaster":
        options["forecasters"] = [fk.NaiveForecaster(), fk.LinearForecaster()]
    return cls(**options)


def expected(estimator):
    return IN_TIME_ORDER


@parametrize_with_checks([make(name) for name in REPRESENTATIVES], expected_failed_checks=expected)
def test_representatives(estimator, check):
    check(estimator)


@pytest.mark.slow
@parametrize_with_checks([make(name) for name in in_turn(TURN, OTHERS)], expected_failed_checks=expected)
def test_others(estimator, check):
    check(estimator)
