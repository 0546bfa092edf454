"""Spaces: what the user may write, what is refused, and what comes along for every network."""

import numpy as np
import pytest
from conftest import SMALL, wave
from hypothesis import given, settings
from hypothesis import strategies as st

import forecastkit as fk
from forecastkit.data.time_grid import TimeGrid
from forecastkit.networks import backbones
from forecastkit.tuning.default_spaces import DataContext, default_space
from forecastkit.tuning.space import Choice, DictSpace, Range, find_parameter_error, make_space

HOURLY = TimeGrid("fixed", 3_600_000_000)
GROUND = DataContext(lookback=96, patch=24, max_lookback=400, horizon=48, season=24, grid=HOURLY, positive=True)


class Proposal:
    """Stands for keras-tuner's ``hp``: proposes the last choice and the upper bound."""

    def __init__(self):
        self.asked = {}

    def Choice(self, name, values):
        self.asked[name] = values
        return values[-1]

    def Int(self, name, low, high, sampling="linear"):
        self.asked[name] = (low, high, sampling)
        return high

    Float = Int


def test_a_dict_becomes_choices_and_ranges():
    space = {
        "units": [32, 64],
        "learning_rate": (1e-4, 1e-2, "log"),
        "batch_size": (16, 256),
        "normalization": [None, "last"],
    }
    made = make_space(space, fk.GRUForecaster(horizon=6))
    proposal = Proposal()
    assert made.build(proposal) == {"units": 64, "learning_rate": 1e-2, "batch_size": 256, "normalization": "last"}
    # Choices go by their place, so that they may be anything.
    assert proposal.asked["units"] == proposal.asked["normalization"] == [0, 1]
    assert proposal.asked["learning_rate"] == (1e-4, 1e-2, "log")
    assert (made.dimensions[2].whole, made.dimensions[1].whole) == (True, False)


def test_own_values_are_found_in_the_space():
    made = DictSpace([Choice("a", (None, 1, True)), Range("b", 1, 5), Range("c", 0.5, 2.0)])
    assert made.codes({"a": None, "b": 2, "c": 1}) == {"a": 0, "b": 2, "c": 1.0}
    assert made.codes({"a": True, "b": 6, "c": None}) == {"a": 2}
    assert made.codes({"a": 1.0, "b": 2.5, "c": True}) == {}, "1.0 is not the choice 1"


def test_numbers_of_numpy_become_those_of_python():
    made = make_space({"units": np.array([8, 16]), "dropout": (np.float32(0.0), np.float64(0.5))}, fk.GRUForecaster())
    assert [type(value) for value in made.dimensions[0].options] == [int, int]
    assert [type(made.dimensions[1].low), type(made.dimensions[1].high)] == [float, float]


@pytest.mark.parametrize(
    ("space", "sentence"),
    [
        ({"unit": [8, 16]}, r"a parameter in the space must exist, got 'unit'\. Did you mean 'units'\?"),
        ({"random_state": [1, 2]}, "must exist, got 'random_state'"),
        ({"horizon": [6, 12]}, r"horizon determines what is forecast .* Pass horizon= to the forecaster"),
        ({"target": ["a", "b"]}, "target determines what is forecast"),
        ({"units": []}, "units in the space must have at least one choice, got none"),
        ({"units": [8, 8, 16]}, "choices of units must differ, got 8"),
        ({"units": 8}, r"must be a list of choices.*got 8\. One value alone is \[8\]"),
        ({"loss": "mae"}, r"must be a list of choices.*got 'mae'"),
        ({"units": (16, 8)}, r"two increasing numbers, got \(16, 8\)"),
        ({"units": (8,)}, r"two increasing numbers, got \(8,\)"),
        ({"units": (8, 16, "exp")}, r"'log'\), two increasing numbers, got"),
        ({"learning_rate": (0.0, 0.1, "log")}, "two increasing numbers above 0"),
        ({"dropout": (0.0, float("nan"))}, "two increasing numbers, got"),
        ({"units": [8, 0]}, "GRU: units must be a whole number of at least 1, got 0"),
        ({"units": [8, "many"]}, "units must be a whole number of at least 1, got 'many'"),
        ({"dropout": (0.0, 2.0)}, r"dropout must be a number in \[0, 0.99\], got 2.0"),
        ({}, r"space must be a dict of parameters to values, or a function of hp, got {}"),
        ("units", "space must be a dict"),
        (lambda hp: [8], r"must return a dict of parameters, got \[8\]"),
        (lambda hp: {"unit": 8}, "Did you mean 'units'"),
        (lambda hp: {"units": 0}, "units must be a whole number of at least 1, got 0"),
    ],
)
def test_refusals(space, sentence):
    with pytest.raises(fk.InputError, match=sentence):
        make_space(space, fk.GRUForecaster(horizon=6))


