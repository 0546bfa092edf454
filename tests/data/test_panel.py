"""The panel's row arithmetic against loops over dictionaries."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecastkit.data.panel import Panel, owners, pointers, spread
from forecastkit.data.time_grid import TimeGrid
from forecastkit.utils.exceptions import InputError


def make(series: dict, missing=0.3, seed=0) -> Panel:
    """A panel of {id: (start, length)} with random cells, some missing."""
    rng = np.random.default_rng(seed)
    lengths = [length for _, length in series.values()]
    target = rng.normal(size=(sum(lengths), 2))
    target[rng.random(target.shape) < missing] = np.nan
    known = rng.normal(size=(sum(lengths), 1)).astype("float32")
    past, static = np.zeros((sum(lengths), 0), "float32"), np.zeros((len(series), 0), "float32")
    start = np.array([start for start, _ in series.values()], dtype="int64")
    return Panel(TimeGrid("position"), tuple(series), start, pointers(lengths), target, past, known, static)


def cells(panel: Panel) -> dict:
    """{(id, ordinal): row of cells} of every row."""
    out = {}
    for e, name in enumerate(panel.ids):
        for i, row in enumerate(range(panel.indptr[e], panel.indptr[e + 1])):
            out[name, panel.start[e] + i] = np.concatenate([panel.target[row], panel.known[row]])
    return out


def same(one: dict, other: dict) -> bool:
    return one.keys() == other.keys() and all(np.array_equal(one[k], other[k], equal_nan=True) for k in one)


panels = st.builds(
    make,
    st.dictionaries(st.sampled_from("abcd"), st.tuples(st.integers(-5, 5), st.integers(1, 9)), min_size=1),
    st.sampled_from([0.0, 0.4, 0.9]),
    st.integers(0, 99),
)


@given(panels, st.data())
@settings(max_examples=60, deadline=None)
def test_between_and_take_keep_the_right_rows(panel, data):
    first = [data.draw(st.integers(low - 1, high)) for low, high in zip(panel.indptr, panel.indptr[1:], strict=False)]
    first = np.clip(first, panel.indptr[:-1], panel.indptr[1:])
    stop = np.array([data.draw(st.integers(f, high)) for f, high in zip(first, panel.indptr[1:], strict=True)])
    kept = {
        (name, at): row
        for (name, at), row in cells(panel).items()
        if first[e := panel.ids.index(name)] <= panel.indptr[e] + at - panel.start[e] < stop[e]
    }
    assert same(cells(panel.between(first, stop)), kept)
    chosen = data.draw(st.permutations(range(len(panel.ids))))[: data.draw(st.integers(1, len(panel.ids)))]
    taken = panel.take(np.array(chosen))
    assert taken.ids == tuple(panel.ids[e] for e in chosen)
    assert same(cells(taken), {k: v for k, v in cells(panel).items() if k[0] in taken.ids})


@given(panels)
@settings(max_examples=60, deadline=None)
def test_first_and_last_observed(panel):
    for e in range(len(panel.ids)):
        rows = range(panel.indptr[e], panel.indptr[e + 1])
        seen = [row for row in rows if not np.isnan(panel.target[row]).all()]
        assert panel.last_observed()[e] == (seen[-1] if seen else rows[0] - 1)
        assert panel.first_observed()[e] == (seen[0] if seen else rows[-1] + 1)
        assert panel.cutoffs()[e] == panel.start[e] + panel.last_observed()[e] - rows[0]
        assert panel.observed()[e].tolist() == (~np.isnan(panel.target[rows[0] : rows[-1] + 1]).all(axis=0)).tolist()


@given(panels, panels)
@settings(max_examples=60, deadline=None)
def test_merge_replaces_cell_by_cell(old, new):
    merged, replaced = old.merge(new)
    expected, known = cells(old), cells(old)
    for key, row in cells(new).items():
        before = expected.get(key, np.full(3, np.nan))
        expected[key] = np.where(np.isnan(row), before, row)
    got = cells(merged)
    assert same({k: got[k] for k in expected}, expected)
    assert all(np.isnan(row).all() for key, row in got.items() if key not in expected)
    both = [k for k, row in cells(new).items() if k in known and not np.isnan(row[:2]).all()]
    assert replaced == sum(not np.isnan(known[k][:2]).all() for k in both)


@given(panels, st.integers(0, 5))
@settings(max_examples=30, deadline=None)
def test_pad_adds_empty_rows(panel, rows):
    padded = panel.pad(rows)
    got = cells(padded)
    assert same({k: got[k] for k in cells(panel)}, cells(panel))
    assert len(got) == panel.rows + rows * len(panel.ids)
    assert all(np.isnan(row).all() for key, row in got.items() if key not in cells(panel))


@given(panels, st.data())
@settings(max_examples=30, deadline=None)
def test_pad_takes_a_number_for_each(panel, data):
    rows = [data.draw(st.integers(0, 3)) for _ in panel.ids]
    padded = panel.pad(np.array(rows))
    assert padded.lengths.tolist() == (panel.lengths + rows).tolist()
    assert same({k: cells(padded)[k] for k in cells(panel)}, cells(panel))


@pytest.mark.parametrize("gap", [3, 70, 5_000])
def test_long_gaps_at_the_ends_are_searched_in_few_steps(gap, monkeypatch):
    monkeypatch.setattr("forecastkit.data.panel.MAX_CELLS", 64)
    panel = make({"a": (0, 2 * gap), "b": (3, gap), "c": (0, 4)}, missing=0.0)
    panel.target[: gap - 1] = panel.target[gap : 2 * gap] = panel.target[2 * gap : 3 * gap] = np.nan
    assert (panel.first_observed() - panel.indptr[:-1]).tolist() == [gap - 1, gap, 0]
    assert (panel.last_observed() - panel.indptr[:-1]).tolist() == [gap - 1, -1, 3]


def test_rows_far_from_the_known_ones_are_refused():
    panel = make({"a": (0, 50), "b": (0, 5)})
    merged, _ = panel.merge(make({"a": (3_000, 2)}))
    assert merged.lengths.tolist() == [3_002, 5]
    with pytest.raises(InputError, match=r"rows of 'b' from 1000000 on after a last one at 4\. Give the rows between"):
        panel.merge(make({"b": (1_000_000, 2)}))


@given(st.lists(st.integers(0, 5), min_size=1), st.data())
def test_spread_and_owners(counts, data):
    group, place = spread(counts)
    assert list(zip(group, place, strict=True)) == [(g, i) for g, n in enumerate(counts) for i in range(n)]
    low = data.draw(st.integers(0, sum(counts)))
    high = data.draw(st.integers(low, sum(counts)))
    assert owners(pointers(counts), low, high).tolist() == group[low:high].tolist()


def test_a_copy_shares_nothing():
    panel = make({"a": (0, 5), "b": (1, 4)})
    copied = panel.copy()
    copied.target[:] = 7
    copied.start[:] = 7
    assert same(cells(panel), cells(make({"a": (0, 5), "b": (1, 4)})))


def test_places_of_names():
    panel = make({"a": (0, 5), "b": (1, 4)})
    assert panel.places(["b", "z", "a"]).tolist() == [1, -1, 0]


def test_one_series_is_cut_without_copying():
    panel = make({"a": (0, 50)})
    cut = panel.between(np.array([10]), np.array([40]))
    assert np.shares_memory(cut.target, panel.target)


@pytest.mark.parametrize("name", ["target", "known"])
def test_panels_do_not_change(name):
    panel = make({"a": (0, 5)})
    with pytest.raises(AttributeError):
        setattr(panel, name, None)
    assert replace(panel, ids=("z",)).ids == ("z",)
