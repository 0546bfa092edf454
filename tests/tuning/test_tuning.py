"""Searching: folds, first trials, failures, time, and searches that go on. Most trials run here, on a ridge."""

import json
import random
import time
import warnings

import numpy as np
import pandas as pd
import pytest
from conftest import ROLES, make_panel, wave
from tuning_help import TroubledForecaster

import forecastkit as fk
from forecastkit.data.ingest.read_panel import read_panel
from forecastkit.evaluation.folds import Sizes
from forecastkit.tuning.kerastuner_oracles import ResumableOracle
from forecastkit.tuning.results import make_trials
from forecastkit.tuning.search import Search
from forecastkit.tuning.settings import Settings, make_folds
from forecastkit.tuning.trial import is_near, make_model, relative_score

HERE = {"n_jobs": 0, "random_state": 0}
BIASES = {"bias": [1.0, 0.0, 5.0, 9.0]}
SERIES = wave(200)


def troubled(**parameters):
    return TroubledForecaster(**{"horizon": 4, "lookback": 24, "season_length": 24, **parameters})


def search_of(forecaster, X=SERIES, space=None, **settings):
    panel, schema = read_panel(X, **forecaster._reading())
    return Search(forecaster, panel, schema, space or BIASES, Settings(**{**HERE, **settings}))


def test_other_threads_see_a_trial_complete_only_with_its_score(monkeypatch):
    end_trial, seen = ResumableOracle.end_trial, []

    def observed(oracle, trial):
        seen.append((oracle.trials[trial.trial_id].status, trial.status))
        end_trial(oracle, trial)

    monkeypatch.setattr(ResumableOracle, "end_trial", observed)
    trials = fk.tune(troubled(), SERIES, space=BIASES, **HERE).trials
    assert seen == [("RUNNING", "COMPLETED")] * len(trials)


@pytest.fixture(scope="module")
def found():
    return fk.tune(troubled(), SERIES, space=BIASES, **HERE)


# ---------------------------------------------------------------------------------------------- what is found


def test_the_first_trial_is_the_forecaster_as_it_is(found):
    assert found.trials.loc[0, "bias"] == 1.0
    assert len(found.trials) == 4, "the space has four places, and none is tried twice"
    assert sorted(found.trials["bias"]) == [0.0, 1.0, 5.0, 9.0]


def test_a_local_search_changes_one_parameter_of_the_best_so_far_in_turn():
    space = {"bias": [1.0, 0.0, 5.0, 9.0, 2.0], "lookback": [12, 24, 48], "validation_size": [0.1, 0.2]}
    trials = fk.tune(troubled(), SERIES, space=space, n_trials=10, **HERE).trials.sort_index()
    turns = 0
    for number in range(1, len(trials)):
        best = trials.loc[trials.index[:number], "score"].min()
        bases = trials[(trials["score"] == best) & (trials.index < number)]
        changes = [[name for name in space if base[name] != trials.loc[number, name]] for _, base in bases.iterrows()]
        assert min(map(len, changes)) == 1
        turns += [list(space)[(number - 1) % 3]] in changes
    assert turns >= 7, "a parameter is passed over only where all of its values were tried"


def test_a_random_search_draws_all_parameters():
    space = {"bias": (0.0, 9.0), "lookback": (12, 48), "validation_size": (0.1, 0.3)}
    trials = fk.tune(troubled(), SERIES, space=space, search="random", n_trials=5, **HERE).trials
    assert (trials[list(space)].nunique() == 5).all()


def test_the_best_is_first_and_is_used(found):
    assert found.trials["score"].is_monotonic_increasing
    assert (found.best_params, found.best_score) == ({"bias": 0.0}, found.trials["score"].iloc[0])
    assert found.best_forecaster.bias == 0.0
    assert not hasattr(found.best_forecaster, "history_")
    done = found.trials[found.trials["state"] == "done"]
    np.testing.assert_allclose(done["score"], done[["fold 0", "fold 1", "fold 2"]].mean(axis=1, skipna=False))


