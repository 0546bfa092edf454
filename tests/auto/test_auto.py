"""AutoForecaster: search, time limit with a simulated clock, leaderboard, interruptions."""

import io
from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from conftest import make_future, make_panel, wave
from sklearn.linear_model import Ridge

import forecastkit as fk
from forecastkit.auto import candidates, fold_scores, forecaster, select_members, successive_halving
from forecastkit.data.ingest.read_panel import read_panel
from forecastkit.data.windows import Origins
from forecastkit.training.loop import Record
from forecastkit.utils import time_budget
from forecastkit.utils.exceptions import InputError, ParameterError

SIZE = {"horizon": 4, "lookback": 12, "season_length": 24}
TINY = {"units": 8, "epochs": 2, "windows_per_epoch": 64, "batch_size": 32, "linear_path": False}
SERIES = wave(400)


def auto(tried=(), **parameters):
    return fk.AutoForecaster(forecasters=list(tried), **{**SIZE, "time_limit": 120, "random_state": 0, **parameters})


# ---------------------------------------------------------------------------------------------- networks that only wait


class Clock:
    """A clock that advances only when a test advances it."""

    def __init__(self):
        self.now = 0.0

    def monotonic(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    for module in (time_budget, fold_scores):
        monkeypatch.setattr(module, "time", clock)
    return clock


def waiting(clock, kind, *, beside=5.0, compiling=2.0, epoch=4.0, error=0.2, when_fitted=lambda rows: None):
    """A forecaster that takes simulated seconds like a network and has a given error."""

    @dataclass(kw_only=True, eq=False, repr=False)
    class Waiting(fk.SeasonalNaiveForecaster):
        epochs: int = 10
        final_epochs: object = None
        time_limit: object = None
        random_state: object = None

        def _final_epochs(self):
            return self.epochs // 5 if self.final_epochs is None else self.final_epochs

        def _fit(self, context):
            self.training_history_ = Record()
            when_fitted(context.panel.rows)
            limit = np.inf if self.time_limit is None else self.time_limit
            # A time limit ends training within a quarter of an epoch.
            pieces = int(min(4 * self.epochs, np.ceil(max(limit - compiling, 1e-9) / (epoch / 4))))
            seconds = [compiling + epoch / 4, *[epoch / 4] * (pieces - 1)]
            clock.now += beside + sum(seconds)
            pieces = [(25, part) for part in seconds]
            self.training_history_ = Record([1.0], [1.0], 0, sum(seconds), "epochs", 100, pieces)

        def _finish(self, context):
            if self._final_epochs() and (self.time_limit is None or self.training_history_.seconds < self.time_limit):
                clock.now += self._final_epochs() * epoch

        def _read(self, panel, origins):
            return wave_at(panel, origins, self.horizon_) + error * np.array([1.0, -1.0, 1.0, -1.0])

    Waiting.__name__ = f"Waiting{kind}Forecaster"
    return Waiting()


def wave_at(panel, origins, horizon):
    """The season of `wave` without its noise."""
    steps = origins.row[:, None] - panel.indptr[origins.entity][:, None] + np.arange(1, horizon + 1)
    return 10 + 3 * np.sin(2 * np.pi * steps / 24)


@pytest.mark.filterwarnings("ignore:AutoForecaster. no time was left")
@pytest.mark.parametrize("limit", [30, 60, 200, 900])
@pytest.mark.parametrize(("beside", "epoch"), [(3.0, 0.5), (6.0, 5.0), (20.0, 12.0)])
def test_the_limit_is_kept_whatever_networks_cost(clock, limit, beside, epoch):
    signs = [1, -1, 1, -1, 1, -1]
    tried = [waiting(clock, kind, beside=beside * (1 + kind / 4), epoch=epoch, error=signs[kind]) for kind in range(6)]
    model = auto(tried, time_limit=limit).fit(SERIES)
    assert clock.now <= 1.15 * limit
    assert np.isfinite(model.predict()).all()


def test_skipped_networks_are_reported(clock):
    model = auto([waiting(clock, kind, beside=12.0) for kind in range(3)], time_limit=60)
    with pytest.warns(UserWarning, match="AutoForecaster: no time was left for waiting1, waiting2"):
        model.fit(SERIES)
    table = model.leaderboard_.set_index("forecaster")
    assert table.loc[["waiting1", "waiting2"], "round"].tolist() == [0, 0]
    assert table.loc[["waiting1", "waiting2"], "score"].isna().all()


def test_without_time_for_networks_only_baselines_remain(clock):
    with pytest.warns(UserWarning, match="no time was left for waiting0"):
        model = auto([waiting(clock, 0)], time_limit=5).fit(SERIES)
    assert {type(member).__name__ for member in model.forecasters_} <= {"LinearForecaster", "SeasonalNaiveForecaster"}
    assert clock.now == 0.0


def test_remaining_time_is_used_for_further_seeds(clock):
    tried = [waiting(clock, kind, beside=1.0, epoch=1.0, error=error) for kind, error in enumerate((0.1, -0.15))]
    model = auto(tried, time_limit=900).fit(SERIES)
    own = model.leaderboard_.set_index("forecaster")["member"]
    assert own[["waiting0", "waiting1"]].all()
    networks = [member for member in model.forecasters_ if hasattr(member, "random_state")]
    first = int(networks[0].random_state)
    assert [member.random_state for member in networks] == 2 * [first, first + 1, first + 2]
    assert {(member.epochs, member._final_epochs()) for member in networks} == {(10, 2)}
    weights = dict(zip(model.names_, np.bincount(model.groups_, model.weights_), strict=True))
    assert weights["waiting0"] == pytest.approx(weights["waiting1"])


def test_short_limits_train_fewer_epochs_of_the_best(clock):
    model = auto([waiting(clock, 0, beside=4.0, epoch=10.0, error=0.05)], time_limit=150).fit(SERIES)
    networks = [member for member in model.forecasters_ if hasattr(member, "random_state")]
    assert networks
    assert all(1 < member.epochs < 10 for member in networks)
    assert 100 < clock.now <= 1.15 * 150


def test_each_round_drops_the_worst_half(clock):
    errors = [0.1, 5.0, 0.2, 4.0, 0.3, 3.0, 0.4, 2.0, 0.15, 6.0, 0.5, 7.0]
    model = auto([waiting(clock, kind, error=error, epoch=1.0) for kind, error in enumerate(errors)], time_limit=900)
    table = model.fit(SERIES).leaderboard_.set_index("forecaster")
    rounds = table["round"].drop(["linear", "seasonal_naive"])
    last = {name for name, error in zip((f"waiting{kind}" for kind in range(12)), errors, strict=True) if error < 1}
    assert set(rounds.index[rounds == 2]) == last
    assert (rounds[rounds != 2] == 1).all()
    assert table["member"].sum() <= 5
    assert table["score"].iloc[:3].is_monotonic_increasing
    assert table.loc["seasonal_naive", ["score", "fold_1", "fold_4"]].tolist() == [1.0, 1.0, 1.0]


@pytest.mark.parametrize(
    ("reached", "folds"), [((2, 2, 2, 2), 2), ((2, 2, 1, 1), 2), ((2, 1, 1, 1), 1), ((1,), 1), ((), 2)]
)
def test_a_round_with_few_candidates_is_not_used_for_the_selection(reached, folds):
    trials = [fold_scores.Trial(str(name), fold, 0.5, 1.0) for name, most in enumerate(reached) for fold in range(most)]
    search = successive_halving.Halving(SimpleNamespace(folds=[0, 1], trials=trials), None, None, 0, print)
    assert search.folds_for_selection([SimpleNamespace(name=str(name)) for name in range(len(reached))]) == folds


def errors_of_many_series(gains):
    """An evaluator of 40 series on folds; the second of two forecasts errs less by these gains on all series alike."""
    names, rows = np.repeat(np.arange(40), 9), np.tile(np.arange(9), 40)
    panel, _ = read_panel(pd.DataFrame({"unique_id": names, "ds": rows, "y": 1.0}))
    rows = panel.indptr[:-1]
    every = [Origins.every_channel(np.arange(40), rows + 2 * fold, 1) for fold in range(len(gains))]
    windows = [
        SimpleNamespace(origins=at, actual=np.zeros((40, 1)), ranking_scale=np.ones(40), reference=1.0) for at in every
    ]
    rng = np.random.default_rng(0)
    forecasts = {}
    for fold, gain in enumerate(gains):
        forecasts["other", fold] = 5 + rng.normal(size=(40, 1))
        forecasts["own", fold] = forecasts["other", fold] + gain + 0.1 * rng.normal(size=(40, 1))
    return SimpleNamespace(panel=panel, windows=windows, forecasts=forecasts, horizon=1)


@pytest.mark.parametrize(
    ("gains", "clear"),
    [
        ((1.0, 0.9, 1.1, 1.0), True),
        ((0.0, 4.0, 0.0, 0.1), False),  # a shock that hits all series in one fold
        ((1.0,), True),  # chance over time is not known
    ],
)
def test_a_shock_that_hits_all_series_counts_once(gains, clear):
    evaluator = errors_of_many_series(gains)
    worse = fold_scores.FoldEvaluator.is_clearly_worse(evaluator, {"own": 1.0}, {"other": 1.0}, len(gains))
    assert worse == clear


class Scores:
    """An evaluator of three folds and a few series where averages err by 1 and the bias of the mean."""

    def __init__(self, *, clear=True, folds=3, series=4, **errors):
        self.biases, self.folds, self.clear, self.series = errors, list(range(folds)), clear, series
        known = [(name, fold) for name in errors for fold in self.folds]
        self.trials = [
            fold_scores.Trial(name, fold, float(self.errors({name: 1.0}, fold).mean()), 1.0) for name, fold in known
        ]

    def errors(self, weights, fold):
        bias = sum(weight * self.biases[name] for name, weight in weights.items())
        return np.full(self.series, 1 + abs(bias))

    def is_clearly_worse(self, own, other, folds):
        return self.clear and self.errors(own, 0).mean() > self.errors(other, 0).mean()


def chosen(scores, most=9, reference="naive"):
    known = {
        name: SimpleNamespace(name=name, is_trained=name not in ("linear", "naive", "theta")) for name in scores.biases
    }
    search = successive_halving.Halving(scores, None, None, 0, print)
    return select_members.choose(search, known, SimpleNamespace(can_fit=lambda names: len(names) <= most), reference)


def sixth(*errors):
    """Weights of forecasters with these errors."""
    powers = np.array(errors) ** -6.0
    return powers / powers.sum()


@pytest.mark.parametrize(
    ("errors", "members"),
    [
        ({"linear": 0.1, "theta": 0.2}, dict(zip(("linear", "theta"), sixth(1.1, 1.2), strict=True))),
        # Networks count together as one of the others.
        ({"linear": 0.2, "a": -0.2, "b": -0.2}, {"linear": 0.5, "a": 0.25, "b": 0.25}),
        # Those that do not help are left out.
        ({"linear": 0.1, "a": 0.1, "b": 0.1}, {"linear": 1.0}),
        ({"linear": 0.1, "theta": 0.1, "a": 0.15}, {"linear": 0.5, "theta": 0.5}),
        # What would have less than a tenth of the largest weight is left out, a network or not.
        ({"linear": 0.7, "a": 0.1, "b": -0.1}, {"a": 0.5, "b": 0.5}),
        ({"linear": 0.05, "a": 0.6, "b": 0.7}, {"linear": 1.0}),
        ({"linear": 0.0, "theta": 0.5}, {"linear": 1.0}),
        # The reference is in where nothing is better.
        ({"linear": 0.1, "naive": 0.11}, {"linear": 1.0}),
        ({"linear": 0.2, "naive": 0.1}, dict(zip(("naive", "linear"), sixth(1.1, 1.2), strict=True))),
        ({"linear": 0.9, "naive": 0.1}, {"naive": 1.0}),
        ({"naive": 0.2, "a": -0.1}, {"a": 1.0}),
        ({"linear": np.inf, "a": 0.1}, {"a": 1.0}),
        ({"linear": 0.1, "a": np.inf}, {"linear": 1.0}),
        ({"linear": np.inf, "a": np.inf}, {}),
        # A network that harms the average of networks is left out.
        ({"a": 0.1, "b": -0.1, "c": 0.2}, {"a": 0.5, "b": 0.5}),
    ],
)
def test_weights_fall_with_the_sixth_power_of_the_errors(errors, members):
    assert chosen(Scores(**errors)) == pytest.approx(members)


def test_networks_are_added_only_for_a_significant_gain():
    assert chosen(Scores(clear=False, linear=0.2, theta=0.2, a=0.0)) == {"linear": 0.5, "theta": 0.5}


class Folds(Scores):
    """Folds that multiply the biases by these factors."""

    factors = (1.0, 1.0, 1.0)

    def errors(self, weights, fold):
        return 1 + self.factors[fold] * (super().errors(weights, fold) - 1)


def test_networks_with_fewer_folds_are_compared_on_those():
    scores = type("Late", (Folds,), {"factors": (1.0, 1.0, 50.0)})(linear=0.2, a=-0.2)
    scores.trials = [trial for trial in scores.trials if (trial.forecaster, trial.fold) != ("a", 2)]
    assert chosen(scores) == {"linear": 0.5, "a": 0.5}


def test_weights_approach_equality_as_folds_disagree():
    spread = []
    for factors in ((1.0, 1.0, 1.0), (1.6, 1.0, 0.4), (3.0, 1.0, -1.0)):
        weights = chosen(type("Some", (Folds,), {"factors": factors})(linear=0.1, theta=0.3))
        spread.append(weights["linear"] - weights["theta"])
    assert spread[0] > spread[1] > spread[2] >= 0
    assert spread[2] == pytest.approx(0.0)


def test_one_fold_of_few_series_gives_equal_weights():
    assert chosen(Scores(folds=1, linear=0.1, theta=0.3)) == {"linear": 0.5, "theta": 0.5}


def test_one_fold_of_many_series_is_weighted_by_agreement_of_groups():
    weights = chosen(Scores(folds=1, series=40, linear=0.1, theta=0.3))
    assert weights == pytest.approx(dict(zip(("linear", "theta"), sixth(1.1, 1.3), strict=True)))

    class Disagree(Scores):
        def errors(self, weights, fold):
            return 1 + (super().errors(weights, fold) - 1) * np.array([4.0, 0.0, -2.0, 2.0] * 10)

    assert chosen(Disagree(folds=1, series=40, linear=0.1, theta=0.3)) == pytest.approx({"linear": 0.5, "theta": 0.5})


def test_without_folds_untrained_forecasters_have_equal_weights():
    scores = Scores(folds=0, linear=0.1, theta=0.9, naive=0.1, a=0.1)
    assert chosen(scores) == {"linear": 0.5, "theta": 0.5}


def test_networks_are_limited_by_the_remaining_time():
    assert chosen(Scores(a=0.1, b=0.1, c=0.1), most=2) == {"a": 0.5, "b": 0.5}


# ---------------------------------------------------------------------------------------------- who is chosen


class FastButBadForecaster(fk.MeanForecaster):
    """Forecasts far above all observed values."""

    def _read(self, panel, origins):
        return super()._read(panel, origins) + 100


@pytest.fixture(scope="module")
def fitted():
    tried = [fk.GRUForecaster(**TINY, learning_rate=0.01), FastButBadForecaster(), "drift"]
    return auto(tried).fit(SERIES)


def test_the_leaderboard(fitted):
    table = fitted.leaderboard_
    folds = [f"fold_{number}" for number in range(1, 5)]
    assert list(table.columns) == ["forecaster", "score", *folds, "seconds", "round", "member"]
    assert set(table["forecaster"]) == {"linear", "seasonal_naive", "gru", "drift", "fastbutbad"}
    np.testing.assert_allclose(table["score"], table[folds].mean(axis=1))
    assert dict(zip(table["forecaster"], table["round"], strict=True)) | {"gru": 2} == dict.fromkeys(
        table["forecaster"], 4
    ) | {"gru": 2}
    assert (table["seconds"] > 0).all()
    assert list(table.index[table["member"]]) == [0, 1][: table["member"].sum()] or table["member"].iloc[0]
    assert fitted.best_forecaster_ is fitted.forecasters_[0]


def test_fast_but_inaccurate_forecasters_are_not_members(fitted):
    row = fitted.leaderboard_.set_index("forecaster").loc["fastbutbad"]
    assert row["score"] > 50
    assert not row["member"]
    assert not any(isinstance(member, FastButBadForecaster) for member in fitted.forecasters_)


def test_it_forecasts_as_the_weighted_average_of_its_members(fitted):
    parts = np.stack([member.predict() for member in fitted.forecasters_])
    np.testing.assert_allclose(fitted.predict(), fitted.weights_ @ parts, rtol=1e-6)
    assert fitted.scores_["skill_seasonal_naive"] > 0.1
    assert fitted.sample(5, random_state=0).shape[0] == 20


def test_validation_rows_do_not_affect_the_selection():
    perturbed = SERIES.copy()
    perturbed[320:] = perturbed[320:] ** 2
    scores = [auto(["drift", "mean"]).fit(rows).leaderboard_.drop(columns="seconds") for rows in (SERIES, perturbed)]
    pd.testing.assert_frame_equal(*scores)


def test_panels_with_covariates():
    panel = make_panel(240)
    roles = {"target": "load", "known": "temp", "past": "wind", "static": "size"}
    model = fk.AutoForecaster(horizon=4, lookback=24, forecasters=["drift"], **roles, time_limit=120).fit(panel)
    assert len(model.leaderboard_) == 3
    frame = model.forecast(make_future(panel, 4))
    assert np.isfinite(frame.select_dtypes("number")).all(axis=None)


def test_too_few_rows_for_folds_leave_the_linear_forecaster():
    with pytest.warns(UserWarning, match="AutoForecaster: rows are too few to try gru"):
        model = auto([fk.GRUForecaster(**TINY)], horizon=8, season_length=1).fit(wave(24))
    assert [type(member).__name__ for member in model.forecasters_] == ["LinearForecaster"]
    assert model.leaderboard_["round"].max() == 0


def test_failing_candidates_are_reported_and_left_out():
    model = auto([fk.GRUForecaster(**TINY, loss="poisson"), "drift"]).fit(SERIES)
    failed = [trial for trial in model.trials_ if trial["error"]]
    assert "loss='poisson' is for whole numbers" in failed[0]["error"]
    row = model.leaderboard_.set_index("forecaster").loc["gru"]
    assert np.isinf(row["score"])
    assert not row["member"]


def test_a_loaded_forecaster_forecasts_the_same(fitted, tmp_path):
    fitted_ = auto(["drift"], path=tmp_path / "trials.jsonl").fit(SERIES)
    fitted_.save(tmp_path / "auto.forecast")
    other = fk.load(tmp_path / "auto.forecast")
    pd.testing.assert_frame_equal(other.leaderboard_, fitted_.leaderboard_)
    np.testing.assert_array_equal(other.predict(coverage=0.8), fitted_.predict(coverage=0.8))
    assert (other.untried_, other.path) == ([], str(tmp_path / "trials.jsonl"))


def test_progress_is_printed_with_verbose(capsys):
    auto(["drift"]).fit(SERIES)
    assert capsys.readouterr().out == ""
    auto(["drift"], verbose=1).fit(SERIES)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("trained  linear, 0 s")
    assert any(line.startswith("trial    drift, fold 1: ") for line in lines)
    assert any(line.startswith("chosen   ") and "linear" in line for line in lines)


# ---------------------------------------------------------------------------------------------- interruptions


def test_ctrl_c_in_the_search_keeps_the_leaderboard(clock):
    def stop(rows):
        raise KeyboardInterrupt

    model = auto([waiting(clock, 0), waiting(clock, 1, when_fitted=stop)], time_limit=900)
    with pytest.raises(KeyboardInterrupt):
        model.fit(SERIES)
    table = model.leaderboard_.set_index("forecaster")
    assert table.loc["waiting0", "round"] == 1
    assert "waiting1" not in table.index
    assert [type(member).__name__ for member in model.forecasters_] == ["LinearForecaster"]
    assert np.isfinite(model.predict(coverage=0.8)).all(axis=None)


def test_ctrl_c_in_the_refit_keeps_the_members_that_were_ready(clock):
    def stop(rows):
        if rows == len(SERIES):
            raise KeyboardInterrupt

    tried = [waiting(clock, 0, error=0.1), waiting(clock, 1, error=-0.15, when_fitted=stop)]
    model = auto(tried, time_limit=900)
    with pytest.raises(KeyboardInterrupt):
        model.fit(SERIES)
    assert type(model.forecasters_[0]).__name__ == "Waiting0Forecaster"
    assert "Waiting1Forecaster" not in {type(member).__name__ for member in model.forecasters_}
    assert model.leaderboard_.set_index("forecaster").loc["waiting1", "round"] == 2
    assert np.isfinite(model.predict()).all()


def test_trials_are_written_immediately(clock, tmp_path):
    path, seen = tmp_path / "trials.jsonl", []
    tried = [waiting(clock, 0), waiting(clock, 1, when_fitted=lambda rows: seen.append(path.read_text()))]
    model = auto(tried, time_limit=900, path=path).fit(SERIES)
    before = pd.read_json(io.StringIO(seen[0]), lines=True)[1:]  # the first line names the log
    assert before["forecaster"].tolist() == ["seasonal_naive", "linear"] * 4 + ["waiting0"], "after a kill too"
    table = pd.read_json(path, lines=True)[1:]
    assert table["score"].tolist() == pytest.approx([trial["score"] for trial in model.trials_])


@pytest.mark.parametrize(("rows", "first"), [(300, "pretrained"), (5_000, "damped_trend")])
def test_the_pretrained_network_is_tried_first_where_values_are_few(rows, first):
    panel = read_panel(wave(rows), None, **fk.LinearForecaster()._reading())[0]
    assert candidates.make_candidates(None, panel, {})[0].name == first


def test_a_given_lookback_is_kept_in_the_search(monkeypatch):
    model, seen = auto([fk.TabularForecaster(lookback=6, regressor=Ridge()), "drift"]), []
    fit = fold_scores.FoldEvaluator._fit

    def watched(self, one, *rest):
        seen.append(one.lookback)
        return fit(self, one, *rest)

    monkeypatch.setattr(fold_scores.FoldEvaluator, "_fit", watched)
    model.fit(SERIES)
    assert set(seen) == {6, 12}


# ---------------------------------------------------------------------------------------------- refusals and candidates


@pytest.mark.parametrize(
    ("parameters", "rule"),
    [
        ({"forecasters": ["grru"]}, "AutoForecaster: the forecaster must exist, got 'grru'. Did you mean 'gru'"),
        ({"forecasters": "gru"}, "forecasters must be a list of names and forecasters"),
        ({"forecasters": [3]}, "forecasters must be a list of names and forecasters"),
        ({"time_limit": 0.5}, r"time_limit must be a number in \[1, "),
        ({"time_limit": "soon"}, "budget must be a number of seconds, or one with s, m or h such as '10m'"),
        ({"time_limit": "soon"}, "AutoForecaster: budget must be a number of seconds"),
        ({"path": "no/such/folder/trials.jsonl"}, "AutoForecaster: path must be a file that can be written"),
        ({"path": 3.5}, "path must be a file that can be written"),
    ],
)
def test_invalid_parameters_are_refused(parameters, rule):
    with pytest.raises(ParameterError, match=rule):
        auto().set_params(**parameters).fit(SERIES)


def test_a_limit_too_short_for_the_baselines_is_refused(monkeypatch):
    monkeypatch.setattr(forecaster, "FASTEST", 100.0)
    with pytest.raises(InputError, match=r"time_limit must leave the baselines.*at least 768 s, got 120 s"):
        auto().fit(SERIES)


def test_a_limit_may_be_text():
    assert auto(time_limit="2m")._seconds() == 120


def test_the_order_of_candidates_depends_on_the_data(monkeypatch):
    monkeypatch.setattr(candidates, "VALUES", 1_000)
    hourly = pd.DataFrame({"a": wave(4000), "b": wave(4000)})
    several = candidates.default_networks(read_panel(hourly, None, **fk.LinearForecaster()._reading())[0])
    assert several[:4] == ["gru", "lstm", "inverted_transformer", "cnn_transformer"]
    alone = candidates.default_networks(read_panel(wave(9000), None, **fk.LinearForecaster()._reading())[0])
    assert "inverted_transformer" not in alone
    roles = fk.LinearForecaster(target="load", known="temp", past="wind", static="size")._reading()
    read = candidates.default_networks(read_panel(make_panel(4000), None, **roles)[0])
    assert read.index("tft") == 2


def test_candidates_receive_common_parameters_they_do_not_set():
    panel = read_panel(wave(9000), None, **fk.LinearForecaster()._reading())[0]
    common = {"horizon": 4, "lookback": 12, "quantile_levels": [0.1, 0.9]}
    given = ["gru", fk.GRUForecaster(lookback=24), fk.GRUForecaster(loss="gaussian"), fk.EnsembleForecaster()]
    made = {one.name: one.forecaster for one in candidates.make_candidates(given, panel, common)}
    assert list(made) == ["gru", "gru 2", "gru 3", "ensemble"]
    assert [made[name].lookback for name in made] == [12, 24, 12, 12]
    assert [made[name].quantile_levels for name in made] == [[0.1, 0.9], [0.1, 0.9], None, [0.1, 0.9]]
    assert [member.horizon for member in made["ensemble"].forecasters] == [4, 4]


# ---------------------------------------------------------------------------------------------- without a limit


def test_without_a_limit_all_candidates_are_fully_tried(clock):
    tried = [waiting(clock, kind, beside=500.0 * kind, epoch=99.0, error=kind / 10) for kind in range(6)]
    model = auto(tried, time_limit=None).fit(SERIES)
    table = model.leaderboard_.set_index("forecaster")
    assert (table["round"] > 0).all()
    networks = [member for member in model.forecasters_ if hasattr(member, "random_state")]
    assert {(member.epochs, member._final_epochs(), member.time_limit) for member in networks} == {(10, 2, None)}
    assert len(networks) == len({type(member) for member in networks})


def test_without_a_limit_the_same_seed_gives_the_same_forecasts():
    first, second = (auto([fk.GRUForecaster(**TINY)], time_limit=None).fit(SERIES).predict() for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_few_rows_train_nothing_and_forecasts_respect_bounds():
    rows = pd.Series(np.maximum(wave(160, season=12) - 10, 0), index=pd.date_range("2000", periods=160, freq="MS"))
    model = fk.AutoForecaster(horizon=6).fit(rows)
    assert set(model.leaderboard_["forecaster"]) == {"linear", "seasonal_naive", "damped_trend", "pretrained"}
    assert not any(hasattr(member, "network_") for member in model.forecasters_)
    assert (model.predict(quantile_levels=[0.01, 0.5]) >= 0).all(axis=None)
    assert (model.sample(20, random_state=0)["forecast"] >= 0).all()
    below = fk.AutoForecaster(horizon=6).fit(rows - 5).predict(quantile_levels=[0.05])
    assert (below < 0).any(axis=None)


@pytest.mark.parametrize(("rows", "names"), [(900, 0), (1_100, 1), (6_500, 6)])
def test_the_number_of_candidates_grows_with_the_rows(monkeypatch, rows, names):
    monkeypatch.setattr(candidates, "VALUES", 1_000)
    panel, _ = read_panel(wave(rows))
    assert candidates.default_networks(panel) == [*candidates.ORDER][:names]
