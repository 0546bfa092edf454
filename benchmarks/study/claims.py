"""The fourteen claims: what is said, and the rule by which the measurements answer it."""

from study.evidence import SOLVED, Answer, Evidence, short, times
from study.published import named

HOLDS, FAILS, DEPENDS = Answer.HOLDS, Answer.FAILS, Answer.DEPENDS
#: A difference in mean squared error on standardised data, and one in percent, below which two networks are alike.
ALIKE, ALIKE_PERCENT = 0.005, 2.0
SCHEMES = ("transformer", "transformer:sinusoidal", "transformer:rotary")
RECURRENT = ("rnn", "lstm", "gru")
SCANNED = ("min_gru", "min_lstm", "mamba")

SAID = {
    1: "Transformers process all positions at once, so they train and infer far faster than an LSTM",
    2: "Gradients that vanish or explode make LSTMs lose what is long ago (0.9^100 = 0.003)",
    3: "Attention reaches every step directly, so Transformers capture what is far best",
    4: "The plain Transformer's effective context is shorter than an RNN's; its positions are to blame",
    5: "Attention can be replaced by recurrence or convolution at little cost",
    6: "Recurrent networks are better on small data, where Transformers overfit",
    7: "GRU saves about 30 % of LSTM's parameters at little loss",
    8: "Transformers have many more parameters",
    9: "LSTM and GRU suit step-by-step processing in real time",
    10: "Recurrent networks do for some hundred steps; beyond about 1,000 choose a Transformer",
    11: "Transformers are interpretable through their attention weights",
    12: "Transformers need much memory; choose LSTM where it is short",
    13: "Hybrids take the best of both parents",
    14: "The encoder-decoder form suits forecasting sequences",
}


def claim_1(e: Evidence):
    gru, attention = e.growth("gru"), e.growth("transformer")
    ratios = {length: gru[length]["train"] / attention[length]["train"] for length in gru}
    said = {length: gru[length]["predict"] / attention[length]["predict"] for length in gru}
    short_one, long_one = min(ratios), max(ratios)
    patched = e.growth("gru", patch=16)[long_one]["train"]
    text = (
        f"a GRU's training step takes {times(ratios[short_one])} that of a Transformer over {short_one} steps and "
        f"{times(ratios[long_one])} over {long_one:,}, on one core (a prediction {times(said[short_one])} and "
        f"{times(said[long_one])}); patches of 16 make the GRU "
        f"{times(gru[long_one]['train'] / patched)} faster there, a scan (minGRU) "
        f"{times(gru[long_one]['train'] / e.growth('min_gru')[long_one]['train'])}"
    )
    faster = [ratio > 1 for ratio in ratios.values()]
    return text, HOLDS if all(faster) else DEPENDS if any(faster) else FAILS


def claim_2(e: Evidence):
    left, vanish = [], []
    for network in RECURRENT:
        found = e.one("solve", network=network, task="recall")
        (_, near), (lag, away) = found["before"][0], found["before"][-1]
        vanish.append(away < near / 100)
        left.append(f"{named(network)} {short(away / near)}")
    plain, *gated = (e.furthest(network, "recall") for network in RECURRENT)
    text = (
        f"untrained, this fraction of the last step's gradient is left {lag} steps back: {', '.join(left)}; trained, "
        f"they recall a value from up to {plain}, {gated[0]} and {gated[1]} steps back. 1.1^100 is {1.1**100:,.0f}, "
        f"but 0.9^100 is {0.9**100:.7f}"
    )
    if not any(vanish):
        return text, FAILS
    return text, HOLDS if max(gated) <= plain else DEPENDS


def claim_3(e: Evidence):
    lags = {network: e.furthest(network, "recall") for network in e.networks("solve", task="recall")}
    attention = max(e.furthest(scheme, "recall") for scheme in SCHEMES)
    recurrent = max(e.furthest(network, "recall") for network in RECURRENT)
    scanned = max((lags[network] for network in SCANNED if network in lags), default=0)
    text = "a marked value is recalled up to so many steps back: " + _list(lags)
    # "Best" is more than as far as recurrences that are trained by a scan.
    return text, HOLDS if attention > max(recurrent, scanned) else FAILS if attention < recurrent else DEPENDS