def test_what_is_far_behind_after_the_latest_fold_gets_no_other(found):
    best, dropped = found.trials.iloc[0], found.trials[found.trials["state"] == "dropped"]
    assert {5.0, 9.0} <= set(dropped["bias"])
    assert dropped[["fold 0", "fold 1"]].isna().all(axis=None)
    far = dropped[dropped["bias"] == 9.0].iloc[0]
    whole = fk.tune(troubled(bias=9.0), SERIES, space=BIASES, n_trials=1, **HERE)
    assert far["fold 2"] == whole.trials.loc[0, "fold 2"]
    assert far["score"] > 1.01 * best["score"]
    rivals = found.trials.loc[found.trials["state"] == "done", ["fold 2", "score"]]
    assert any(
        far["score"] == pytest.approx(far["fold 2"] * row["score"] / row["fold 2"]) for _, row in rivals.iterrows()
    )


@pytest.mark.parametrize(("scores", "near"), [({2: 1.0}, True), ({2: 1.02}, False), ({2: 1.02, 1: 1.98}, True)])
def test_near_is_within_a_hundredth_over_the_folds_run(scores, near):
    assert is_near(scores, {0: 9.0, 1: 2.0, 2: 1.0}) is near


def test_defaults_that_are_best_stay_as_they_are():
    found = fk.tune(troubled(bias=0.0), SERIES, space={"bias": [3.0, 4.0]}, **HERE)
    assert (found.best_params, found.best_forecaster.bias) == ({"bias": 0.0}, 0.0)
    assert sorted(found.trials["bias"]) == [0.0, 3.0, 4.0]
    unset = fk.LinearForecaster(horizon=4)
    found = fk.tune(unset, SERIES, space={"lookback": [1]}, **HERE)
    assert found.best_params == {"lookback": None}, "None is what the forecaster was given"
    assert found.trials.loc[0, "lookback"] > 1, "and the leaderboard says what it came to"


@pytest.mark.parametrize(("score", "first"), [(0.9901, 0), (0.9899, 1)])
def test_defaults_are_first_unless_another_is_better_by_a_hundredth(score, first):
    same = {"folds": {}, "seconds": 1.0, "state": "done", "message": "", "parameters": {}}
    rows = [{"trial": number, "score": each, **same} for number, each in enumerate((1.0, score, np.nan))]
    trials = make_trials(rows)
    assert list(trials.index) == [first, 1 - first, 2]
    assert list(trials["score"][:2]) == sorted((1.0, score), reverse=first == 0)


def test_a_small_gain_on_the_folds_leaves_the_defaults_as_they_are():
    won = set()
    for bias in (0.02, 0.05, 1.0):
        found = fk.tune(troubled(bias=bias), SERIES, space={"bias": [0.0]}, **HERE)
        own, other = found.trials["score"].sort_index()
        won.add(is_better := other < 0.99 * own)
        assert (found.best_params["bias"], found.best_score) == ((0.0, other) if is_better else (bias, own))
    assert won == {False, True}


def test_scores_are_errors_relative_to_the_seasonal_naive(panel):
    model = fk.LinearForecaster(horizon=6, lookback=24, **ROLES)
    search = search_of(model, panel, {"validation_size": [0.1, 0.2]}, n_folds=1)
    search.run()
    task, fold = search.task, search.task.folds[0]
    fitted = make_model(model, {}, None)._fit_panel(fold.seen(task.panel), task.schema)
    errors, naive = [], []
    for entity, row in zip(fold.origins.entity, fold.origins.row, strict=True):
        first = task.panel.indptr[entity]
        values = task.panel.target[first : task.panel.indptr[entity + 1], 0].astype("float64")
        here, stop = row - first, fold.stop[entity] - first
        scale = np.nanmean(np.abs(values[24:stop] - values[: stop - 24]))
        one = fold.origins[(fold.origins.entity == entity) & (fold.origins.row == row)]
        forecast = fitted._adapted(task.panel, fold.stop)._forecast(task.panel, one).point()[0]
        for step in range(6):
            actual, before = values[here + 1 + step], values[here + 1 + step - 24]
            if np.isnan(actual):
                continue
            errors.append(abs(actual - forecast[step]) / scale)
            naive.append(abs(actual - before) / scale)
    assert search.rows[0]["score"] == pytest.approx(np.mean(errors) / np.mean(naive), rel=1e-5)


