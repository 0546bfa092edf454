"""Random frames give a panel or an InputError, and are not changed."""

import warnings

import numpy as np
import pandas as pd
from conftest import FUZZED
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from forecastkit.data.ingest.read_panel import read_panel, read_rows
from forecastkit.utils.exceptions import InputError

NAMES = ["date", "Time", "year", "month", "day", "hour", "week", "store", "item", "id", "y", "sales", "open", "x", "No",
         "unique_id", "ds", 2020, "2021-01", "Jan", ""]  # fmt: skip
FREQUENCIES = st.sampled_from(["D", "h", "MS", "W", "B", "15min"])
CELLS = st.one_of(
    st.floats(allow_nan=True, allow_infinity=True),
    st.integers(-3, 2100),
    st.booleans(),
    st.none(),
    st.sampled_from(["2024-01-01", "01/02/2024", "Jan-18", "2024-W05", "12:30", "a", "b", "", "0", "1,5", "2024"]),
    st.datetimes().map(pd.Timestamp),
)
DATES = pd.date_range("2023-12-28", periods=12)
SECONDS = pd.to_timedelta(np.arange(12) * 7 % 11, unit="s")
#: Rules and frequencies, most often none.
READING = {
    "resample": [None] * 6 + ["mean", "last", "nearest"],
    "freq": [None] * 6 + ["D", "h", "MS", "7D", "B"],
    "duplicates": ["refuse"] * 6 + ["sum", "last"],
}


@st.composite
def columns(draw, rows):
    """A column of one kind as tables have them, or of any cells."""
    kind = draw(
        st.sampled_from(["any", "text dates", "dates", "jittered", "parts", "names", "numbers", "flags", "classes"])
    )
    if kind == "any":
        return draw(st.lists(CELLS, min_size=rows, max_size=rows))
    place = np.random.default_rng(draw(st.integers(0, 200))).integers(0, 12, rows)  # one draw is cheaper than many
    if kind == "numbers":
        return place * 1.5
    if kind == "flags":
        return place % 2 == 0
    if kind == "classes":
        return pd.Categorical.from_codes(place % 3, ["u", "v", "w"])
    if kind == "names":
        return [("0071", "A", None)[p % draw(st.sampled_from([2, 3]))] for p in place]
    if kind == "parts":
        part = draw(st.sampled_from(["year", "month", "day", "hour"]))
        return getattr(DATES, part)[place]
    if kind == "jittered":
        return DATES[place] + SECONDS[place]
    days = DATES[place]
    return days.strftime(draw(st.sampled_from(["%Y-%m-%d", "%d/%m/%Y", "%b-%y"]))) if kind == "text dates" else days


@st.composite
def frames(draw):
    rows = draw(st.integers(0, 12))
    names = draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=6, unique=True))
    frame = pd.DataFrame({name: draw(columns(rows)) for name in names}, columns=names)
    return frame.sample(frac=1, random_state=0) if draw(st.booleans()) else frame


@st.composite
def sound_frames(draw):
    """A frame with times, perhaps two series, and a target, beside columns of any kind."""
    rows, series = draw(st.integers(4, 12)), draw(st.sampled_from([1, 1, 2]))
    times = pd.date_range(draw(st.sampled_from(["2023-12-28", "1969-06-01"])), periods=rows, freq=draw(FREQUENCIES))
    form = draw(st.sampled_from([None, None, "%Y-%m-%d %H:%M", "%d.%m.%Y %H:%M"]))
    frame = pd.DataFrame({"date": np.tile(times if form is None else times.strftime(form), series)})
    if series > 1:
        frame["store"] = np.repeat(["0071", "A"], rows)
    frame["sales"] = np.where(np.arange(rows * series) % 5 == draw(st.integers(0, 9)), np.nan, np.arange(rows * series))
    others = draw(st.lists(st.sampled_from(["x", "open", "No", "hour", 2020, ""]), max_size=2, unique=True))
    frame = frame.assign(**{str(name): draw(columns(rows * series)) for name in others})
    return frame.sample(frac=1, random_state=0) if draw(st.booleans()) else frame


#: Given roles of sound frames.
GIVEN = st.sampled_from([{"target": "sales"}, {"target": "sales"}, {"time": "date", "target": "sales"}, {}])


@st.composite
def requests(draw):
    """A frame with parameters of `read_panel`; most frames are valid."""
    if draw(st.sampled_from([True, True, False])):
        return draw(sound_frames()), draw(GIVEN)
    frame = draw(frames())
    name = st.one_of(st.none(), st.sampled_from(list(frame)))
    roles = {role: draw(name) for role in ("target", "time", "series_id", "known")}
    return frame, roles | {name: draw(st.sampled_from(values)) for name, values in READING.items()}


def test_any_frame_is_read_or_refused_in_a_sentence():
    read = []

    @settings(max_examples=FUZZED, deadline=None, suppress_health_check=list(HealthCheck))
    @given(requests())
    def check(request):
        read.append(is_read(*request))

    check()
    assert 0.25 < np.mean(read) < 0.9


def is_read(frame: pd.DataFrame, roles: dict) -> bool:
    """Return whether a frame gives a panel; a refusal must be one sentence, and the frame unchanged."""
    before, said = frame.copy(deep=True), ""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", category=UserWarning, message="Panel: ")
        try:
            panel, schema = read_panel(frame, **roles)
            assert panel.rows >= 1
            assert not np.isinf(panel.target).any()
            read_rows(schema, frame, future=True)
        except InputError as refusal:
            said = str(refusal)
    assert "\n" not in said
    pd.testing.assert_frame_equal(frame, before)
    return not said
