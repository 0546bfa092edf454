"""Error messages name rows by series and time."""

import numpy as np
import pandas as pd
import pytest

from forecastkit.data.row_labels import Places

TIMES = pd.date_range("2024-01-01", periods=3)


@pytest.mark.parametrize(
    ("ids", "timestamps", "name"),
    [
        ((None,), None, "row 1"),
        ((None,), TIMES, "2024-01-02 00:00:00"),
        (("a",), None, "'a' in row 1"),
        (("a",), TIMES, "'a' at 2024-01-02 00:00:00"),
    ],
)
def test_a_row_is_named_by_series_and_time(ids, timestamps, name):
    assert Places(np.zeros(3, dtype="int64"), ids, timestamps).name(1) == name
