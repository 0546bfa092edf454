"""What a fit works with is gone when it is over, and each part of it is made once."""

import weakref

import numpy as np
import pytest

import forecastkit as fk
from forecastkit.baselines.ridge import Ridge
from forecastkit.forecasters.base import remove_checkpoints
from forecastkit.forecasters.model import FitContext
from forecastkit.preprocessing.scaler import Scaler, buffers_of

Y = 10 + np.sin(np.arange(90.0) * 2 * np.pi / 12) + np.random.default_rng(0).normal(size=90)


def makers():
    linear, naive = fk.LinearForecaster(horizon=3, recipes=1), fk.SeasonalNaiveForecaster(horizon=3)
    both = fk.EnsembleForecaster(forecasters=[linear, naive])
    return {
        "linear": linear,
        "tabular": fk.TabularForecaster(horizon=3),
        "ensemble": fk.EnsembleForecaster(forecasters=[linear, naive], horizon=3),
        "nested": fk.EnsembleForecaster(forecasters=[both, naive], horizon=3),
        "hierarchical": fk.HierarchicalForecaster(linear),
        "tuned": fk.TunedForecaster(linear, {"lookback": [6, 12]}, n_trials=2, n_folds=1, n_jobs=0, random_state=0),
    }


@pytest.mark.parametrize("kind", makers())
def test_a_fit_leaves_no_context_and_only_learned_attributes(kind, monkeypatch):
    contexts, init = [], FitContext.__init__

    def noted(self, *arguments, **named):
        init(self, *arguments, **named)
        contexts.append(weakref.ref(self))

    monkeypatch.setattr(FitContext, "__init__", noted)
    model = makers()[kind]
    model.fit(Y, sample_weight=np.ones(len(Y)))
    model.partial_fit(Y[-3:] + 1)
    assert contexts
    assert not [context for context in contexts if context() is not None]
    assert not {name for name in vars(model) if name.startswith("_") and not name.startswith("__")}


def test_buffers_are_made_once_for_a_scaler_and_sizes(monkeypatch):
    made, buffers = [], Scaler.buffers

    def counted(self, panel, *sizes):
        made.append(sizes)
        return buffers(self, panel, *sizes)

    monkeypatch.setattr(Scaler, "buffers", counted)
    model = fk.TabularForecaster(horizon=3).fit(Y)
    panel, stop = model.history_, model.history_.last_observed() + 1
    weight = np.arange(90.0)
    context = FitContext(panel, stop, stop, weight)
    made.clear()
    first = buffers_of(context, model.scaler_, 12, 3)
    assert buffers_of(context, model.scaler_, 12, 3) is first
    assert first.weight is weight
    assert made == [(12, 3)]
    assert buffers_of(context, model.scaler_, 6, 3) is not first
    buffers_of(context, model.scaler_.with_faults_masked(panel, stop), 6, 3)
    assert made[1] == (6, 3)


def test_weights_reach_the_members_of_members():
    """Rows of weight 0 teach nothing: the last rows, at another level, do not move the forecast's slope."""
    y = np.concatenate([np.zeros(60), np.tile([0.0, 50.0], 15)]) + np.random.default_rng(0).normal(size=90)
    weight = np.r_[np.ones(60), np.zeros(30)]
    linear = fk.LinearForecaster(horizon=1, lookback=4, recipes=1)
    inner = fk.EnsembleForecaster(forecasters=[linear])
    model = fk.EnsembleForecaster(forecasters=[inner], horizon=1, lookback=4)
    alone = fk.LinearForecaster(horizon=1, lookback=4, recipes=1).fit(y, sample_weight=weight)
    np.testing.assert_array_equal(model.fit(y, sample_weight=weight).predict(), alone.predict())
    assert not np.array_equal(model.fit(y).predict(), alone.predict())


def test_checkpoints_of_members_are_removed_when_all_is_over():
    removed = []

    class Kept:
        def remove(self):
            removed.append(self)

    panel = fk.NaiveForecaster(horizon=1).fit(Y).history_
    stop = panel.last_observed() + 1
    inner, outer = (FitContext(panel, stop, stop, checkpoints=[Kept()]) for _ in range(2))
    outer.members.append((None, inner))
    remove_checkpoints(outer)
    assert removed == [*outer.checkpoints, *inner.checkpoints]


def counted_models():
    """Forecasters, the ridge regressions that a fit solves, and those after the scores of all were read."""
    linear, naive = fk.LinearForecaster(horizon=3, recipes=1), fk.SeasonalNaiveForecaster(horizon=3)
    return {
        "linear": (linear, 1, 1),
        "naive": (naive, 0, 1),
        "with linear": (fk.EnsembleForecaster(forecasters=[linear, naive], horizon=3), 1, 1),
        "pretrained": (fk.PretrainedForecaster(horizon=3), 1, 1),
    }


@pytest.mark.parametrize("kind", counted_models())
def test_a_reference_is_solved_once_and_only_when_scores_are_read(kind, monkeypatch):
    solved, fit = [], Ridge.fit.__func__

    def counted(cls, *arguments, **named):
        solved.append(cls)
        return fit(cls, *arguments, **named)

    monkeypatch.setattr(Ridge, "fit", classmethod(counted))
    model, at_fit, after_scores = counted_models()[kind]
    model.fit(Y)
    assert len(solved) == at_fit
    for one in (model, model, *getattr(model, "forecasters_", ())):
        assert one.scores_["mae_linear"] > 0
    assert len(solved) == after_scores
