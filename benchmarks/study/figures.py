"""A figure for every claim, from the results alone."""

import io

from forecastkit.plotting.style import BLUE, GREY, INK, ORANGE, PALE
from study.evidence import SOLVED, Evidence
from study.published import named

#: Okabe and Ito (2008); recurrent networks are warm, attention is blue, scans are green, what is no network grey.
COLOURS = {
    "rnn": "#E69F00",
    "lstm": ORANGE,
    "gru": "#CC79A7",
    "min_gru": "#009E73",
    "min_lstm": "#7FCFB9",
    "mamba": "#005C43",
    "transformer": BLUE,
    "transformer:sinusoidal": "#56B4E9",
    "transformer:rotary": "#1F3B66",
    "transformer:none": "#A9B7C6",
    "transformer_xl": "#7B5EA7",
    "linear": GREY,
}
DASHED = ("transformer:sinusoidal", "transformer:rotary", "min_lstm")
HYBRIDS = ("lstm_transformer", "gru_transformer", "rnn_transformer", "cnn_transformer")


def panels(count: int, height: float = 3.3):
    """A figure and its axes side by side, small enough to keep in a notebook."""
    from matplotlib.figure import Figure

    count = max(count, 1)
    figure = Figure(figsize=(3.7 * count + 0.3, height), dpi=90, layout="constrained", facecolor="white")
    return figure, figure.subplots(1, count, squeeze=False)[0].tolist()


def curves(axes, by_network: dict, title: str, below: str, log: str = "x") -> None:
    """A line of points for every network, with its name in a legend.

    Parameters
    ----------
    by_network : dict of str to list of (x, y)
    log : str
        The axes that are logarithmic: 'x', 'y', 'xy' or none.
    """
    for network, points in by_network.items():
        style = {"linestyle": "--" if network in DASHED else "-", "linewidth": 1.5, "marker": "o", "markersize": 3}
        axes.plot(*zip(*points, strict=True), color=COLOURS.get(network, INK), label=named(network), **style)
    if "x" in log:
        axes.set_xscale("log", base=2)
        ticks = sorted({x for points in by_network.values() for x, _ in points})
        axes.set_xticks(ticks, [f"{x:,}" for x in ticks])
        axes.minorticks_off()
    if "y" in log:
        axes.set_yscale("log")
        axes.yaxis.set_minor_formatter("")
    format_like_input(axes, title, below)


def format_like_input(axes, title: str, below: str = "") -> None:
    axes.set_title(title, loc="left", fontsize=9, color=INK)
    axes.set_xlabel(below, fontsize=8, color=GREY)
    axes.tick_params(labelsize=7, colors=GREY)
    axes.grid(color=PALE, linewidth=0.6)
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


def legend(figure, axes) -> None:
    """One legend for all panels, at the right."""
    found = {text: handle for each in axes for handle, text in zip(*each.get_legend_handles_labels(), strict=True)}
    figure.legend(found.values(), found.keys(), loc="outside right center", fontsize=7, frameon=False)


def growth(e: Evidence):
    """Claims 1 and 12: seconds and memory by length."""
    figure, axes = panels(3)
    lines = e.all("growth", threads=1)
    for panel, key, factor, title in (
        (axes[0], "train", 1000, "training step of two windows, ms"),
        (axes[1], "predict", 1000, "prediction of two windows, ms"),
        (axes[2], "memory_mb", 1, "peak memory of training, MB"),
    ):
        for patched in (False, True):
            found = [line for line in lines if (line["patch"] > 1) == patched]
            points = {f["network"]: [(row["length"], factor * row[key]) for row in f["rows"]] for f in found}
            if patched:
                draw_patched(panel, points, found)
            else:
                curves(panel, points, title, "steps", "xy")
    legend(figure, axes)
    return figure


def draw_patched(axes, points: dict, found: list) -> None:
    for line in found:
        label = f"{named(line['network'])}, patches of {line['patch']}"
        axes.plot(*zip(*points[line["network"]], strict=True), ":", color=COLOURS[line["network"]], label=label)


def gradients(e: Evidence):
    """Claim 2: how much of the gradient reaches k steps back."""
    figure, axes = panels(2)
    found = e.all("solve", task="recall")
    for panel, key, title in (
        (axes[0], "before", "untrained: gradient by the value k steps ago"),
        (axes[1], "after", "trained to recall: gradient by the marked value"),
    ):
        least = 1e-12  # float32 has nothing smaller to say
        points = {f["network"]: [(lag, max(size, least)) for lag, size in f[key]] for f in found}
        curves(panel, points, title, "steps ago", "xy")
    legend(figure, axes)
    return figure


def recalls(e: Evidence):
    """Claims 2 and 3: what is recalled from k steps ago."""
    tasks = [task for task in ("recall", "adding") if e.all("solve", task=task)]
    figure, axes = panels(len(tasks))
    titles = {
        "recall": "recall of a marked value: share explained",
        "adding": "sum of two marked values: share explained",
    }
    for panel, task in zip(axes, tasks, strict=False):
        curves(panel, explained(e, task), titles[task], "steps ago")
        solved(panel)
    legend(figure, axes)
    return figure


def explained(e: Evidence, task: str) -> dict:
    return {f["network"]: [(lag, max(share, 0.0)) for lag, share in f["explained"]] for f in e.all("solve", task=task)}