def claim_4(e: Evidence):
    told = {network: places_told(e, network) for network in e.networks("solve", task="place")}
    days = {network: effective_days(e.one("inside", network=network)) for network in e.networks("inside")}
    recurrent = max(told["lstm"], told["gru"])
    text = (
        f"of values 1, 2, 4, ... 256 steps back, with nothing but their place to tell them by, so many of nine are "
        f"recalled: {_list(told)}; on ETTh1 so many days matter: {_list(days)}"
    )
    less = [told[scheme] < recurrent for scheme in ("transformer", "transformer:sinusoidal")]
    less.append(days["transformer"] < days["gru"])
    return text, HOLDS if all(less) else DEPENDS if any(less) else FAILS


def places_told(e: Evidence, network: str) -> int:
    """Of how many places a network recalls the value."""
    return sum(share >= SOLVED for _, share in e.one("solve", network=network, task="place")["explained"])


def effective_days(found: dict) -> int:
    """The oldest day of the past whose exchange for another raises the error by one percent, and all later ones'."""
    worse = [error > 1.01 * found["error"] for error in found["disturbed"]]
    return max((day for day, matters in enumerate(worse, start=1) if matters), default=0)


def claim_5(e: Evidence):
    full, others = e.row("transformer"), [e.row("recurrent_blocks"), e.row("convolutional_blocks")]
    alike = [other.mse < full.mse + ALIKE for other in others]
    text = f"mean squared error on ETTh1, 96 hours ahead: {full}; {others[0]}; {others[1]}"
    return text, HOLDS if all(alike) else DEPENDS if any(alike) else FAILS


def claim_6(e: Evidence):
    parts, better = [], []
    for data, name in (("etth1", "ETTh1"), ("bike", "bike sharing"), ("m1", "M1 monthly")):
        curves = e.shrunk(data)
        if not {"gru", "transformer", "linear"} <= curves.keys():
            continue
        common = sorted(set(curves["gru"]) & set(curves["transformer"]) & set(curves["linear"]))
        gaps = {p: 100 * (curves["transformer"][p] / curves["gru"][p] - 1) for p in common}
        better += [gap > ALIKE_PERCENT for percent, gap in gaps.items() if percent <= 10]
        linear = 100 * (curves["linear"][common[0]] / curves["gru"][common[0]] - 1)
        shown = ", ".join(f"{gap:+.0f} % at {percent} % of the data" for percent, gap in gaps.items())
        parts.append(f"{name} {shown} (linear {linear:+.0f} % at {common[0]} %)")
    if not parts:
        e.one("shrink", network="transformer")
    text = f"the Transformer's error against the GRU's: {'; '.join(parts)}"
    return text, HOLDS if all(better) else DEPENDS if any(better) else FAILS


def claim_7(e: Evidence):
    counts = {network: e.one("parameters", network=network, units=64)["counted"] for network in ("lstm", "gru")}
    saved, gru, lstm = 100 * (1 - counts["gru"] / counts["lstm"]), e.row("gru"), e.row("lstm")
    text = (
        f"{saved:.0f} %: three blocks of weights against four ({counts['gru']:,} and {counts['lstm']:,} of 64 units, "
        f"as by formula; a second bias costs the rest). Errors on ETTh1: {gru}, {lstm}"
    )
    return text, HOLDS if saved > 20 and gru.mse < lstm.mse + ALIKE else FAILS


def claim_8(e: Evidence):
    rows = [e.row(name) for name in ("transformer", "gru", "lstm")]
    text = "parameters and error on ETTh1: " + "; ".join(f"{row}, {row.weights:,}" for row in rows)
    full, *recurrent = rows
    if full.mse > min(row.mse for row in recurrent) + ALIKE:
        return text, DEPENDS
    return text, FAILS if full.weights <= min(row.weights for row in recurrent) else HOLDS


