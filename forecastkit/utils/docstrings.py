"""Docstrings of classes that inherit constructor parameters from their bases."""

import inspect
import re
import textwrap
from collections.abc import Collection, Mapping
from typing import NamedTuple

#: The Parameters section of a numpydoc docstring: heading and body up to the next heading or the end.
PARAMETERS = re.compile(r"Parameters\n-{10}\n(.*?)(?=\n\n[A-Z][\w ]*\n-{3,}|\Z)", re.DOTALL)

#: First line of the list of parameters by subject.
OVERVIEW = "Parameters by subject:"


class Entry(NamedTuple):
    """Docstring entry of one parameter, or of several parameters documented together."""

    names: tuple[str, ...]
    kind: str
    body: str

    def __str__(self) -> str:
        head = ", ".join(self.names) + (f" : {self.kind}" if self.kind else "")
        return head + (f"\n{self.body}" if self.body else "")


def parameter_entries(text: str | None) -> list[Entry]:
    """Return the entries of the Parameters section in order; an empty list without such a section."""
    found = PARAMETERS.search(inspect.cleandoc(text or ""))
    entries: list[Entry] = []
    for line in found[1].splitlines() if found else ():
        if line and not line[0].isspace():
            names, _, kind = line.partition(":")
            entries.append(Entry(tuple(name.strip(" *") for name in names.split(",")), kind.strip(), ""))
        elif entries:
            last = entries.pop()
            entries.append(last._replace(body=f"{last.body}\n{line}".strip("\n")))
    return [entry._replace(body=entry.body.rstrip()) for entry in entries]


def inherit_parameters(cls: type, groups: Mapping[str, Collection[str]] | None = None) -> None:
    """Complete the Parameters section of a class with the entries of its bases; its own entries take precedence.

    With `groups`, parameter names by subject, entries are sorted in this order, and the groups are listed before the
    section. Parameters without a group are listed with the last one.
    """
    if cls.__doc__ is None:  # docstrings are stripped by python -OO
        return
    entries = _merged(cls)
    text = inspect.cleandoc(cls.__doc__)
    if groups:
        order = [name for names in groups.values() for name in names]
        entries.sort(key=lambda entry: order.index(entry.names[0]) if entry.names[0] in order else len(order))
        text = _with_overview(text, entries, groups)
    if not entries:
        return
    section = "Parameters\n----------\n" + "\n".join(map(str, entries))
    if PARAMETERS.search(text):
        cls.__doc__ = PARAMETERS.sub(lambda _: section, text, count=1)
    else:
        head, rest = _at_first_section(text)
        cls.__doc__ = f"{head}\n\n{section}{rest}"


def _merged(cls: type) -> list[Entry]:
    """Return the entries of a class and its bases in method resolution order, each name once."""
    entries: list[Entry] = []
    known: set[str] = set()
    for owner in cls.__mro__[:-1]:
        if not owner.__module__.startswith("sklearn."):
            for entry in parameter_entries(vars(owner).get("__doc__")):
                new = tuple(name for name in entry.names if name not in known)
                if new:
                    entries.append(entry._replace(names=new))
                    known.update(new)
    return entries


def _with_overview(text: str, entries: list[Entry], groups: Mapping[str, Collection[str]]) -> str:
    """Insert a list of the parameters of each group before the first section of the text."""
    names = [name for entry in entries for name in entry.names]
    grouped = {name for group in groups.values() for name in group}
    lines = []
    for title, group in groups.items():
        last = title == list(groups)[-1]
        own = [f"`{name}`" for name in names if name in group or (last and name not in grouped)]
        if own:
            item = f"- {title}: {', '.join(own)}."
            lines.append(textwrap.fill(item, 110, subsequent_indent="  ", break_on_hyphens=False))
    text = re.sub(OVERVIEW + r"\n\n(?:- .*\n?|  .*\n?)+", "", text).rstrip()
    head, rest = _at_first_section(text)
    return f"{head}\n\n{OVERVIEW}\n\n" + "\n".join(lines) + rest


def _at_first_section(text: str) -> tuple[str, str]:
    """Split a docstring before its first section; the second part is empty if it has no section."""
    found = re.search(r"\n+(?=[A-Z][\w ]*\n-{3,})", text)
    return (text, "") if found is None else (text[: found.start()], "\n\n" + text[found.end() :])
