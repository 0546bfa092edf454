"""Known covariates that reach or do not, rows to be filled, and series that end together, by a drift."""

import numpy as np
import pandas as pd
import pytest

import forecastkit as fk
from forecastkit import InputError
from forecastkit.utils.exceptions import ParameterError

ROWS = {"a": 60, "b": 57, "c": 50}
TIMES = pd.date_range("2024-01-01", periods=80, freq="D")


def table(rows=ROWS) -> pd.DataFrame:
    """Lines that rise by one a day; series end on different days."""
    parts = [
        pd.DataFrame({"unique_id": name, "ds": TIMES[:n], "y": np.arange(n) + 1000.0 * i, "k": 0.0, "size": float(i)})
        for i, (name, n) in enumerate(rows.items())
    ]
    return pd.concat(parts, ignore_index=True)


def drift(data=None, **roles):
    """Continues every line exactly."""
    data = table() if data is None else data
    return fk.DriftForecaster(horizon=5, target="y", **roles).fit(data)


@pytest.fixture(scope="module")
def known():
    return drift(known="k", static="size")


@pytest.fixture(scope="module")
def plain():
    return drift(table()[["unique_id", "ds", "y"]])


def filled(model, **asked):
    return model.future_frame(**asked).assign(k=0.0)


# ---------------------------------------------------------------------------------------------- until


def test_each_series_has_an_end_of_its_own(plain):
    got = plain.predict()
    assert got.groupby("unique_id")["ds"].max().tolist() == [TIMES[n + 4] for n in ROWS.values()]


@pytest.mark.parametrize("until", ["common", TIMES[64], "2024-03-05"])
def test_all_series_may_end_together(plain, until):
    got = plain.predict(until=until)
    lengths = {"a": 5, "b": 8, "c": 15}
    assert got.groupby("unique_id").size().to_dict() == lengths
    assert set(got.groupby("unique_id")["ds"].max()) == {TIMES[64]}
    np.testing.assert_allclose(got["y"], [n + i + 1000 * e for e, n in enumerate(ROWS.values()) for i in range(65 - n)])
    long = plain.forecast(until=until)
    assert list(long.columns) == ["unique_id", "ds", "cutoff", "step", "forecast"], "points only beyond the horizon"
    np.testing.assert_array_equal(long["forecast"], got["y"])
    assert long["step"].tolist() == [i + 1 for n in lengths.values() for i in range(n)]
    assert plain.future_frame(until=until)["ds"].tolist() == got["ds"].tolist()


def test_a_nearer_end_keeps_the_quantiles(plain):
    model = drift(table({"a": 60, "b": 58})[["unique_id", "ds", "y"]])
    long = model.forecast(until=TIMES[61])
    assert long.groupby("unique_id").size().to_dict() == {"a": 2, "b": 4}
    assert {"q0.1", "q0.9"} <= set(long.columns)
    both = model.forecast()
    pd.testing.assert_frame_equal(long, both[both["ds"] <= TIMES[61]].reset_index(drop=True))


def test_positions_may_be_an_end():
    assert fk.DriftForecaster(horizon=3).fit(np.arange(50.0)).predict(until=56).tolist() == [50, 51, 52, 53, 54, 55, 56]


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ({"until": TIMES[59]}, r"after the last observed row of every series, got .*'a' at 2024-02-29"),
        ({"until": TIMES[57]}, r"after the last observed row of every series, got .*'a' at 2024-02-29"),
        ({"until": "soon"}, "until must be a time of the data or a position, got 'soon'"),
        ({"until": "2024-03-05 12:00"}, r"until must lie on the data's grid \(daily\)"),
        ({"until": "common", "coverage": 0.8}, "quantiles reach 5 steps, the horizon, got 15 steps"),
    ],
)
def test_ends_that_cannot_be(plain, asked, sentence):
    with pytest.raises(ParameterError, match=sentence):
        plain.predict(**asked)


def test_rows_and_an_end_cannot_both_be_asked_for(plain):
    with pytest.raises(ParameterError, match="either X or until"):
        plain.predict(plain.future_frame(), until="common")
    with pytest.raises(ParameterError, match="either steps or until"):
        plain.future_frame(3, until="common")


