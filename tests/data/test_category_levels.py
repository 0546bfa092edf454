"""Levels of categories are matched by their text, with a warning for levels not seen at fit."""

import numpy as np
import pandas as pd
import pytest

from forecastkit.data.ingest.read_panel import read_panel, read_rows

DAYS = pd.date_range("2024-01-01", periods=40)
TRAINED = pd.DataFrame({"y": np.arange(40.0), "h": ["0", "a", "b", "1"] * 10}, index=DAYS)


def known(cells, trained=TRAINED):
    _, schema = read_panel(trained, target="y", known="h")
    frame = pd.DataFrame({"h": cells}, index=DAYS[-1] + pd.to_timedelta(np.arange(1, len(cells) + 1), "D"))
    return read_rows(schema, frame, future=True).known.tolist()


@pytest.mark.parametrize(
    "cells", [["0", "1"], [0, 1], [0.0, 1.0], [np.int8(0), np.int8(1)], ["0.0", "1"], [False, True]]
)
def test_levels_are_compared_by_text_for_any_type(cells):
    if isinstance(cells[0], bool):
        with pytest.warns(
            UserWarning, match="2 rows of 'h' with levels not seen at fit: False, True; taken as unknown"
        ):
            known(pd.array(cells))
        return
    assert known(pd.Series(cells).to_numpy()) == [[1, 0, 0, 0], [0, 1, 0, 0]]


def test_categories_of_numbers_take_text():
    trained = TRAINED.assign(h=pd.Categorical([1, 2] * 20))
    assert known(["2", "1"], trained) == known([2, 1], trained) == [[0, 1], [1, 0]]


def test_many_levels_are_codes_matched_alike():
    trained = TRAINED.assign(h=[str(i) for i in range(20)] * 2)
    assert known([3, 12], trained) == known(["3", "12"], trained)


def test_levels_that_were_not_seen_are_warned_of_with_their_count():
    with pytest.warns(
        UserWarning, match="Panel: 2 rows of 'h' with levels not seen at fit: 'zz', 'q'; taken as unknown"
    ) as said:
        assert known(["zz", "q", "a"]) == [[0.25] * 4, [0.25] * 4, [0, 0, 1, 0]]
    assert said[0].filename == __file__


def test_leading_zeros_are_part_of_a_level():
    trained = TRAINED.assign(h=["007", "7"] * 20)
    assert known(["7", "007"], trained) == [[0, 1], [1, 0]]
    assert known([7], trained) == [[0, 1]]
