"""Names of a network's inputs, and the weights with which a network selects them."""

from dataclasses import dataclass

import numpy as np

from forecastkit.features.calendar import kind_of


def column_names(schema, calendar: tuple) -> dict[str, list]:
    """The user's name of every buffer column by role; the columns of a category, or of a cycle, share one."""
    names = {
        role: [name for name in getattr(schema, role) for _ in range(schema.width((name,)))]
        for role in ("past", "known", "static")
    }
    return {**names, "calendar": [f"calendar:{kind_of(name)}" for name in calendar]}


def together(columns: list) -> tuple[list, np.ndarray]:
    """The distinct names, and which columns have each, (columns, names)."""
    names = list(dict.fromkeys(columns))
    at = np.array([names.index(column) for column in columns], dtype="int64")
    return names, at[:, None] == np.arange(len(names))


@dataclass(frozen=True)
class Choice:
    """Weights of the variables that a network selects among in one part of the window.

    Parameters
    ----------
    part : {'past', 'future', 'static'}
    names : list of (role, name)
    offsets : ndarray of shape (T,)
        Steps after the cutoff: 0 is the cutoff itself.
    weights : ndarray of shape (n, G, T)
        They add up to 1 over the G names.
    """

    part: str
    names: list
    offsets: np.ndarray
    weights: np.ndarray


def choices(seen: dict, sizes, columns: dict[str, list]) -> tuple[Choice, ...]:
    """What `watch_selection` saw, by step and under the names of the columns; all steps of a patch have its weights.

    Parameters
    ----------
    seen : dict of ndarray, (n, tokens, variables)
    sizes : Sizes
    columns : dict of list
        What `column_names` gives.
    """
    steps = {
        "past": np.arange(1 - sizes.lookback, 1),
        "future": np.arange(1, sizes.horizon + 1),
        "static": np.zeros(1, "int64"),
    }
    found = []
    for part, weights in seen.items():
        variables = sizes.variables()[part]
        names, belongs = together([(role, columns.get(role, [role])[column]) for role, column in variables])
        weights = weights @ belongs
        if part != "static":
            weights = np.repeat(weights, sizes.patch, axis=1)
            weights = weights[:, -sizes.lookback :] if part == "past" else weights[:, : sizes.horizon]
        found.append(Choice(part, names, steps[part], weights.swapaxes(1, 2)))
    return tuple(found)