def test_a_value_that_goes_with_another_choice_only_is_no_mistake():
    forecaster = fk.TransformerForecaster(horizon=6)
    make_space({"units": [30, 60], "heads": [3, 4]}, forecaster)
    with pytest.raises(fk.InputError, match="heads must divide units"):
        make_space({"heads": [3, 4]}, forecaster)


@given(low=st.floats(1e-6, 1e3), ratio=st.floats(1.001, 1e6), part=st.integers(0, 2**31), log=st.booleans())
@settings(max_examples=50, deadline=None)
def test_drawn_values_lie_between_the_bounds(low, ratio, part, log):
    space = Range("x", low, low * ratio, log)
    value = space.draw(np.random.default_rng(part))
    assert low * 0.999999 <= value <= low * ratio * 1.000001


# ---------------------------------------------------------------------------------------------- spaces that come along


@pytest.mark.parametrize("name", sorted(backbones.class_names().values()))
def test_every_network_has_a_space_in_which_it_lies_itself(name):
    forecaster = getattr(fk, f"{name}Forecaster")(horizon=48)
    space = default_space(forecaster, GROUND)
    made = make_space(space, forecaster)
    assert {"lookback", "patch", "learning_rate", "units"} <= set(space)
    architecture = forecaster._architecture()
    own = {**forecaster.get_params(), "lookback": 96, "patch": 24, "learning_rate": architecture.learning_rate}
    assert set(made.codes(own)) == set(space), "the defaults lie outside"
    rng = np.random.default_rng(0)
    draws = [{dimension.name: dimension.draw(rng) for dimension in made.dimensions} for _ in range(50)]
    assert np.mean([find_parameter_error(forecaster, draw) is None for draw in draws]) > 0.5


def test_windows_fit_the_rows():
    space = default_space(fk.GRUForecaster(horizon=48), GROUND)
    assert space["lookback"] == [48, 96, 144, 192, 288]
    assert space["patch"] == [12, 24]
    short = DataContext(
        lookback=10, patch=1, max_lookback=16, horizon=2, season=1, grid=TimeGrid("position"), positive=False
    )
    space = default_space(fk.GRUForecaster(horizon=2), short)
    assert space["lookback"] == [5, 10, 15]
    assert not {"calendar", "target_transform"} & set(space), "there are no times, and values below zero"


def test_a_backbone_object_is_searched_under_its_name():
    forecaster = fk.KerasForecaster(backbone=fk.LSTM(units=8), horizon=6)
    space = default_space(forecaster, GROUND)
    assert space["backbone__units"] == [4, 8, 16]
    made = make_space({"backbone__units": [4, 8]}, forecaster)
    assert made.codes(forecaster.get_params()) == {"backbone__units": 1}


def test_what_reads_off_the_history_has_nothing_to_search():
    with pytest.raises(fk.InputError, match=r"parameters to search, got NaiveForecaster\. Pass space="):
        fk.tune(fk.NaiveForecaster(), wave(100))


def test_a_network_of_given_sizes_keeps_them_among_the_choices():
    forecaster = fk.GRUForecaster(**SMALL | {"lookback": 30, "units": 10, "dropout": 0.15})
    space = default_space(forecaster, DataContext(30, 6, 100, 6, 24, HOURLY, True))
    assert 30 in space["lookback"]
    assert 0.15 in space["dropout"]
    assert space["units"] == [5, 10, 20]