def test_quantiles_are_judged_by_their_pinball_loss():
    small = {"horizon": 2, "lookback": 8, "units": 4, "epochs": 1, "windows_per_epoch": 32}
    model = fk.GRUForecaster(**small, season_length=1, quantile_levels=[0.1, 0.5])
    search = search_of(model, wave(80), {"units": [4, 8]}, n_folds=1)
    task, fold = search.task, search.task.folds[0]
    fitted = task.forecaster._fit_panel(fold.seen(task.panel), task.schema)
    forecast = fitted._forecast(task.panel, fold.origins).quantiles([0.1, 0.5])
    rows = fold.origins.row[:, None] + np.arange(1, 3)
    actual = task.panel.target[rows, 0].astype("float64")
    losses = [
        np.maximum(q * (actual - forecast[..., k]), (q - 1) * (actual - forecast[..., k]))
        for k, q in ((0, 0.1), (1, 0.5))
    ]
    naive = np.abs(actual - task.panel.target[fold.origins.row])
    assert relative_score(task, fold, fitted) == pytest.approx(2 * np.mean(losses) / naive.mean(), rel=1e-4)


def test_series_without_a_scale_are_scored():
    constant = fk.tune(fk.LinearForecaster(horizon=4), np.ones(60), space={"lookback": [4, 8]}, **HERE)
    assert np.isfinite(constant.trials["score"]).all()


# ---------------------------------------------------------------------------------------------- folds


def test_all_lookbacks_forecast_the_same_origins(monkeypatch):
    monkeypatch.setattr("forecastkit.tuning.trial.MARGIN", 1e9)
    seen = []

    class Watched(fk.LinearForecaster):
        def _forecast(self, panel, origins):
            seen.append((self.lookback_, origins.row.tolist()))
            return super()._forecast(panel, origins)

    search = search_of(Watched(horizon=4), SERIES, {"lookback": [4, 24, 60]}, n_folds=2)
    search.run()
    for fold in search.task.folds:
        of_fold = [lookback for lookback, rows in seen if rows == fold.origins.row.tolist()]
        assert {4, 24, 60} <= set(of_fold)
    assert len(search.rows) == 4


@pytest.mark.parametrize("fold", [0, 1, 2])
def test_no_fold_sees_what_comes_after_it_and_no_fit_sees_a_fold(fold):
    def scores(values):
        rows = fk.tune(troubled(), values, space={"bias": [1.0, 2.0]}, **HERE).trials
        return rows.loc[0, ["fold 0", "fold 1", "fold 2"]].tolist()

    search = search_of(troubled())
    end = int(search.task.folds[fold].origins.row.max()) + 4
    changed = SERIES.copy()
    changed[end + 1 :] += 100.0
    kept = scores(SERIES)[: fold + 1]
    assert scores(changed)[: fold + 1] == kept
    # What a fit learned does not change with the rows that it is judged by.
    inside = SERIES.copy()
    inside[search.task.folds[fold].stop[0] :] *= 2
    scalers = []
    for values in (SERIES, inside):
        task = search_of(troubled(), values).task
        model = make_model(task.forecaster, {}, None)._fit_panel(task.folds[fold].seen(task.panel), task.schema)
        scalers.append((model.scaler_.target.center, model.ridge_.weights))
    for one, other in zip(*scalers, strict=True):
        np.testing.assert_array_equal(one, other)


def test_folds_are_laid_over_the_last_rows():
    panel, schema = read_panel(SERIES)
    folds = make_folds(panel, schema, 4, None)
    assert [len(fold.origins) for fold in folds] == [17, 17, 17]
    assert [int(fold.stop[0]) for fold in folds] == [140, 160, 180]
    few, schema = read_panel(SERIES[:7])
    assert len(make_folds(few, schema, 1, None)) == 3
    assert len(make_folds(read_panel(SERIES[:5])[0], schema, 1, None)) == 2


def test_weights_of_rows_reach_every_fold():
    weight = np.ones(len(SERIES))
    weight[:100] = 0.0
    spoiled = SERIES.copy()
    spoiled[:60] = 50.0
    scores = [
        fk.tune(troubled(bias=0.0), spoiled, space={"bias": [9.0]}, sample_weight=given, **HERE).best_score
        for given in (None, weight)
    ]
    assert scores[1] != scores[0]
    assert (
        len(
            fk.tune(
                troubled(),
                make_panel()[["unique_id", "ds", "load"]],
                space=BIASES,
                n_trials=2,
                sample_weight=np.ones(len(make_panel())),
                **HERE,
            ).trials
        )
        == 2
    )


