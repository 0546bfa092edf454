"""The benchmark of quantiles counts what its formulas say, and takes up where it was."""

import importlib
import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

FOLDER = Path(__file__).resolve().parents[2] / "benchmarks"


@pytest.fixture(scope="module")
def script():
    sys.path.insert(0, str(FOLDER))
    try:
        yield importlib.import_module("uncertainty")
    finally:
        sys.path.remove(str(FOLDER))
        for name in ("uncertainty", "accuracy"):
            sys.modules.pop(name, None)


@pytest.fixture
def csv(tmp_path):
    """Noise of two sizes: nothing but its quantiles can be forecast."""
    rng = np.random.default_rng(0)
    index = pd.date_range("2024-01-01", periods=900, freq="h", name="date")
    frame = pd.DataFrame(rng.normal(size=(900, 2)) * [1.0, 50.0], index=index, columns=["a", "b"])
    frame.to_csv(tmp_path / "noise.csv")
    return tmp_path / "noise.csv"


def test_normal_errors_of_noise_are_held_as_often_as_they_say(script, csv, tmp_path, capsys):
    out = tmp_path / "lines.jsonl"
    call = ["--csv", str(csv), "--split", "500,200,200", "--horizon", "4", "--lookback", "8", "--out", str(out)]
    models = ["--models", "linear_gaussian,linear,seasonal_naive"]
    script.main([*call, *models])
    assert "in the 80 % interval, by quarters" in capsys.readouterr().out
    lines = [json.loads(line) for line in out.read_text().splitlines()]
    assert [(line["model"], line["calibrate"]) for line in lines] == [
        ("linear_gaussian", "none"),
        *[(model, way) for model in ("linear", "seasonal_naive") for way in ("none", "fixed", "rolling")],
    ]
    for line in lines:
        assert line["coverage_0.8"] == pytest.approx(np.mean(line["quarters_0.8"]), abs=1e-3)
        assert abs(line["coverage_0.8"] - 0.8) < 0.06
        assert line["coverage_0.5"] < line["coverage_0.8"] < line["coverage_0.9"] < line["coverage_0.95"]
    # Twice the pinball loss of a quantile of normal noise, known exactly, is twice the density there.
    expected = 2 * norm.pdf(norm.ppf(script.DECILES)).mean() / norm.expect(np.abs)
    assert lines[0]["wql"] == pytest.approx(expected, rel=0.08)
    script.main([*call, *models])
    assert len(out.read_text().splitlines()) == len(lines)
