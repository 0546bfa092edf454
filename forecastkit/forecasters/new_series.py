"""Series without a history: they are forecast from the mean history of series with similar static covariates."""

from dataclasses import replace

import numpy as np

from forecastkit.data.panel import Panel
from forecastkit.data.schema import Schema
from forecastkit.utils.exceptions import DataWarning
from forecastkit.utils.validation import first_few, refuse
from forecastkit.utils.warn import warn_user

#: Largest number of similar series.
MAX_SIMILAR = 10
#: Added to squared distances, so that a series with the same covariates weighs 100 times one a standard deviation away.
NEAR = 0.01


def with_new_series(where: str, schema: Schema, panel: Panel, ids: tuple, X, kept: int | None) -> Panel:
    """Return the panel with a history for series that have none: the weighted mean of those of similar series.

    Series are weighted by the inverse of their squared distance in the standardized static covariates, which X has for
    new series. A forecast of such a history has the level and the seasons of similar series, and the known covariates
    of the new one. Its prediction interval does not include how much the new series may differ from them. `kept` is the
    number of latest rows that a saved forecaster keeps, which alone are used; None for all.

    References
    ----------
    Shepard (1968), "A two-dimensional interpolation function for irregularly-spaced data", ACM (inverse distance
    weighting).
    """
    new = np.flatnonzero(panel.places(ids) < 0)
    names = first_few([repr(ids[e]) for e in new])
    if not schema.static or not set(schema.static) <= {*getattr(X, "columns", ())}:
        remedy = "Pass history=, or static covariates in static= to fit and in X, by which similar series are found."
        refuse("predict", "every series must have a history", f"none for {names}", remedy)
    given = _static_of(schema, X, panel)[new]
    if (blank := np.isnan(given).all(axis=1)).any():
        got = f"none for {first_few([repr(ids[e]) for e in new[blank]])}"
        refuse("predict", "series without a history must have static covariates", got)
    similar, weights = _similar(panel.static.astype("float64"), given, _coded(schema, "static"))
    begin = panel.indptr[:-1] if kept is None else np.maximum(panel.last_observed() + 1 - kept, panel.indptr[:-1])
    recent = panel.between(begin, panel.indptr[1:])  # so that a loaded forecaster forecasts the same
    parts = [_mean_history(schema, recent, *pair) for pair in zip(similar, weights, strict=True)]
    counts = [len(part["target"]) for part in parts]
    indptr = np.concatenate([panel.indptr, panel.indptr[-1] + np.cumsum(counts)])
    rows = {
        name: np.concatenate([getattr(panel, name), *(part[name].astype(getattr(panel, name).dtype) for part in parts)])
        for name in ("target", "past", "known")
    }
    first = np.array([recent.start[at].min() for at in similar])
    found = first_few([repr(panel.ids[e]) for e in dict.fromkeys(at[0] for at in similar)])
    warn_user(
        f"{where}: no history of {names}: forecast from the histories of series with similar static covariates, the "
        f"most similar being {found}.",
        DataWarning,
    )
    return replace(
        panel,
        ids=(*panel.ids, *(ids[e] for e in new)),
        earlier=None if panel.earlier is None else panel.earlier.extended(len(panel.ids) + len(new)),
        start=np.concatenate([panel.start, first]),
        indptr=indptr,
        static=np.concatenate([panel.static, given.astype("float32")]),
        **rows,
    )


def _static_of(schema, X, panel):
    from forecastkit.data.ingest.read_panel import read_rows  # here: a stored history is not read

    return read_rows(schema, X, future=True, follow=panel, static=True).static.astype("float64")


def _coded(schema: Schema, role: str) -> int:
    """Return the number of columns of category codes, which are the last of their role."""
    return sum(name in schema.coded for name in getattr(schema, role))


def _similar(known: np.ndarray, given: np.ndarray, coded: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the nearest series of each new one, (new, n), the nearest first, and their weights, which sum to 1.

    The last `coded` columns are codes, which are equal or differ by one standard deviation.
    """
    has = ~np.isnan(known)
    count = np.maximum(has.sum(axis=0), 1)
    center = np.where(has, known, 0.0).sum(axis=0) / count
    scale = np.sqrt((np.where(has, known - center, 0.0) ** 2).sum(axis=0) / count)
    scale[scale == 0] = 1.0
    known, given = (np.nan_to_num((values - center) / scale) for values in (known, given))
    squares = (given[:, None] - known) ** 2
    if coded:
        squares[..., -coded:] = squares[..., -coded:] > 0
    distance = squares.mean(axis=2)
    similar = np.argsort(distance, axis=1, kind="stable")[:, :MAX_SIMILAR]
    weights = 1.0 / (np.take_along_axis(distance, similar, axis=1) + NEAR)
    return similar, weights / weights.sum(axis=1, keepdims=True)


def _mean_history(schema: Schema, panel: Panel, similar: np.ndarray, weights: np.ndarray) -> dict[str, np.ndarray]:
    """Return weighted means of the rows of these series up to their last observed ones, NaN where all are missing.

    Category codes have no mean: those of the most similar series are taken.
    """
    stop = panel.last_observed() + 1
    first = panel.start[similar].min()
    length = int((panel.start + stop - panel.indptr[:-1])[similar].max() - first)
    means = {}
    for name in ("target", "past", "known"):
        values = getattr(panel, name)
        coded = _coded(schema, name) if name != "target" else 0
        total, weight = np.zeros((2, length, values.shape[1]))
        for number, (entity, part) in enumerate(zip(similar, weights, strict=True)):
            own = values[panel.indptr[entity] : stop[entity]].astype("float64")
            if coded and number:
                own[:, -coded:] = np.nan
            at = slice(panel.start[entity] - first, panel.start[entity] - first + len(own))
            total[at] += np.where(np.isnan(own), 0.0, part * own)
            weight[at] += np.where(np.isnan(own), 0.0, part)
        means[name] = np.where(weight > 0, total / np.where(weight > 0, weight, 1.0), np.nan)
    return means