# ---------------------------------------------------------------------------------------------- known covariates


def test_the_frame_of_rows_to_fill_is_what_predict_takes(known):
    frame = known.future_frame()
    assert list(frame.columns) == ["unique_id", "ds", "k"], "what is static is remembered"
    got = known.predict(frame.assign(k=0.0))
    assert got["y"].tolist() == [n + i + 1000 * e for e, n in enumerate(ROWS.values()) for i in range(5)]
    assert known.future_frame(2).groupby("unique_id").size().tolist() == [2, 2, 2]
    other = table({"z": 20})
    assert known.future_frame(1, history=other)["ds"].tolist() == [TIMES[20]]


def test_known_covariates_that_lack_are_named_by_series_and_span(known):
    with pytest.raises(InputError) as caught:
        known.predict()
    assert str(caught.value) == (
        "DriftForecaster: known covariates k are needed from 2024-02-20 00:00:00 to 2024-03-05 00:00:00, got no rows: "
        "'a' lacks 2024-03-01 00:00:00 to 2024-03-05 00:00:00, 'b' lacks 2024-02-27 00:00:00 to 2024-03-02 00:00:00, "
        "'c' lacks 2024-02-20 00:00:00 to 2024-02-24 00:00:00. Fill future_frame(), or what `forecast future` "
        "writes, and pass it to predict."
    )
    more = drift(table(dict.fromkeys("pqrst", 40)), known="k", static="size")
    with pytest.raises(InputError, match=r"'r' lacks [^,]*, \.\.\. and 2 more\. Fill"):
        more.forecast()


def test_a_frame_that_was_not_filled_is_refused(known):
    frame = filled(known)
    frame.loc[frame["unique_id"] == "b", "k"] = np.nan
    for ask in (known.predict, known.forecast):
        with pytest.raises(InputError, match=r"only blanks: 'b' lacks 2024-02-27 00:00:00 to 2024-03-02 00:00:00\. F"):
            ask(frame)


def test_holes_are_masked_and_said(known):
    frame = filled(known)
    frame.loc[[1, 12], "k"] = np.nan
    with pytest.warns(UserWarning, match=r"2 of 15 rows to forecast lack known covariates k: 'a' at 2024-03-02 00:0"):
        got = known.predict(frame)
    assert np.isfinite(got["y"]).all()
    assert len(got) == 15


def test_short_known_covariates_are_forecast_as_far_as_they_reach(known):
    frame = filled(known)
    short = frame[(frame["unique_id"] != "b") | (frame["ds"] < TIMES[59])]
    with pytest.warns(UserWarning, match=r"k end before the requested steps: 'b' at 2024-02-28 00:00:00; "):
        long = known.forecast(short)
    assert long.groupby("unique_id").size().to_dict() == {"a": 5, "b": 2, "c": 5}
    assert len(known.predict(short)) == 12


def test_known_covariates_in_the_history_reach_as_far_as_they_do():
    data = table()
    data.loc[(data["unique_id"] == "a") & (data["ds"] > TIMES[56]), "y"] = np.nan
    data.loc[(data["unique_id"] != "a") & (data["ds"] > TIMES[44]), "y"] = np.nan
    model = drift(data, known="k", static="size")
    with pytest.warns(UserWarning, match="'a' at 2024-02-29 00:00:00; forecasts end with them"):
        got = model.predict()
    assert got.groupby("unique_id").size().to_dict() == {"a": 3, "b": 5, "c": 5}
    with pytest.warns(UserWarning, match="'a' at 2024-02-29"):
        assert model.predict(until="common").groupby("unique_id").size().to_dict() == {"a": 3, "b": 12, "c": 5}


# ---------------------------------------------------------------------------------------------- newer rows


def test_an_update_far_ahead_is_refused(plain):
    far = pd.DataFrame({"unique_id": ["b"], "ds": [pd.Timestamp("2900-01-01")], "y": [1.0]})
    with pytest.raises(InputError, match=r"daily grid .* rows of 'b' from 2900-01-01 .* last one at 2024-02-26"):
        drift(table()[["unique_id", "ds", "y"]]).update(far)
    assert plain.cutoff_["b"] == TIMES[56]