def solved(axes) -> None:
    axes.axhline(SOLVED, color=GREY, linewidth=0.8, linestyle=":")
    axes.set_ylim(-0.05, 1.05)


def context(e: Evidence):
    """Claim 4: recall by place alone, and which days of the past matter on ETTh1."""
    found = e.all("inside")
    figure, axes = panels(2 if e.all("solve", task="place") else 1)
    if len(axes) > 1:
        curves(axes[0], explained(e, "place"), "recall by place alone: share explained", "steps ago")
        solved(axes[0])
    days = {f["network"]: [(d, 100 * (x / f["error"] - 1)) for d, x in enumerate(f["disturbed"], 1)] for f in found}
    curves(axes[-1], days, "ETTh1: error, %, with a day exchanged", "days ago", "")
    axes[-1].set_yscale("symlog", linthresh=1)
    legend(figure, axes)
    return figure


def accuracy(e: Evidence):
    """Claims 5, 7, 8, 13 and 14: error and weights of every network on ETTh1."""
    rows = sorted(e.published.values(), key=lambda row: -row.mse)
    rows = [row for row in rows if row.weights and "+" not in row.model]
    figure, axes = panels(2, height=0.2 * len(rows) + 0.9)
    colours = [ORANGE if row.model in HYBRIDS else BLUE for row in rows]
    for place, (row, colour) in enumerate(zip(rows, colours, strict=True)):
        axes[0].errorbar(row.mse, place, xerr=row.spread, fmt="o", color=colour, markersize=4)
        axes[1].plot(row.weights, place, "o", color=colour, markersize=4)
    axes[0].set_yticks(range(len(rows)), [named(row.model) for row in rows])
    axes[1].set_yticks(range(len(rows)), [""] * len(rows))
    axes[1].set_xscale("log")
    axes[1].set_xticks(ticks := [30_000, 100_000, 300_000, 1_000_000], [f"{tick // 1000:,} k" for tick in ticks])
    axes[1].minorticks_off()
    format_like_input(axes[0], "mean squared error, 96 hours of ETTh1", "mean and spread over seeds; hybrids in orange")
    format_like_input(axes[1], "parameters")
    return figure


def shrinking(e: Evidence):
    """Claim 6: error as the training data shrink."""
    data = [name for name in ("etth1", "bike", "m1") if e.shrunk(name)]
    figure, axes = panels(len(data))
    titles = {"etth1": "ETTh1, squared error", "bike": "bike sharing, squared error", "m1": "M1 monthly, MASE"}
    for panel, name in zip(axes, data, strict=False):
        points = {network: list(curve.items()) for network, curve in e.shrunk(name).items()}
        curves(panel, points, titles[name], "% of the training data")
    legend(figure, axes)
    return figure


def parameters(e: Evidence):
    """Claim 7: parameters of one layer by width."""
    figure, axes = panels(1)
    points: dict = {}
    for found in e.all("parameters"):
        points.setdefault(found["network"], []).append((found["units"], found["counted"]))
    curves(axes[0], points, "parameters of one layer", "units", "xy")
    legend(figure, axes)
    return figure


def observation(e: Evidence):
    """Claim 9: what one new observation costs."""
    figure, axes = panels(3)
    for panel, key, title in (
        (axes[0], "window_ms", "the window over again, ms"),
        (axes[1], "carried_ms", "a step from the carried state, ms"),
        (axes[2], "state_numbers", "numbers in the carried state"),
    ):
        points: dict = {}
        for found in e.all("observation"):
            points.setdefault(found["network"], []).append((found["length"], found[key]))
        curves(panel, points, title, "steps so far", "xy")
    legend(figure, axes)
    return figure


def lookbacks(e: Evidence):
    """Claim 10: error and seconds by lookback."""
    figure, axes = panels(2)
    points: dict = {"error": {}, "fit_seconds": {}}
    for found in e.all("lookback", patch=24):
        for key, by_network in points.items():
            by_network.setdefault(found["network"], []).append((found["hours"], found[key]))
    curves(axes[0], points["error"], "ETTh1, 24 hours ahead: squared error", "hours of lookback")
    curves(axes[1], points["fit_seconds"], "seconds of the fit", "hours of lookback")
    axes[1].set_ylim(bottom=0)
    legend(figure, axes)
    return figure


def ways(e: Evidence):
    """Claim 11: which days count, by attention, attribution and occlusion."""
    found = [f for f in e.all("inside") if "attention" in f["ways"]]
    figure, axes = panels(len(found), height=2.8)
    styles = {"attention": BLUE, "attribution": ORANGE, "occlusion": INK}
    for panel, each in zip(axes, found, strict=False):
        for way, colour in styles.items():
            shares = each["ways"][way]
            panel.plot(range(1, len(shares) + 1), shares, color=colour, marker="o", markersize=3, label=way)
        format_like_input(panel, named(each["network"]), "days ago")
        panel.set_ylim(bottom=0)
    legend(figure, axes)
    return figure


def small(figure) -> bytes:
    """A figure as a PNG of few colours, a third of the usual size."""
    from PIL import Image

    whole, fewer = io.BytesIO(), io.BytesIO()
    figure.savefig(whole, format="png")
    Image.open(whole).convert("RGB").quantize(48, dither=Image.Dither.NONE).save(fewer, format="png", optimize=True)
    return fewer.getvalue()
