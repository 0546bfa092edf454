"""The study's tasks, rules and table; its figures are the machine's affair."""

import json
from pathlib import Path

import numpy as np
import pytest
from accuracy import lines_of
from study import cost, figures, plan, published, synthetic
from study.claims import RULES, SAID, effective_days
from study.evidence import Answer, Evidence, furthest
from study.verdicts import markdown, verdict, verdicts
from test_benchmarks import script

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "benchmarks"
RESULTS = FOLDER / "results" / "study.jsonl"


@pytest.fixture(scope="module")
def command():
    return script("study")


@pytest.fixture(scope="module")
def evidence():
    return Evidence(lines_of(RESULTS), published.summary(lines_of(FOLDER / "results" / "accuracy.jsonl")))


# ---------------------------------------------------------------------------------------------- tasks


def test_what_is_to_be_recalled_is_marked_so_many_steps_ago():
    lags = np.array([1, 3, 16])
    windows, truth = synthetic.recall(np.random.default_rng(0), lags, 16)
    for window, target, lag in zip(windows, truth, lags, strict=True):
        assert np.flatnonzero(window[:, 1]).tolist() == [16 - lag]
        assert target == window[16 - lag, 0]


def test_what_is_to_be_added_is_marked_once_or_twice_the_first_at_the_lag():
    lags = np.array([1, 2, 5, 16] * 50)
    windows, truth = synthetic.adding(np.random.default_rng(0), lags, 16)
    for window, target, lag in zip(windows, truth, lags, strict=True):
        marked = np.flatnonzero(window[:, 1])
        assert marked[0] == 16 - lag
        assert len(marked) == min(lag, 2)
        assert lag == 1 or 16 - marked[1] <= (lag + 1) // 2
        assert target == pytest.approx(window[marked, 0].sum())


def test_values_of_places_are_told_by_nothing_else():
    windows, truth = synthetic.place(np.random.default_rng(0), np.ones(3, dtype=int), 8)
    assert not windows[..., 1].any()
    np.testing.assert_array_equal(truth, windows[:, [-1, -2, -4, -8], 0])


def test_lags_are_drawn_from_one_to_the_length():
    lags = synthetic.drawn(np.random.default_rng(0), 5_000, 8)
    assert set(lags) == set(range(1, 9))
    assert np.mean(lags <= 2) == pytest.approx(np.log(3) / np.log(9), abs=0.03)


def test_slopes_are_those_of_small_changes():
    from study.probe import Steps

    windows = np.random.default_rng(0).normal(size=(2, 4, 2)).astype("float32")
    net = Steps("gru", 4, windows)
    input_gradients, moved = net.input_gradients(windows), windows.copy()
    moved[:, 1, 0] += 1e-2
    change = (net.predict(moved) - net.predict(windows))[:, 0] / 1e-2
    np.testing.assert_allclose(input_gradients[:, 1, 0], change, rtol=0.05, atol=1e-4)


@pytest.mark.rotated
def test_training_recalls_the_last_value():
    found = synthetic.solve("gru", "recall", length=2, steps=200, units=8)
    assert dict(found["explained"])[1] > 0.5
    assert [lag for lag, _ in found["before"]] == [lag for lag, _ in found["after"]] == [1, 2]


# ---------------------------------------------------------------------------------------------- costs and data


@pytest.mark.parametrize("network", ["rnn", "lstm", "gru", "transformer"])
def test_parameters_are_as_many_as_the_formula_says(network):
    found = cost.parameters(network, 8)
    assert found["counted"] == found["formula"]


def test_changed_windows_differ_where_they_should():
    from study import real

    windows = np.random.default_rng(0).normal(size=(3, 72)).astype("float32")
    exchanged = real.swapped(windows, np.array([1, 2, 0]), 2)
    assert (exchanged != windows).any(axis=0).nonzero()[0].tolist() == list(range(24, 48))
    np.testing.assert_allclose(exchanged[:, 24:48].mean(axis=1), windows[:, 24:48].mean(axis=1), atol=1e-5)
    held = real.truncated(windows, 1)
    np.testing.assert_array_equal(held[:, 48:], windows[:, 48:])
    assert np.ptp(held[:, :48], axis=1).max() == 0
    assert real.rank_correlation([1, 2, 3], [3, 5, 9]) == pytest.approx(1)


def test_scaled_errors_are_means_over_series():
    import pandas as pd
    from study import real

    given = pd.DataFrame({"id": ["a"] * 24 + ["b"] * 24, "y": [*range(24), *range(0, 48, 2)]})
    joined = pd.DataFrame({"id": ["a", "b"], "forecast": [0.0, 0.0], "y": [12.0, 48.0]})
    assert real.mase(joined, given) == pytest.approx((12 / 12 + 48 / 24) / 2)


# ---------------------------------------------------------------------------------------------- plan


def test_every_measurement_is_planned_once_and_every_claim_has_some():
    planned = plan.full()
    assert len({str(each) for each in planned}) == len(planned)
    covered = {claim for each in planned for claim in plan.MEASURES[each.measure][1]}
    assert covered | set(plan.PUBLISHED) == set(SAID) == set(RULES) == set(range(1, 15))