# ---------------------------------------------------------------------------------------------- kinds of search


def test_hyperband_gives_many_few_epochs_and_the_best_more():
    small = {"horizon": 2, "lookback": 8, "units": 4, "windows_per_epoch": 32, "batch_size": 32, "final_epochs": 0}
    network = fk.GRUForecaster(**small, epochs=3, random_state=0)
    found = fk.tune(
        network, wave(60), space={"learning_rate": (1e-3, 1e-1)}, search="hyperband", n_trials=5, n_folds=1, **HERE
    )
    trials = found.trials.sort_index()
    assert trials.loc[0, "epochs"] is None, "the forecaster as it is"
    assert set(trials["epochs"][1:]) == {1, 3}
    first = trials[trials["epochs"] == 1]
    assert (
        trials.loc[trials["epochs"] == 3, "learning_rate"].iloc[0]
        == first.loc[first["score"].idxmin(), "learning_rate"]
    )
    with pytest.raises(fk.InputError, match="hyperband needs a forecaster that is trained by epochs, got Troubled"):
        fk.tune(troubled(), SERIES, space=BIASES, search="hyperband", **HERE)


def test_bayesian_search_finds_the_bottom_and_tries_nothing_twice():
    found = fk.tune(
        troubled(bias=8.0), SERIES, space={"bias": (-9.0, 9.0)}, search="bayesian", n_trials=8, n_folds=1, **HERE
    )
    assert abs(found.best_params["bias"]) < 1.5
    few = fk.tune(troubled(), SERIES, space=BIASES, search="bayesian", n_trials=6, n_folds=1, **HERE)
    assert sorted(few.trials["bias"]) == [0.0, 1.0, 5.0, 9.0]


def test_bayesian_search_does_not_learn_from_defaults_outside_of_the_space():
    found = fk.tune(
        troubled(bias=99.0),
        SERIES,
        space={"bias": [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]},
        search="bayesian",
        n_trials=6,
        **HERE,
    )
    assert (len(found.trials), found.trials.loc[0, "bias"], found.best_params) == (6, 99.0, {"bias": 0.0})


def test_a_function_of_hp_is_a_space():
    def space(hp):
        kind = hp.Choice("kind", ["small", "large"])
        if kind == "small":
            return {"bias": hp.Float("small bias", 0.0, 1.0, parent_name="kind", parent_values=["small"])}
        return {"bias": 10.0 * hp.Int("large bias", 1, 3, parent_name="kind", parent_values=["large"])}

    found = fk.tune(troubled(), SERIES, space=space, n_trials=8, **HERE)
    assert found.best_params["bias"] <= 1.0
    assert {10.0, 20.0, 30.0} & set(found.trials["bias"])


def test_a_seed_of_zero_is_a_seed_and_other_seeds_differ():
    space = {"bias": (0.0, 9.0)}
    drawn = [
        fk.tune(troubled(), SERIES, space=space, n_trials=4, n_folds=1, n_jobs=0, random_state=seed).trials["bias"]
        for seed in (0, 0, 1)
    ]
    pd.testing.assert_series_equal(drawn[0], drawn[1])
    assert set(drawn[0][1:]) != set(drawn[2][1:])


# ---------------------------------------------------------------------------------------------- trials that fail


@pytest.mark.parametrize(
    ("trouble", "says"), [("diverge", "got nan"), ("memory", "MemoryError: no more"), ("nan", "not finite")]
)
def test_a_trial_that_fails_is_recorded_and_the_search_goes_on(trouble, says):
    found = fk.tune(troubled(), SERIES, space={"trouble": ["none", trouble], "bias": [0.0, 1.0]}, **HERE)
    failed = found.trials[found.trials["state"] == "failed"]
    assert len(failed) == 2
    assert failed["message"].str.contains(says).all()
    assert failed["score"].isna().all()
    assert found.best_params == {"trouble": "none", "bias": 0.0}


def test_a_bug_surfaces():
    with pytest.raises(KeyError, match="a bug"):
        fk.tune(troubled(), SERIES, space={"trouble": ["none", "bug"]}, **HERE)
    with pytest.raises(ZeroDivisionError):
        fk.tune(troubled(), SERIES, space=lambda hp: {"bias": 1 / (9 - hp.Int("x", 1, 9))}, **HERE)


