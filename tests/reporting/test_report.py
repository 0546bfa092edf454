"""The report: every section says what the results say, on one page that needs nothing else."""

import json
import re
import shutil
import subprocess
from html import unescape
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest

import forecastkit as fk
from forecastkit.reporting import sections
from forecastkit.reporting.page import svg
from forecastkit.utils.exceptions import InputError

EMPTY = ("meta", "path", "use", "rect", "line", "circle", "br")


class Balanced(HTMLParser):
    """Checks that every element is closed, and collects the names and addresses in attributes."""

    def __init__(self):
        super().__init__()
        self.open, self.names, self.addresses = [], set(), []

    def handle_starttag(self, tag, attrs):
        self.names.add(tag)
        self.addresses += [value for name, value in attrs if name in ("src", "href", "xlink:href") and value]
        if tag not in EMPTY:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.names.add(tag)
        self.addresses += [value for name, value in attrs if name in ("src", "href", "xlink:href") and value]

    def handle_endtag(self, tag):
        if tag not in EMPTY:
            assert self.open.pop() == tag


@pytest.fixture(scope="module")
def panel():
    rng = np.random.default_rng(0)
    days = pd.date_range("2024-01-01", periods=160)
    frame = pd.concat([pd.DataFrame({"store": f"<{name}>", "day": days, "sales": rng.poisson(20, 160) * 1.0})
                       for name in "abcde"], ignore_index=True)  # fmt: skip
    frame.loc[40:46, "sales"] = np.nan
    return frame


@pytest.fixture(scope="module")
def made(panel, tmp_path_factory):
    """A report on a fitted panel model, and its file."""
    path = tmp_path_factory.mktemp("report") / "report.html"
    model = fk.LinearForecaster(horizon=7, target="sales", series_id="store", time="day").fit(panel)
    return fk.report(model, panel, path=path, backtest={"n_windows": 12, "stride": 2}, title="Sales & co"), path


def test_the_page_stands_alone(made):
    report, path = made
    text = path.read_text(encoding="utf-8")
    assert text == report.html
    assert len(text) < 3_000_000
    page = Balanced()
    page.feed(text)
    assert page.open == []
    assert not page.names & {"link", "img", "iframe"}
    assert text.count("<script>") == text.count("<script") == 1  # no src=
    assert all(address.startswith("#") for address in page.addresses)
    assert "@import" not in text
    assert "Sales &amp; co" in text
    assert "<a>" not in text  # names of series are escaped
    for wanted in ("prefers-color-scheme: dark", "@media print", 'name="viewport"'):
        assert wanted in text


def test_titles_of_plots_are_those_of_the_page(made):
    """On a phone a plot scrolls, and starts at its right end."""
    text = made[0].html
    drawn = "".join(re.findall(r"<svg.*?</svg>", text, flags=re.DOTALL))
    for title in ("<h3>Error by cutoff</h3>", "<h3>Best window: ", ">mean absolute error by step"):
        assert title in text
    assert "Error by cutoff" not in drawn
    assert "<h3>Backtest</h3>" not in text  # the title of the section


def test_plots_take_the_colours_of_the_page(made):
    text = made[0].html
    drawn = text[text.index("<svg") :]
    assert "var(--ink)" in drawn
    assert "color-mix(in srgb, var(--blue)" in drawn
    assert not re.search(r"fill: #(222222|ffffff|d1e5f1)", drawn, flags=re.IGNORECASE)


def test_figures_of_the_backtest_are_those_of_the_page(made):
    report, _ = made
    assert report.backtest.forecasts["cutoff"].nunique() == 12
    assert f"{report.backtest.scores['mae'].iloc[0]:,.4g}" in report.html
    assert "12 past forecasts of 7 steps" in report.html
    assert report.html.count("<details>") == 4  # one of five series is open
    assert report.html.count("<details open><summary>&lt;a&gt;</summary>") == 1
    assert "7 of 160 values are missing, at most 7 in a row" in report.html


def test_the_best_and_the_worst_window_are_by_error_in_units_of_the_series():
    rows = [("a", 1, 10.0), ("a", 2, 12.0), ("a", 3, 11.0), ("b", 1, 0.1), ("b", 2, 0.4), ("b", 3, 0.1)]
    frame = pd.DataFrame(rows, columns=["store", "cutoff", "forecast"]).assign(day=9, step=1, actual=0.0)
    frame = frame[["store", "day", "cutoff", "step", "forecast", "actual"]]
    best, worst = sections._extremes(frame)
    assert (best["store"].iloc[0], worst["store"].iloc[0], worst["cutoff"].iloc[0]) == ("b", "b", 2)


def test_coverage_is_given_by_thirds_of_the_cutoffs(made):
    table = sections.calibration_section(made[0].backtest).tables[0]
    frame = made[0].backtest.forecasts
    inside = frame["actual"].between(frame["q0.1"], frame["q0.9"])
    cutoffs = np.sort(frame["cutoff"].unique())
    assert table.loc["80 % interval", "all"] == pytest.approx(100 * inside.mean())
    last = 100 * inside[frame["cutoff"].isin(cutoffs[8:])].mean()
    assert table.loc["80 % interval", "last third"] == pytest.approx(last)


