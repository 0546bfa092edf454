"""The lines of the study as the claims ask for them."""

from dataclasses import dataclass
from enum import StrEnum

from study.published import Row

#: Share of the target's variance explained from which a lag counts as solved.
SOLVED = 0.5


class Missing(Exception):
    """A claim asks for something that was not measured."""


class Answer(StrEnum):
    """What a measurement says of a claim."""

    HOLDS = "holds"
    FAILS = "does not hold"
    DEPENDS = "depends"
    OPEN = "not measured"


@dataclass(frozen=True)
class Evidence:
    """Lines of study.py, and rows of accuracy.py by model.

    Parameters
    ----------
    lines : list of dict
    published : dict of str to Row
    """

    lines: list
    published: dict

    def all(self, measure: str, **key) -> list[dict]:
        """Keys and results of all lines of a measure with this in their key."""
        found = [line for line in self.lines if line["measure"] == measure]
        return [
            {**line["key"], **line["result"]}
            for line in found
            if all(line["key"].get(name) == value for name, value in key.items())
        ]

    def one(self, measure: str, **key) -> dict:
        """The first of them, or Missing."""
        found = self.all(measure, **key)
        if not found:
            raise Missing(f"{measure} {key}")
        return found[0]

    def row(self, model: str) -> Row:
        """A network's row of the accuracy table, or Missing."""
        if model not in self.published:
            raise Missing(f"accuracy of {model}")
        return self.published[model]

    def growth(self, network: str, patch: int = 1, threads: int = 1) -> dict[int, dict]:
        """Seconds and memory by length."""
        found = self.one("growth", network=network, patch=patch, threads=threads)
        return {row["length"]: row for row in found["rows"]}

    def furthest(self, network: str, task: str) -> int:
        """The longest lag up to which a network explains its targets; 0 where it explains none."""
        return furthest(self.one("solve", network=network, task=task)["explained"])

    def networks(self, measure: str, **key) -> list[str]:
        """Networks that have a line, in the order of the lines."""
        return list(dict.fromkeys(found["network"] for found in self.all(measure, **key)))

    def shrunk(self, data: str) -> dict[str, dict[int, float]]:
        """Error by network and percent of the training data, mean over seeds."""
        found: dict[str, dict[int, list]] = {}
        for line in self.all("shrink", data=data):
            found.setdefault(line["network"], {}).setdefault(line["percent"], []).append(line["error"])
        return {
            network: {percent: sum(errors) / len(errors) for percent, errors in sorted(curve.items())}
            for network, curve in found.items()
        }


def furthest(explained: list) -> int:
    reached = 0
    for lag, share in explained:
        if share < SOLVED:
            break
        reached = lag
    return reached


def times(ratio: float) -> str:
    """A ratio in words."""
    return f"{ratio:.1f} times" if ratio < 10 else f"{ratio:,.0f} times"


def short(number: float) -> str:
    """Two significant digits, tiny ones as powers of ten."""
    return f"{number:.1e}" if 0 < abs(number) < 1e-3 else f"{number:.2g}"