def claim_9(e: Evidence):
    longest = max(found["length"] for found in e.all("observation", network="gru")) if e.all("observation") else 0
    gru, attention = (e.one("observation", network=n, length=longest) for n in ("gru", "transformer"))
    ours = e.one("forecaster")
    text = (
        f"after {longest:,} steps a new one costs a GRU {gru['carried_ms']:.3f} ms and {gru['state_numbers']:,} "
        f"numbers of state, attention {attention['carried_ms']:.3f} ms and {attention['state_numbers']:,}; over the "
        f"whole window again {gru['window_ms']:.1f} and {attention['window_ms']:.1f} ms. Our forecasters read the "
        f"window again: {ours['update_ms'] + ours['predict_ms']:.0f} ms for {ours['lookback']} steps in patches"
    )
    lighter = gru["carried_ms"] < attention["carried_ms"] and gru["state_numbers"] < attention["state_numbers"]
    return text, HOLDS if lighter else FAILS


def claim_10(e: Evidence):
    found = {(r["network"], r["hours"]): r["error"] for r in e.all("lookback", patch=24)}
    hours = sorted({at for _, at in found})
    longest = max(hours) if hours else e.one("lookback", patch=24)["hours"]
    gaps = {at: 100 * (found["transformer", at] / found["gru", at] - 1) for at in hours}
    text = "the Transformer's error against the GRU's, in patches of a day: " + ", ".join(
        f"{gap:+.1f} % from {at:,} hours" for at, gap in gaps.items()
    )
    return text, HOLDS if gaps[longest] < -ALIKE_PERCENT else FAILS


def claim_11(e: Evidence):
    found = [each for each in e.all("inside") if "attention and occlusion" in each["agreement"]]
    if not found:
        e.one("inside", network="transformer")
    parts, values = [], []
    for each in found:
        pair = [each["agreement"][name] for name in ("attribution and attention", "attention and occlusion")]
        values += pair
        parts.append(f"{named(each['network'])} {pair[0]:.2f} and {pair[1]:.2f}")
    text = (
        f"rank correlation, over the days of the past, of attention with attribution and occlusion: {'; '.join(parts)}"
    )
    mean = sum(values) / len(values)
    return text, HOLDS if mean > 0.7 else FAILS if mean < 0.3 else DEPENDS


def claim_12(e: Evidence):
    def grown(network, patch):
        rows = e.growth(network, patch)
        return rows[max(rows)]["memory_mb"] - rows[min(rows)]["memory_mb"], max(rows)

    (gru, length), (attention, _) = grown("gru", 1), grown("transformer", 1)
    patched, _ = grown("transformer", 16)
    text = (
        f"training on {length:,} steps takes {max(gru, 0):,.0f} MB more than on the fewest with a GRU, "
        f"{attention:,.0f} with a Transformer, {max(patched, 0):,.0f} with a Transformer over patches of 16"
    )
    if attention < 2 * gru:
        return text, FAILS
    return text, DEPENDS if patched < 2 * gru else HOLDS


def claim_13(e: Evidence):
    parts, better = [], []
    full = e.row("transformer")
    for hybrid, parent in (
        ("lstm_transformer", "lstm"),
        ("gru_transformer", "gru"),
        ("rnn_transformer", "rnn"),
        ("cnn_transformer", "convolutional_blocks"),
    ):
        child, best = e.row(hybrid), min((e.row(parent), full), key=lambda row: row.mse)
        cost = e.one("defaults", network=hybrid)["seconds"] / e.one("defaults", network=best.model)["seconds"]
        better.append(child.mse + child.spread + best.spread < best.mse)
        parts.append(f"{child} against {best} at {times(cost)} the time")
    return "ETTh1: " + "; ".join(parts), HOLDS if all(better) else DEPENDS if any(better) else FAILS


def claim_14(e: Evidence):
    rows = [e.row(name) for name in ("encoder_decoder", "transformer", "lstm")]
    both, direct, _ = rows
    gap = both.mse - direct.mse
    text = "ETTh1, decoder against direct heads: " + "; ".join(map(str, rows))
    return text, HOLDS if gap < -ALIKE else FAILS if gap > ALIKE else DEPENDS


def _list(values: dict) -> str:
    return ", ".join(f"{named(network)} {value}" for network, value in values.items())


RULES = {number: globals()[f"claim_{number}"] for number in SAID}
