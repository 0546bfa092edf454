"""Pre-training from nothing: seeded series, useful examples, and a short training that beats the seasonal naive."""

import json

import numpy as np
import pytest

import forecastkit as fk
from forecastkit.pretrained.examples import STEPS, regressions
from pretraining import train
from pretraining.examples import batch
from pretraining.generator import FAMILIES, FREQUENCIES, draw
from pretraining.pictures import pictures
from pretraining.train import Training, parser


def generator(seed=0):
    return np.random.default_rng(seed)


def test_a_seed_gives_the_same_series():
    one, again, other = (draw(generator(seed), 20, 90, 12, 0) for seed in (3, 3, 4))
    np.testing.assert_array_equal(one, again)
    assert not np.array_equal(one, other)


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.__name__)
@pytest.mark.parametrize(("season", "second"), [(1, 0), (12, 0), (7, 365), (24, 168)])
def test_families_vary(family, season, second):
    values = family(generator(), 30, 120, season, second)
    assert values.shape == (30, 120)
    assert np.isfinite(values).all()
    assert (values.std(1) > 0).mean() > 0.9


def test_the_picture_has_all_families_and_the_mixture():
    axes = pictures().axes
    assert len(axes) == 3 * (len(FAMILIES) + 1)
    assert all(np.isfinite(line.get_ydata()).sum() > 50 for cell in axes for line in cell.lines)


@pytest.mark.parametrize("frequency", FREQUENCIES, ids=lambda frequency: frequency.name)
def test_examples_are_of_one_shape(frequency):
    examples = batch(generator(), 16, frequency)
    rows = len(examples["target"])
    assert rows > 8
    assert examples["target"].shape == (rows, STEPS)
    for name in ("context", "patches", "steps", "forecasts", "available"):
        assert len(examples[name]) == rows
        assert np.isfinite(examples[name]).all()
        assert examples[name].dtype == np.float32


def test_the_regression_continues_a_season_and_sees_the_past_only():
    steps = np.arange(200)
    past = np.sin(2 * np.pi * steps[:188] / 12)[None] * np.ones((8, 1)) * np.arange(1, 9)[:, None]
    rng = generator(1)
    found = regressions(rng, past, 12, 12)
    wanted = np.sin(2 * np.pi * steps[188:] / 12) * np.arange(1, 9)[:, None]
    np.testing.assert_allclose(found[0], wanted, atol=0.05)
    np.testing.assert_allclose(found[1], past[:, -12:], atol=0.05)


def options(folder, *more):
    flags = ["--out", str(folder), "--units", "64", "--recurrent", "16", "--batch", "128", "--pool", "8000"]
    return parser().parse_args([*flags, *more])


@pytest.mark.rotated
def test_a_short_training_beats_the_seasonal_naive(tmp_path, monkeypatch):
    monkeypatch.setattr(train, "FIRST", 4)
    monkeypatch.setattr(train, "STEPS_A_ROUND", 40)
    monkeypatch.setattr(train, "HELD_OUT", 64)
    Training(options(tmp_path, "--minutes", "0.3")).run()
    data = fk.load_dataset("daily_min_temperatures")
    model = fk.PretrainedForecaster(horizon=14, weights=tmp_path / "weights.npz")
    found = (
        fk.backtest(m, data, n_windows=20, stride=14).forecasts for m in (model, fk.SeasonalNaiveForecaster(horizon=14))
    )
    own, naive = ((frame["forecast"] - frame["actual"]).abs().mean() for frame in found)
    assert own < 0.9 * naive


def test_a_killed_training_goes_on(tmp_path, monkeypatch):
    monkeypatch.setattr(train, "FIRST", 1)
    monkeypatch.setattr(train, "NEW", 128)
    monkeypatch.setattr(train, "STEPS_A_ROUND", 2)
    monkeypatch.setattr(train, "HELD_OUT", 64)
    first = Training(options(tmp_path, "--minutes", "0.001"))
    first.run()
    again = Training(options(tmp_path))
    again.options.minutes = (again.seconds + 0.1) / 60
    assert (again.network.steps, again.series) == (first.network.steps, first.series) != (0, 0)
    for name, values in first.network.model.arrays().items():
        np.testing.assert_array_equal(again.network.model.arrays()[name], values)
    assert again.rng.random() == first.rng.random()
    again.run()
    lines = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert lines[-1]["steps"] == again.network.steps > first.network.steps
