"""Results print a line and the first rows of a table."""

import pandas as pd
import pytest

import forecastkit as fk
from forecastkit.inspection.lookahead_audit import Audit
from forecastkit.tuning.results import Tuning
from forecastkit.utils.mixins import SHOWN

TRIALS = pd.DataFrame(
    {"score": [0.51234567, *range(1, 30)], "fold 0": 0.5, "seconds": 2.0, "message": "", "units": 8},
    index=pd.Index(range(30), name="trial"),
)
FINDINGS = pd.DataFrame(
    {"check": ["forecast"] * 20, "changed": range(20), "passed": [True] * 19 + [False], "detail": ""}
)
RESULTS = {
    "Search of 30 trials, 61 s, best score 0.5123": Tuning(TRIALS, {}, 0.51234567, fk.LinearForecaster(), 61.2),
    "Audit of 20 checks: 1 found a leak": Audit(FINDINGS),
    "Audit of 1 check: no leak": Audit(FINDINGS[:1]),
}


@pytest.mark.parametrize("line", RESULTS)
def test_results_are_short_in_print_and_tables_in_notebooks(line):
    text, html = repr(RESULTS[line]), RESULTS[line]._repr_html_()
    assert text.startswith(f"{line}\n")
    assert len(text.splitlines()) <= SHOWN + 3
    assert html.startswith(f"<p>{line}</p><table")
    assert "0.51234567" not in text
    assert "fold 0" not in text


def test_what_failed_is_shown_first():
    assert repr(RESULTS["Audit of 20 checks: 1 found a leak"]).splitlines()[2].split()[2] == "False"
