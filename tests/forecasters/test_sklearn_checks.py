"""scikit-learn's own suite over every forecaster: three of them always, the others in rotation."""

import os

import pytest
from sklearn.utils.estimator_checks import estimator_checks_generator

import forecastkit as fk

#: Its arrays have no times, so that rows follow the history, far beyond a horizon of 1.
pytestmark = pytest.mark.filterwarnings("ignore:.*rows reach")
#: What contradicts time order, and why. Nothing else may fail.
IN_TIME_ORDER = {
    "check_methods_sample_order_invariance": "rows are steps in time: their order says which step each one is",
    "check_methods_subset_invariance": "rows without times follow the history, so that a subset names other steps",
    "check_sample_weight_equivalence_on_dense_data": "a repeated row is one more step in time, not a heavier one",
    # Asked by scikit-learn 1.6 of estimators too whose tags say that they take no sparse data.
    "check_sample_weight_equivalence_on_sparse_data": "as on dense data, and sparse ones are refused",
}
#: Few steps, each a long one: scikit-learn asks of a regressor an R2 of 0.5 on what it was fitted on. Lookback and
#: normalization are given, so that checks with equally many columns share a traced network.
SMALL = {
    "lookback": 3,
    "normalization": "standard",
    "units": 8,
    "epochs": 6,
    "final_epochs": 0,
    "windows_per_epoch": 256,
    "learning_rate": 5e-3,
    "random_state": 0,
}
#: Checks of how tables are read and weighted, by the same code for all forecasters. A network, which is compiled anew
#: for each of their numbers of columns, takes half a minute: it has them in the slow tests.
READING = {
    "check_dtype_object",
    "check_estimators_dtypes",
    "check_estimators_overwrite_params",
    "check_estimators_partial_fit_n_features",
    "check_fit2d_1feature",
    "check_fit_score_takes_y",
    "check_n_features_in_after_fitting",
    "check_pipeline_consistency",
    "check_regressor_data_not_an_array",
    "check_regressor_multioutput",
    "check_sample_weight_equivalence_on_dense_data",
    "check_sample_weights_list",
    "check_sample_weights_pandas_series",
}
#: Networks differ in their backbone only, of which scikit-learn sees nothing: one stands for all.
REPRESENTATIVES = ("SeasonalNaiveForecaster", "LinearForecaster", "GRUForecaster")
OTHERS = sorted({name for name in dir(fk) if name.endswith("Forecaster")} - {*REPRESENTATIVES})
#: Which of the others have their turn: a number that rises, such as that of the run; "all" takes every one.
TURN = os.environ.get("FORECASTKIT_TURN", "0")


def in_turn(turn: str, names: list[str]) -> list[str]:
    """The names whose turn it is."""
    return names if turn == "all" else [names[int(turn) % len(names)]]


def make(name):
    """The forecaster of this name, quick to fit."""
    cls = getattr(fk, name)
    options = {key: value for key, value in SMALL.items() if key in cls._get_param_names()}
    if name == "EnsembleForecaster":
        options["forecasters"] = [fk.NaiveForecaster(), fk.LinearForecaster()]
    if name == "AutoForecaster":
        options |= {"forecasters": ["drift"], "time_limit": 60}
    if name == "HierarchicalForecaster":
        options["forecaster"] = fk.LinearForecaster()
    if name == "TunedForecaster":
        options |= {"forecaster": fk.LinearForecaster(), "space": {"validation_size": [0.1, 0.3]}}
        options |= {"n_trials": 2, "n_folds": 1, "n_jobs": 0, "random_state": 0}
    return cls(**options)


def checks(names):
    """Every check of every forecaster; those that contradict time order are expected to fail."""
    marked = {"expected_failed_checks": IN_TIME_ORDER, "mark": "xfail"}
    return [check for name in names for check in estimator_checks_generator(make(name), **marked)]


def shown(part):
    """A name for a forecaster or a check."""
    return type(part).__name__ if hasattr(part, "fit") else getattr(part, "func", part).__name__


def is_reading(case):
    """Whether this is a network's check of how tables are read."""
    estimator, check = getattr(case, "values", case)
    return hasattr(estimator, "units") and shown(check) in READING


CASES = checks(REPRESENTATIVES)


@pytest.mark.parametrize(("estimator", "check"), [case for case in CASES if not is_reading(case)], ids=shown)
def test_representatives(estimator, check):
    check(estimator)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("estimator", "check"), [*filter(is_reading, CASES), *checks(in_turn(TURN, OTHERS))], ids=shown
)
def test_others(estimator, check):
    check(estimator)


def test_every_forecaster_has_its_turn():
    turns = [name for turn in range(len(OTHERS)) for name in in_turn(str(turn), OTHERS)]
    assert sorted(turns) == OTHERS == in_turn("all", OTHERS)
    assert {*OTHERS, *REPRESENTATIVES} == {name for name in fk.__all__ if name.endswith("Forecaster")}


def test_nothing_is_waived_by_a_tag():
    for name in [*REPRESENTATIVES, *OTHERS]:
        tags = make(name).__sklearn_tags__()
        waived = [waiver for waiver in ("_skip_test", "no_validation", "non_deterministic") if getattr(tags, waiver)]
        assert not waived, name
        simple = ("Naive", "SeasonalNaive", "Drift", "Mean", "Theta", "DampedTrend")
        reads_no_covariate = name.removesuffix("Forecaster") in simple
        assert tags.regressor_tags.poor_score == reads_no_covariate, name
