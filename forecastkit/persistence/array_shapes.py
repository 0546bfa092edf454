"""Types and shapes of the arrays in a loaded forecaster, which are checked before anything is computed from them."""

from typing import Any

import numpy as np

#: Arrays of the forecaster and of the objects it holds: kinds of dtype, and sizes of the axes. A letter stands for the
#: same size in all arrays of an object; H, R, C, E and N are the horizon, the steps of linear regressions, and the
#: numbers of targets, of trained entities and of their series. A dot is any size.
SHAPES = {
    "Forecaster": {
        "nonnegative_": ("b", "C"),
        "residual_scale_": ("f", "E C"),
        "paths_": ("f", ". H"),
        "trained_until_": ("i", "."),  # of series that `partial_fit` has added, too
        "learned_until_": ("i", "."),
    },
    "ResidualQuantiles": {"levels": ("f", "l"), "tables": ("f", "t H l"), "table_of": ("iu", "N")},
    "ConformalAdjustment": {"levels": ("f", "l"), "tables": ("f", "t H l"), "table_of": ("iu", "N")},
    "ValidationErrors": {
        "series": ("iu", "n"),
        "ordinal": ("i", "n"),
        "levels": ("f", "."),
        "errors": ("f", "n H ."),
    },
    "LocalScale": {"reference": ("f", "2 N")},
    "Moments": {"center": ("f", "e c"), "scale": ("f", "e c")},
    "Scaler": {
        "effect": ("f", ". C"),
        "calendar_effect": ("f", ". C"),
        "constant": ("b", "e C"),
        "largest": ("f", "e C"),
    },
    "BrokenReadings": dict.fromkeys(("entity", "channel", "ordinal"), ("i", "n")) | {"value": ("f", "n")},
    "Ridge": {"weights": ("f", ". R")},
    "TrainedNetwork": {"linear": ("f", ". H")},
}
#: Classes of the objects in attributes, which may also be None.
CLASSES = {
    "Forecaster": {
        "scaler_": "Scaler",
        "residuals_": "ResidualQuantiles",
        "corrections_": "ConformalAdjustment",
        "rolling_errors_": "ValidationErrors",
        "local_scale_": "LocalScale",
    },
    "Scaler": dict.fromkeys(("target", "past", "known", "static", "transformed"), "Moments")
    | {"broken": "BrokenReadings"},
    "LinearPart": {"scaler": "Scaler", "ridge": "Ridge", "corrections": "SeriesCorrections"},
}
#: Largest number of steps of `LocalScale`, for which rows are gathered.
MOST_STEPS = 10**6


def check_arrays(value: Any, name: str, sizes: dict[str, int]) -> None:
    """Check an object, whose attribute name is given for messages, and what it holds.

    `sizes` are those of the axes H, R, C, E and N. ValueError names an array that is of another type or shape.
    """
    if isinstance(value, (list, tuple)):
        for item in value:
            check_arrays(item, name, sizes)
        return
    kind = type(value).__name__
    if kind not in {*SHAPES, *CLASSES} or not type(value).__module__.startswith("forecastkit."):
        return
    check_object(value, kind, name, sizes)
    for field, item in vars(value).items():
        check_arrays(item, f"{name}.{field}", sizes)


def check_object(value: Any, kind: str, name: str, sizes: dict[str, int]) -> None:
    """Check the arrays that an object of this kind has; None stands for an absent one."""
    known = dict(sizes)
    for field, wanted in CLASSES.get(kind, {}).items():
        held = getattr(value, field, None)
        need(held is None or type(held).__name__ == wanted, f"{name}.{field} is not a {wanted}")
    for field, (dtypes, axes) in SHAPES.get(kind, {}).items():
        array = getattr(value, field, None)
        if array is None:
            continue
        shape = axes.split()
        fits = isinstance(array, np.ndarray) and array.dtype.kind in dtypes and array.ndim == len(shape)
        fits = fits and all(_is_size(axis, size, known) for axis, size in zip(shape, array.shape, strict=True))
        need(fits, f"{name}.{field} does not have the type and shape that match the other arrays")
    if kind in ("ResidualQuantiles", "ConformalAdjustment"):
        within = len(value.tables) > 0 and ((value.table_of >= 0) & (value.table_of < len(value.tables))).all()
        need(bool(within), f"{name}.table_of names tables that do not exist")
    if kind == "ValidationErrors":
        need(value.errors.shape[-1] == max(len(value.levels), 1), f"{name}.errors are not of its levels")
    if kind == "Scaler":
        trained = isinstance(value.trained, int) and 0 <= value.trained <= len(value.ids)
        need(trained, f"{name}.trained is not the number of trained series")
    if kind == "LocalScale":
        steps = (value.lag, value.width)
        whole = all(isinstance(step, int) and 0 < step < MOST_STEPS for step in steps)
        need(whole, f"{name} has no numbers of steps")


def _is_size(axis: str, size: int, known: dict[str, int]) -> bool:
    if axis.isdigit():
        return size == int(axis)
    return axis == "." or known.setdefault(axis, size) == size


def need(holds: bool, otherwise: str) -> None:
    """Raise ValueError with the text unless the condition holds."""
    if not holds:
        raise ValueError(otherwise)