def test_lines_of_results_are_those_of_the_plan():
    planned = plan.full()
    for line in lines_of(RESULTS):
        assert any(each.matches(line) for each in planned), line["key"]


@pytest.mark.rotated
def test_a_measurement_is_not_taken_twice(command, tmp_path, capsys):
    common = ["--quick", "--claims", "7", "--out", str(tmp_path / "s.jsonl")]
    command.main(common)
    (line,) = lines_of(tmp_path / "s.jsonl")
    assert line["key"] == {"network": "gru", "units": 8}
    assert line["result"] == {"counted": 432, "formula": 432}
    command.main(common)
    assert len(lines_of(tmp_path / "s.jsonl")) == 1
    command.main([*common[:2], "9", *common[3:], "--minutes", "1e-9"])
    assert "left for the next call" in capsys.readouterr().out


def test_floats_are_kept_to_six_digits(command):
    assert command.rounded({"a": [1 / 3, 2], "b": "x"}) == {"a": [0.333333, 2], "b": "x"}


# ---------------------------------------------------------------------------------------------- verdicts


def grown(network, seconds, patch=1, memory=(0, 100)):
    rows = [
        {"length": length, "train": spent, "predict": spent, "memory_mb": mb}
        for length, spent, mb in zip((64, 4096), seconds, memory, strict=True)
    ]
    return {"measure": "growth", "key": {"network": network, "patch": patch, "threads": 1}, "result": {"rows": rows}}


@pytest.mark.parametrize(
    ("attention", "answer"), [((1, 50), Answer.HOLDS), ((1, 200), Answer.DEPENDS), ((20, 200), Answer.FAILS)]
)
def test_speed_is_compared_at_every_length(attention, answer):
    lines = [grown("gru", (10, 100)), grown("transformer", attention), grown("gru", (5, 10), patch=16)]
    found = verdict(1, Evidence([*lines, grown("min_gru", (1, 50))], {}))
    assert found.answer == answer
    assert f"{100 / attention[1]:.1f} times over 4,096" in found.measured


@pytest.mark.parametrize(("full", "patched", "answer"), [(150, 10, "does not hold"), (900, 150, "depends")])
def test_memory_is_compared_with_patches_and_without(full, patched, answer):
    lines = [grown("gru", (1, 1)), grown("transformer", (1, 1), memory=(0, full))]
    lines.append(grown("transformer", (1, 1), 16, memory=(0, patched)))
    assert verdict(12, Evidence(lines, {})).answer == answer


def test_what_was_not_measured_is_called_so():
    assert {each.answer for each in verdicts([], {})} == {Answer.OPEN}


def test_the_furthest_lag_is_the_last_before_a_gap():
    assert furthest([[1, 0.9], [2, 0.8], [4, 0.1], [8, 0.9]]) == 2
    assert furthest([[1, 0.1]]) == 0


def test_the_oldest_day_that_matters():
    assert effective_days({"error": 1.0, "disturbed": [2.0, 1.001, 1.2, 1.0]}) == 3
    assert effective_days({"error": 1.0, "disturbed": [1.0]}) == 0


def test_published_rows_are_means_over_seeds_of_plain_lines():
    line = {**published.TASK, "model": "gru", "weights": 7}
    lines = [{**line, "mse": 0.3}, {**line, "mse": 0.5}, {**line, "mse": 9.0, "parameters": {"units": 1}}]
    row = published.summary([*lines, {**line, "mse": 9.0, "horizon": 720}])["gru"]
    assert (row.mse, row.seeds, row.weights) == (pytest.approx(0.4), 2, 7)
    assert str(row) == "GRU 0.400 ± 0.141"


def test_every_network_has_a_name_in_text():
    from forecastkit.networks import backbones

    assert set(backbones.names()) <= published.NAMES.keys()


def test_the_page_shows_the_verdicts_of_the_results(command):
    page = (ROOT / "docs" / "study.md").read_text(encoding="utf-8")
    found = command.told(command.arguments([]))
    assert command.rewritten(page, command.HEADING, markdown(found)) == page, (
        "python benchmarks/study.py --page docs/study.md"
    )
    assert command.rewritten(page, command.HEADING, "| other |") != page


FIGURES = ("growth", "gradients", "recalls", "context", "accuracy", "shrinking", "parameters", "observation")


@pytest.mark.parametrize("name", [*FIGURES, "lookbacks", "ways"])
def test_figures_are_drawn_from_any_results(name, evidence):
    for found in (evidence, Evidence([], {})):
        picture = figures.small(getattr(figures, name)(found))
        assert picture.startswith(b"\x89PNG")
        assert len(picture) < 30_000


def test_lines_are_json_that_others_can_read():
    for line in RESULTS.read_text(encoding="utf-8").splitlines():
        assert {"measure", "key", "result", "seconds", "versions", "commit"} <= json.loads(line).keys()
