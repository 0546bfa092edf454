"""The corpus of real series: what is left out, what is held out, and the examples drawn from it."""

import numpy as np
import pytest

from forecastkit.pretrained.examples import STEPS
from pretraining import ablation, corpus
from pretraining.corpus import SAME, SOURCES, Corpus
from pretraining.evaluate import evaluate
from pretraining.real_series import Set


def series_of(name, number=12, rows=120):
    rng = np.random.default_rng([len(name), number])
    return [50 + rng.normal(size=rows).cumsum() for _ in range(number)]


@pytest.fixture(scope="module")
def everything():
    return {name: series_of(name) for name in SOURCES}


@pytest.fixture(scope="module")
def path(everything, tmp_path_factory):
    found = tmp_path_factory.mktemp("corpus") / "corpus.npz"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(corpus, "read", lambda folder: everything)
        judged = np.concatenate([[1.0, 2.0], everything["m3_monthly"][3][40 : 40 + SAME], [5.0]])
        flat = np.concatenate([np.full(3 * SAME, 7.0)])
        counts = corpus.write(found.parent, found, [judged, flat])
    assert counts["m3_monthly"] == (11, 1)
    assert counts["m3_yearly"] == (12, 0)
    return found


def test_series_shared_with_an_evaluation_set_are_left_out(path, everything):
    kept = [values for held_out in (False, True) for values in Corpus(path, held_out).series["m3_monthly"]]
    assert len(kept) == 11
    left_out = everything["m3_monthly"][3]
    assert not any(np.array_equal(values, left_out) for values in kept)


def test_held_out_series_are_not_trained_on(path):
    trained, held_out = Corpus(path).series, Corpus(path, held_out=True).series
    for name in SOURCES:
        assert len(held_out[name]) == 1
        assert not any(np.array_equal(held_out[name][0], values) for values in trained[name])


def test_examples_are_those_of_synthetic_series_in_form(path):
    rng = np.random.default_rng(0)
    for _ in range(12):
        examples = Corpus(path).batch(rng, 8)
        assert examples["target"].shape[1] == STEPS
        for name in ("context", "patches", "steps", "forecasts", "available"):
            assert np.isfinite(examples[name]).all()
            assert examples[name].dtype == np.float32


def test_ablations_hide_candidates_and_seasons(path):
    rng = np.random.default_rng(1)
    with ablation.without_candidates([3, 5]):
        hidden = Corpus(path).batch(rng, 16)["available"]
    assert not hidden[:, [3, 5]].any()
    with ablation.without_seasons():
        batches = [Corpus(path).batch(rng, 8) for _ in range(8)]
    assert not any(one["available"][:, 2].any() for one in batches)  # no season, no value two seasons back
    assert any(Corpus(path).batch(rng, 8)["available"][:, [3, 5]].any() for _ in range(8))


def test_an_ablation_is_evaluated_with_its_own_season():
    values = np.tile([1.0, 5.0, 9.0], 12) + 0.1 * np.random.default_rng(0).normal(size=36)
    known = Set(lambda folder: [values], "D", 3, 3)
    told, untold = (evaluate(known, None, "pretrained", season_length=season)["mase"] for season in (3, 1))
    assert np.isfinite([told, untold]).all()
    assert untold != told