def test_a_search_in_which_all_fail_says_why():
    with pytest.raises(fk.InputError, match="all of 2 trials failed; error of the first: Troubled: the loss must"):
        fk.tune(troubled(trouble="diverge"), SERIES, space={"bias": [1.0, 2.0]}, **HERE)
    with pytest.raises(fk.InputError, match="all of 5 trials failed"):
        fk.tune(troubled(trouble="diverge"), SERIES, space={"bias": (0.0, 9.0)}, **HERE)


def test_combinations_that_the_forecaster_refuses_are_not_tried():
    def space(hp):
        return {"lookback": 8 * hp.Int("lookbacks", 0, 3)}

    found = fk.tune(troubled(), SERIES, space={"lookback": [8, 16, 24], "validation_size": (1, 9)}, n_trials=3, **HERE)
    assert set(found.trials["state"]) <= {"done", "dropped"}
    with pytest.raises(fk.InputError, match="lookback must be a whole number of at least 1, got 0"):
        fk.tune(troubled(), SERIES, space=space, **HERE)

    def from_one(hp):
        return {"lookback": 8 * (hp.Int("lookbacks", 1, 4) % 4)}

    found = fk.tune(troubled(lookback=None), SERIES, space=from_one, **HERE)
    assert sorted(found.trials["lookback"].drop(index=0)) == [8, 16, 24]
    assert set(found.trials["state"]) <= {"done", "dropped"}


# ---------------------------------------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"n_folds": 60}, r"tune: 60 folds of 4 rows must leave horizon \+ 2 = 6 rows.*fewer n_folds="),
        ({"search": "grid"}, "search must be one of 'local', 'random', 'bayesian', 'hyperband', got 'grid'"),
        ({"n_trials": 0}, "n_trials must be a whole number of at least 1"),
        ({"n_jobs": -1}, "n_jobs must be a whole number of at least 0"),
        ({"time_limit": "soon"}, "budget must be a number of seconds"),
        ({"directory": 3}, "directory must be a path, got 3"),
    ],
)
def test_refusals(settings, sentence):
    with pytest.raises(fk.InputError, match=sentence):
        fk.tune(troubled(), SERIES, space=BIASES, **{**HERE, **settings})


def test_a_budget_too_small_for_one_trial_is_refused_before_training():
    network = fk.GRUForecaster(horizon=4)
    with pytest.raises(fk.InputError, match=r"time limit must be at least 9 s for one trial on 3 folds, got 5 s"):
        fk.tune(network, SERIES, space={"units": [8, 16]}, time_limit=5)
    with pytest.raises(fk.InputError, match="at least 12 s for one trial on 3 folds and what follows, got 10 s"):
        fk.TunedForecaster(network, {"units": [8, 16]}, time_limit="10s").fit(SERIES)


def test_what_is_no_forecaster_is_refused():
    with pytest.raises(fk.InputError, match="forecaster must be a Forecaster, got 'gru'"):
        fk.tune("gru", SERIES)
    with pytest.raises(fk.InputError, match="TunedForecaster: forecaster must be a Forecaster, got 'gru'"):
        fk.TunedForecaster("gru").fit(SERIES)


# ---------------------------------------------------------------------------------------------- time


def test_a_time_limit_is_kept():
    began = time.monotonic()
    found = fk.tune(troubled(trouble="sleep0.1"), SERIES, space={"bias": (0.0, 9.0)}, time_limit=4.0, **HERE)
    took = time.monotonic() - began
    assert took < 1.15 * 4.0 + 1.0  # and what is imported at first
    assert found.trials["seconds"].sum() > 2.0


# ---------------------------------------------------------------------------------------------- searches that go on


def test_a_search_goes_on_in_its_directory(tmp_path):
    space, on_end = {"bias": (0.0, 9.0)}, []
    options = {"space": space, "directory": tmp_path, **HERE}
    first = fk.tune(troubled(), SERIES, n_trials=3, **options)
    both = fk.tune(troubled(), SERIES, n_trials=5, verbose=on_end.append, **options)
    pd.testing.assert_frame_equal(both.trials.loc[sorted(first.trials.index)], first.trials.sort_index())
    assert on_end[0].startswith("3 trials are taken from")
    assert len(on_end) == 3
    whole = fk.tune(troubled(), SERIES, n_trials=5, space=space, **HERE)
    assert whole.trials["bias"].tolist() == both.trials["bias"].tolist()


