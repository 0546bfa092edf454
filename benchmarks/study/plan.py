"""Which measurements the study takes, in which order, and what they are for."""

import importlib
from dataclasses import dataclass, field

#: Where each measurement is, and the claims that rest on it.
MEASURES = {
    "parameters": ("cost", (7,)),
    "growth": ("cost", (1, 12)),
    "observation": ("cost", (9,)),
    "forecaster": ("cost", (9,)),
    "solve": ("synthetic", (2, 3, 4)),
    "inside": ("real", (4, 11)),
    "shrink": ("real", (6,)),
    "lookback": ("real", (10,)),
    "defaults": ("cost", (5, 8, 13, 14)),
}
#: Claims that rest on the lines of accuracy.py, alone or with the above.
PUBLISHED = (5, 8, 13, 14)

RECURRENT = ("rnn", "lstm", "gru")
PARALLEL = ("min_gru", "min_lstm", "mamba")
SCHEMES = ("transformer", "transformer:sinusoidal", "transformer:rotary")
LENGTHS = [64, 256, 1024, 4096]
EVERY = (*RECURRENT, *PARALLEL, *SCHEMES, "transformer_xl")
PLACED = (
    "transformer",
    "gru",
    "lstm",
    "transformer:rotary",
    "transformer:sinusoidal",
    "transformer:none",
    "transformer_xl",
)


@dataclass(frozen=True)
class Measurement:
    """One line of results: a measure and what it is called with."""

    measure: str
    key: dict = field(hash=False)

    def run(self, **more) -> dict:
        module = importlib.import_module(f"study.{MEASURES[self.measure][0]}")
        return getattr(module, self.measure)(**self.key, **more)

    def matches(self, line: dict) -> bool:
        return line["measure"] == self.measure and line["key"] == self.key

    def __str__(self):
        return f"{self.measure} " + " ".join(f"{name}={value}" for name, value in self.key.items())


def full() -> list[Measurement]:
    """Everything, what informs most claims first, so that little time leaves no claim out."""
    return [
        *made("parameters", network=(*RECURRENT, "transformer"), units=(64, 128)),
        *made("solve", network=(*RECURRENT, *SCHEMES), task=("recall",)),
        *made("observation", network=("gru", "transformer"), length=LENGTHS),
        *made("forecaster", lookback=(336,)),
        *sizes(),
        *shrinking((1, 10, 100), ("etth1",), ("linear", "gru", "transformer")),
        *insides(("transformer",)),
        *growths((("gru", 1), ("transformer", 1), ("min_gru", 1), ("gru", 16), ("transformer", 16))),
        *lookbacks((96, 336, 1344), 24),
        *insides(("gru",)),
        *made("solve", network=PLACED, task=("place",)),
        *shrinking((1, 10, 100), ("m1",), ("linear", "gru", "transformer")),
        *insides(("transformer_xl",)),
        *made("solve", network=("min_gru", "transformer_xl", "min_lstm", "mamba"), task=("recall",)),
        *insides(("transformer:sinusoidal", "transformer:rotary")),
        *shrinking((1, 10, 100), ("bike",), ("linear", "gru", "transformer")),
        *made("solve", network=EVERY, task=("adding",)),
        *growths((("rnn", 1), ("lstm", 1))),
        *made("growth", network=("gru", "transformer"), lengths=(LENGTHS,), patch=(1,), threads=(2,)),
        *shrinking((1, 10, 100), ("etth1", "m1", "bike"), ("lstm",)),
        *lookbacks((96, 336), 6),
        *shrinking((3, 30), ("etth1", "m1", "bike"), ("linear", "gru", "lstm", "transformer")),
        *insides(("rnn", "lstm")),
        *made("observation", network=("lstm",), length=LENGTHS),
    ]


def quick() -> list[Measurement]:
    """One small measurement of each kind, in a minute or two."""
    return [
        Measurement("parameters", {"network": "gru", "units": 8}),
        Measurement("growth", {"network": "gru", "lengths": [16, 32], "patch": 1, "threads": 1}),
        Measurement("observation", {"network": "gru", "length": 16}),
        Measurement("forecaster", {"lookback": 48}),
        Measurement("solve", {"network": "gru", "task": "recall", "length": 8, "steps": 50}),
        Measurement("lookback", {"network": "linear", "hours": 48, "patch": 24, "seed": 0}),
    ]


def growths(networks) -> list[Measurement]:
    """Costs by length on one thread, for networks and steps to a token."""
    keys = ({"network": name, "lengths": list(LENGTHS), "patch": patch, "threads": 1} for name, patch in networks)
    return [Measurement("growth", key) for key in keys]


def sizes() -> list[Measurement]:
    from forecastkit.networks import backbones

    return made("defaults", network=backbones.names())


def insides(networks) -> list[Measurement]:
    return made("inside", network=networks, seed=(0,))


def shrinking(percents, data, networks) -> list[Measurement]:
    return made("shrink", percent=percents, data=data, network=networks, seed=(0,))


def lookbacks(hours, patch: int) -> list[Measurement]:
    return made("lookback", network=("gru", "transformer"), hours=hours, patch=(patch,), seed=(0,))


def made(measure: str, **choices) -> list[Measurement]:
    """A measurement for every combination of these choices."""
    keys = [{}]
    for name, values in choices.items():
        keys = [{**key, name: value} for key in keys for value in values]
    return [Measurement(measure, key) for key in keys]
