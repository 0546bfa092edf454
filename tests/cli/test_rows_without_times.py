"""Tables without times: each row is numbered once, following the last known one."""

import numpy as np
import pandas as pd
import pytest

import forecastkit as fk
from forecastkit.cli import main

VALUES = np.arange(1.0, 101.0)


@pytest.mark.parametrize("series", [None, ["a", "b"], ["late"]])
def test_each_row_is_stored_once(series, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    frame = pd.DataFrame({"value": VALUES})
    if series:
        frame = pd.concat([frame.assign(unique_id=name) for name in ("x", *series)])
        if series == ["late"]:  # observed in the test rows alone
            frame.loc[(frame["unique_id"] == "late") & (frame["value"] < 97), "value"] = np.nan
    frame.to_csv("plain.csv", index=False)
    assert main(["train", "--csv", "plain.csv", "--model", "naive", "--horizon", "3", "--out", "m.forecast", "-q"]) == 0
    forecast = fk.load("m.forecast").forecast()
    assert set(forecast["cutoff"]) == {99}
    assert set(forecast["time"]) == {100, 101, 102}
    assert forecast["forecast"].eq(100.0).all()