@pytest.mark.parametrize("other", ["data", "space", "forecaster", "search", "folds"])
def test_no_search_takes_up_what_belongs_to_another(tmp_path, other):
    def run(**changed):
        given = {"X": SERIES, "space": BIASES, "forecaster": troubled(), "search": "random", "n_folds": 2} | changed
        return fk.tune(given.pop("forecaster"), given.pop("X"), directory=tmp_path, n_trials=2, **given, **HERE)

    run()
    different = {
        "data": {"X": SERIES + 1},
        "space": {"space": {"bias": [0.0, 1.0, 5.0]}},
        "forecaster": {"forecaster": troubled(validation_size=0.3)},
        "search": {"search": "bayesian"},
        "folds": {"n_folds": 1},
    }
    run(**different[other])
    assert len(list(tmp_path.glob("tune-*"))) == 2
    run()
    assert len(list(tmp_path.glob("tune-*"))) == 2


def test_files_hold_json_numbers(tmp_path):
    fk.tune(
        troubled(),
        SERIES.astype("float32"),
        space={"bias": np.array([0, 1], dtype="float32")},
        directory=tmp_path,
        **HERE,
    )
    states = [json.loads(path.read_text()) for path in tmp_path.rglob("*.json")]
    assert len(states) >= 3
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and path.suffix != ".json"]


@pytest.mark.parametrize("lost", ["oracle", "a trial"])
def test_a_search_killed_between_two_files_goes_on(tmp_path, lost):
    options = {"space": {"bias": (0.0, 9.0)}, "directory": tmp_path, **HERE}
    fk.tune(troubled(), SERIES, n_trials=3, **options)
    (path,) = tmp_path.glob("tune-*")
    last = path / "trial_0002" / "trial.json"
    state = json.loads(last.read_text())
    if lost == "a trial":  # it had begun, and its result was not written
        last.write_text(json.dumps({**state, "status": "RUNNING", "score": None}))
    oracle = json.loads((path / "oracle.json").read_text())
    oracle["end_order"].remove("0002")
    oracle["ongoing_trials"] = {"tuner-0": "0002"}
    (path / "oracle.json").write_text(json.dumps(oracle))
    again = fk.tune(troubled(), SERIES, n_trials=4, **options)
    assert sorted(again.trials.index) == [0, 1, 2, 3]
    assert set(again.trials["state"]) <= {"done", "dropped"}
    assert json.loads(last.read_text())["score"] == pytest.approx(state["score"])


# ---------------------------------------------------------------------------------------------- the world as it was


def test_a_search_leaves_the_world_as_it_was(tmp_path, monkeypatch, capsys):
    import keras

    monkeypatch.chdir(tmp_path)
    forecaster = troubled()
    keras.utils.set_random_seed(3)
    layer = keras.layers.Dense(2)
    before = random.getstate(), np.random.get_state()[1].tolist(), keras.config.dtype_policy().name, layer.name  # noqa: NPY002
    filters = list(warnings.filters)
    fk.tune(forecaster, SERIES, space=BIASES, n_trials=2, **HERE)
    after = random.getstate(), np.random.get_state()[1].tolist(), keras.config.dtype_policy().name  # noqa: NPY002
    assert after == before[:3]
    assert warnings.filters == filters
    assert keras.layers.Dense(2).name == f"dense_{int(layer.name.partition('_')[2] or 0) + 1}", (
        "names were counted anew"
    )
    assert list(tmp_path.iterdir()) == []
    assert capsys.readouterr().out == ""
    assert vars(forecaster) == vars(troubled())


def test_a_line_for_every_trial(capsys):
    fk.tune(troubled(), SERIES, space=BIASES, n_trials=2, verbose=1, **HERE)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2
    assert lines[0].startswith("1/2  ")
    assert "bias 1" in lines[0]


def test_sizes_of_folds_are_those_of_comparisons():
    panel, schema = read_panel(SERIES)
    sizes = Sizes.suited(200, 1, 4, folds=2)
    assert [len(fold.origins) for fold in make_folds(panel, schema, 4, 2)] == [sizes.n_windows] * 2
