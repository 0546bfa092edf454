"""A series spread over many frames is joined once, not once for every frame."""

import numpy as np
import pandas as pd
import pytest

import forecastkit as fk
from forecastkit.integrations import partitions


@pytest.mark.parametrize("series", [["a"], ["a", "b"]])
def test_rows_are_joined_about_once(tmp_path, monkeypatch, series):
    days = pd.date_range("2024-01-01", periods=400)
    whole = pd.concat([pd.DataFrame({"unique_id": name, "ds": days, "y": np.arange(400.0) % 7}) for name in series])
    fk.NaiveForecaster(horizon=2).fit(whole).save(tmp_path / "m.forecast")
    frames, joined, concat = [whole[low : low + 10] for low in range(0, len(whole), 10)], [], pd.concat

    def counting(parts, **options):
        joined.append(sum(map(len, parts)))
        return concat(parts, **options)

    monkeypatch.setattr(partitions.pd, "concat", counting)
    forecast = concat(partitions.forecast_partitions([frames[0][:0], *frames], tmp_path / "m.forecast"))
    assert sum(joined) <= 2 * len(whole)
    monkeypatch.undo()
    expected = fk.load(tmp_path / "m.forecast").forecast(history=whole)
    pd.testing.assert_frame_equal(forecast.reset_index(drop=True), expected)
