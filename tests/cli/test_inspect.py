"""`forecast inspect`."""

import json

from conftest import AIR


def test_inspect_a_model_and_a_table(run, air):
    assert "target   Passengers" in (out := run("inspect", air[0]).out)
    assert "trained  2 epochs" in out
    assert "seasonal naive" in out
    found = json.loads(run("inspect", air[0], "--json").out)
    assert (found["kind"], found["class"], found["horizon"]) == ("model", "GRUForecaster", 12)
    found = json.loads(run("inspect", AIR, "--json").out)
    assert (found["kind"], found["usual"]) == ("table", {"horizon": 12, "lookback": 36})