def test_values_of_a_plot_are_under_the_pointer(made):
    """The centre of each strip is the place of its time, and its title holds the forecast and the interval there."""
    report, _ = made
    days = pd.date_range("2024-01-01", periods=9)
    rows = pd.DataFrame({"time": days, "cutoff": days[0] - days.freq, "step": range(1, 10)})
    rows["forecast"] = np.arange(9.0) ** 2
    rows["q0.1"], rows["q0.9"] = rows["forecast"] - 1, rows["forecast"] + 2
    figure = sections.plot(rows, ax=sections._axes()).figure
    drawn = svg(figure)
    strips = re.findall(r'<rect x="([0-9.]+)" y="[0-9.]+" width="([0-9.]+)" height="[0-9.]+"><title>([^<]*)', drawn)
    assert [title for *_, title in strips][3] == "2024-01-04\nforecast 9\n80 % interval 8 to 11"
    assert len(strips) == 9
    axes = figure.axes[0]
    wide = float(re.search(r'viewBox="0 0 ([0-9.]+)', drawn)[1])
    place = axes.transData.transform((axes.convert_xunits(days[3]), 0))[0] / figure.bbox.width * wide
    left, width, _ = strips[3]
    assert float(left) + float(width) / 2 == pytest.approx(place, abs=0.2)
    assert report.html.count('<g class="values">') >= 9


def test_plots_with_many_times_have_strips_for_some_of_them():
    figure = sections._axes().figure
    figure.axes[0].plot(np.arange(2_001), np.arange(2_001), label="history")
    drawn = svg(figure)
    titles = re.findall(r"<title>([^<]*)", drawn)
    assert 300 < len(titles) <= 400
    assert titles[-1] == "2000\nhistory 2,000"


ZOOM = """
const svg = document.querySelector(".latest svg");
const [zoomIn, , earlier, , all] = document.querySelectorAll(".tools button");
const numbers = (path) => path.getAttribute("d").match(/[\\d.-]+/g).map(Number);
const state = () => ({
  said: document.querySelector(".tools output").textContent,
  strips: [...svg.querySelectorAll(".values rect")].filter((rect) => rect.width.baseVal.value > 0).length,
  lines: [...svg.querySelectorAll("path[clip-path]")].map(numbers),
});
const found = [state()];
for (const button of [zoomIn, earlier, all]) { button.click(); found.push(state()); }
document.title = JSON.stringify(found);
"""


@pytest.mark.skipif(shutil.which("chromium") is None, reason="needs Chromium")
def test_buttons_zoom_into_a_plot_and_out_again(made, tmp_path):
    """35 days are shown, then the last half of them, then a quarter of these earlier, then all."""
    path = tmp_path / "page.html"
    path.write_text(made[0].html.replace("</body>", f"<script>{ZOOM}</script></body>"), encoding="utf-8")
    command = ["chromium", "--headless", "--no-sandbox", "--dump-dom", path.as_uri()]
    page = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout
    whole, half, earlier, again = json.loads(unescape(re.search("<title>(.*?)</title>", page)[1]))
    assert [state["strips"] for state in (whole, half, earlier, again)] == [35, 18, 18, 35]
    assert [half["said"], again["said"]] == ["2024-05-29 to 2024-06-15", ""]
    assert earlier["said"].startswith("2024-05-2")
    for before, zoomed, after in zip(whole["lines"], half["lines"], again["lines"], strict=True):
        assert before == pytest.approx(after, abs=1e-6)
        assert before[1::2] == zoomed[1::2]  # heights stay
        assert np.diff(zoomed[::2]) == pytest.approx(2 * np.diff(before[::2]), abs=1e-6)


@pytest.mark.parametrize(("values", "said"), [
    ([1.0, np.nan, np.nan, 2.0, np.nan], ["3 of 5 values are missing, at most 2 in a row"]),
    ([4.0] * 12, ["all values are 4"]),
    ([0.0, 1.0] * 10 + [90.0], ["1 value more than 12 median deviations from the median"]),
    (list(np.arange(20.0)), []),
], ids=range(4))  # fmt: skip
def test_problems_of_a_series(values, said):
    assert list(sections._problems(np.array(values))) == said


def test_an_unfitted_model_and_a_comparison():
    data = fk.load_dataset("airpassengers")
    compared = fk.compare("drift", data, horizon=6, memory=False)
    report = fk.report(fk.LinearForecaster(horizon=6), data, backtest={"n_windows": 3}, comparison=compared)
    assert f"models that were compared, {compared.best} has the least error" in report.html
    assert "LinearForecaster, 6 steps after 1960-12-01" in report.html


def test_an_unwritable_path_is_refused(made, tmp_path):
    with pytest.raises(InputError, match="must be writable"):
        made[0].save(tmp_path / "none" / "report.html")


def test_svg_has_no_size_of_its_own():
    from matplotlib.figure import Figure

    figure = Figure()
    figure.subplots()
    head = svg(figure).partition(">")[0]
    assert "viewBox" in head
    assert "width" not in head
    assert "height" not in head


def test_the_command_writes_the_page_of_a_saved_model(panel, tmp_path, capsys, monkeypatch):
    from forecastkit.cli import main

    panel.to_csv(tmp_path / "sales.csv", index=False)
    model = fk.LinearForecaster(horizon=7, target="sales", series_id="store", time="day").fit(panel)
    model.save(tmp_path / "m.forecast")
    arguments = ["report", str(tmp_path / "m.forecast"), "--csv", str(tmp_path / "sales.csv"), "--n-windows", "3"]
    out = tmp_path / "report.html"
    assert main([*arguments, "--out", str(out)]) == 0
    assert "<h2>Backtest</h2>" in out.read_text(encoding="utf-8")
    assert main([*arguments, "--out", str(out)]) == 1
    assert "--overwrite" in capsys.readouterr().err
    monkeypatch.chdir(tmp_path)
    out.unlink()
    assert main(arguments) == 0  # to report.html
    assert out.exists()
