"""Names of network inputs, and the weights of variable selection."""

from dataclasses import dataclass

import numpy as np

from forecastkit.features.calendar import kind_of


def column_names(schema, calendar: tuple) -> dict[str, list]:
    """Return the user's name of every buffer column by role; columns of one category or cycle share a name."""
    names = {
        role: [name for name in getattr(schema, role) for _ in range(schema.width((name,)))]
        for role in ("past", "known", "static")
    }
    return {**names, "calendar": [f"calendar:{kind_of(name)}" for name in calendar]}


def group_columns(columns: list) -> tuple[list, np.ndarray]:
    """Return the distinct names, and a mask (columns, names) of the columns that have each name."""
    names = list(dict.fromkeys(columns))
    at = np.array([names.index(column) for column in columns], dtype="int64")
    return names, at[:, None] == np.arange(len(names))


@dataclass(frozen=True)
class Choice:
    """Variable selection weights in one part of the window."""

    part: str  #: {'past', 'future', 'static'}
    names: list
    offsets: np.ndarray  #: (T,): steps after the cutoff; 0 is the cutoff itself
    weights: np.ndarray  #: (n, G, T): they sum to 1 over the G names


def choices(seen: dict, sizes, columns: dict[str, list]) -> tuple[Choice, ...]:
    """Convert the weights (n, tokens, variables) recorded by `watch_selection` to steps and names of `column_names`.

    The steps of a patch share its weights.
    """
    steps = {
        "past": np.arange(1 - sizes.lookback, 1),
        "future": np.arange(1, sizes.horizon + 1),
        "static": np.zeros(1, "int64"),
    }
    found = []
    for part, weights in seen.items():
        variables = sizes.variables()[part]
        names, belongs = group_columns([(role, columns.get(role, [role])[column]) for role, column in variables])
        weights = weights @ belongs
        if part != "static":
            weights = np.repeat(weights, sizes.patch, axis=1)
            weights = weights[:, -sizes.lookback :] if part == "past" else weights[:, : sizes.horizon]
        found.append(Choice(part, names, steps[part], weights.swapaxes(1, 2)))
    return tuple(found)
