"""A verdict for each claim, from the results alone, and the table that the README shows."""

from dataclasses import dataclass

from study.claims import RULES, SAID
from study.evidence import Answer, Evidence, Missing


@dataclass(frozen=True)
class Verdict:
    """What is said, what was measured, and whether it holds."""

    claim: int
    said: str
    measured: str
    answer: Answer

    def __str__(self):
        return f"{self.claim}. {self.said}. {self.answer.capitalize()}: {self.measured}."


def verdicts(lines: list, published: dict) -> list[Verdict]:
    """All fourteen.

    Parameters
    ----------
    lines : list of dict
        Of study.py.
    published : dict of str to Row
        `published.summary` of the lines of accuracy.py.
    """
    evidence = Evidence(lines, published)
    return [verdict(claim, evidence) for claim in SAID]


def verdict(claim: int, evidence: Evidence) -> Verdict:
    """One of them; open where something it rests on was not measured."""
    try:
        measured, answer = RULES[claim](evidence)
    except (Missing, KeyError):
        measured, answer = "", Answer.OPEN
    return Verdict(claim, SAID[claim], measured, answer)


def markdown(found: list[Verdict]) -> str:
    """The table of the README."""
    rows = [f"| {each.claim} | {each.said} | {each.measured} | {each.answer} |" for each in found]
    return "\n".join(["| | the claim | measured | verdict |", "| --- | --- | --- | --- |", *rows])
