"""Result of a comparison: table with verdicts, runs, export and plot."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from forecastkit.evaluation.folds import Sizes
from forecastkit.evaluation.results import COVERED
from forecastkit.metrics.elementwise import ENOUGH_LONG_BLOCKS, block_error, time_blocks
from forecastkit.utils.atomic_write import atomic_write
from forecastkit.utils.formatting import decimals, json_value, number
from forecastkit.utils.mixins import Plottable
from forecastkit.utils.time_budget import NO_TIME
from forecastkit.utils.validation import refuse

if TYPE_CHECKING:
    import pandas as pd

#: Probability of calling a difference significant if there is none.
ERROR_RATE = 0.05
BEST, SAME, UNDECIDED = "best", "within noise of the best", "too few windows to tell"
FORMAT = 1
#: Ratio of errors from which percentages are not reported.
MANY_TIMES = 9


@dataclass(frozen=True, eq=False, repr=False)
class Comparison(Plottable):
    """Result of `forecastkit.compare`.

    Attributes
    ----------
    table : DataFrame
        A row per model, the best first: the score (``mase``, ``mae`` or ``mse``, as `metric` says) and its standard
        error ``se``; ``difference`` to the best with ``se_difference``; ``verdict``: ``best``, ``within noise of the
        best``, or by how much it is worse, with ``too few windows to tell`` if that may be chance and there are fewer
        than eight blocks; ``coverage_0.8`` and so on, the fraction of actuals inside the central intervals of 50, 80,
        90 and 95 %, with ``coverage_error_0.8``, the binomial standard error or that by blocks of time if it is larger;
        ``parameters``; means over runs of ``epochs`` and of the seconds of a fit, ``fit_seconds``, and of the steps of
        an epoch, ``epoch_seconds``; ``memory_mb``, the peak memory of a fit in addition to that before it; ``one_ms``
        and ``many_ms``, milliseconds for one forecast and for 1,000; ``runs``.
    runs : DataFrame
        A row per model, seed and fold.
    growth : DataFrame or None
        Seconds and milliseconds by model and lookback, if `lookbacks` are given.
    metric : str
        Metric for ranking.
    settings : dict
        Horizon, folds, windows, stride, seeds (none if all models are deterministic), budget, seconds.
    notes : list of str
        Remarks on the results, such as fits that the budget ended.
    models : dict of str to Forecaster
        The unfitted models.

    Notes
    -----
    Forecasts from neighbouring cutoffs overlap and their errors are correlated. Cutoffs are therefore grouped into
    blocks of two horizons (of one if there would be fewer than eight), and standard errors are those of the block
    means. Differences are computed on the same cutoffs, and the variance between seeds is added. A difference is
    significant if Student's t with the degrees of freedom of the blocks would exceed it in fewer than one of twenty
    comparisons of equal models; there is no correction for multiple comparisons. Other differences are called noise if
    there are at least eight blocks; with fewer, large differences may not be significant either.

    References
    ----------
    Diebold and Mariano (1995), "Comparing predictive accuracy", JBES 13. Carlstein (1986), "The use of subseries values
    for estimating the variance of a general statistic from a stationary sequence", Annals of Statistics 14.
    """

    table: pd.DataFrame
    runs: pd.DataFrame
    metric: str
    settings: dict
    growth: pd.DataFrame | None = None
    notes: list = field(default_factory=list)
    models: dict = field(default_factory=dict)

    @property
    def best(self) -> str:
        """Name of the model with the smallest error."""
        return str(self.table.index[0])

    def to_dict(self) -> dict:
        """Return everything as plain values."""
        growth = None if self.growth is None else self.growth.reset_index().to_dict(orient="records")
        return {
            "format": FORMAT,
            "metric": self.metric,
            "best": self.best,
            **self.settings,
            "table": self.table.reset_index().to_dict(orient="records"),
            "runs": self.runs.to_dict(orient="records"),
            "growth": growth,
            "notes": self.notes,
        }

    def to_json(self, path=None) -> str:
        """Return everything as JSON text, and write it to the file `path` if given."""
        text = json.dumps(json_value(self.to_dict()), ensure_ascii=False, indent=1) + "\n"
        return _written(text, path)

    def to_csv(self, path=None) -> str:
        """Return the table as CSV text, and write it to the file `path` if given."""
        return _written(self.table.to_csv(), path)

    def cells(self) -> tuple[list[str], list[list[str]]]:
        """Return header and rows of the table as text."""
        return cells(self.table, self.metric)

    def __repr__(self) -> str:
        header, rows = self.cells()
        lines = [["", *header], *rows]
        widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
        text = []
        for name, *rest in lines:
            padded = [cell.rjust(width) for cell, width in zip(rest, widths[1:], strict=True)]
            text.append("  ".join([name.ljust(widths[0]), *padded]).rstrip())
        return "\n".join([self.summary(), *text, *self.notes])

    def _repr_html_(self) -> str:
        return self.table.to_html(float_format=lambda value: f"{value:.4g}")

    def summary(self) -> str:
        """Return a description of the comparison in one line."""
        found = self.settings
        folds, seeds = found["folds"], len(found["seeds"])
        parts = [
            f"horizon {found['horizon']}",
            f"{folds} fold{'s' * (folds > 1)} of {found['n_windows']:,} cutoff{'s' * (found['n_windows'] > 1)}",
            f"{seeds} seed{'s' * (seeds > 1)}" if seeds else "",
            f"{found['seconds']:.0f} s",
        ]
        return ", ".join(filter(None, parts))


# The table ------------------------------------------------------------------------------------------------------------


def make_table(
    names: list[str], runs: list[dict], memory: dict[str, dict], sizes: Sizes, metric: str | None
) -> tuple[pd.DataFrame, str]:
    """Return a table with a row per model, the best first, and the metric for ranking.

    `names` are those of all models, including those without runs; `runs` are results of
    `forecastkit.comparison.measure.run`, with ``model``, ``seed`` and ``fold``, and `memory` those of `measure_memory`
    by model. By default the metric is MASE, which is comparable between series, if it is defined for all models.
    """
    import pandas as pd

    by_model = {name: [run for run in runs if run["model"] == name] for name in names}
    metric = metric or _metric(runs)
    sound = _on_common_folds({name: own for name, own in by_model.items() if _is_sound(own, metric)})
    rows = {name: _costs(own, memory.get(name, {})) for name, own in by_model.items()}
    for name, found in _accuracy(sound, sizes, metric).items():
        rows[name] = {**found, **_coverage(sound[name], sizes), **rows[name]}
    for name in set(by_model) - set(sound):
        rows[name] = {metric: math.nan, "verdict": _why_not(by_model[name], metric), **rows[name]}
    table = pd.DataFrame.from_dict(rows, orient="index").rename_axis("model")
    return table.sort_values(metric, kind="stable", na_position="last"), metric


def _metric(runs) -> str:
    return "mase" if all(_finite(run.get("mase")) for run in runs if _finite(run.get("mae"))) else "mae"


def _is_sound(runs, metric: str) -> bool:
    """Return whether a model was run and all its forecasts are finite."""
    return bool(runs) and all(_finite(run.get(metric)) for run in runs)


def _on_common_folds(by_model: dict[str, list]) -> dict[str, list]:
    """Return the runs on the folds common to all models; without any, those of the models with the most folds."""
    folds = {name: {run["fold"] for run in runs} for name, runs in by_model.items()}
    common = set.intersection(*folds.values()) if folds else set()
    common = common or max(folds.values(), key=len, default=set())
    kept = {name: [run for run in runs if run["fold"] in common] for name, runs in by_model.items()}
    return {name: runs for name, runs in kept.items() if {run["fold"] for run in runs} == common}


def _why_not(runs, metric: str) -> str:
    refusals = [run["error"] for run in runs if "error" in run]
    if refusals:
        return f"failed: {refusals[0]}"
    return (
        f"not run: {NO_TIME}"
        if all(_finite(run.get(metric)) for run in runs)
        else "failed: the forecasts are not finite"
    )


def _finite(value) -> bool:
    return value is not None and math.isfinite(value)


def _costs(runs, memory) -> dict:
    """Return the means of costs over the runs."""
    found = {name: _mean(run.get(name) for run in runs) for name in ("parameters", "lookback", "epochs")}
    for name in ("fit_seconds", "epoch_seconds"):
        found[name] = _mean(run.get(name) for run in runs)
    found["memory_mb"] = _mean([memory.get("memory_mb")])
    for name in ("one_ms", "many_ms"):
        found[name] = _mean(run.get(name) for run in runs)
    return {**found, "runs": len(runs)}


def _mean(values) -> float:
    values = [value for value in values if value is not None]
    return float(np.mean(values)) if values else math.nan


def _accuracy(sound, sizes: Sizes, metric: str) -> dict[str, dict]:
    """Return score, standard error, difference to the best and verdict of each model on the common cutoffs."""
    if not sound:
        return {}
    errors = {name: _by_cutoff(runs, sizes, metric) for name, runs in sound.items()}
    weight = _by_cutoff(next(iter(sound.values())), sizes, "scaled_steps" if metric == "mase" else "steps")
    common = (weight > 0) & ~np.isnan(list(errors.values())).any(axis=0)
    weight, block = weight[common], _blocks(sizes, common)
    errors = {name: values[common] for name, values in errors.items()}
    scores = {name: float(np.average(values, weights=weight)) for name, values in errors.items()}
    best = min(scores, key=scores.get)
    return {
        name: {
            metric: scores[name],
            "se": math.hypot(block_error(errors[name], weight, block), seed_error(sound[name], metric)),
            **_against(name, best, errors, scores, weight, block, sound, metric),
        }
        for name in sound
    }


def _coverage(runs, sizes: Sizes) -> dict[str, float]:
    """Return the coverage of each central interval and its error: binomial, or by blocks of time if larger.

    The error is NaN (unknown) if all cutoffs lie in one block.
    """
    steps = _by_cutoff(runs, sizes, "steps")
    found = {}
    for share in [f"{share:g}" for share in COVERED]:
        if not all(share in run["by_cutoff"].get("held", {}) for run in runs):
            continue
        held = _means_over_seeds(runs, sizes, lambda run, share=share: run["by_cutoff"]["held"][share])
        use = steps > 0
        inside, weight = held[use] / steps[use], steps[use]
        whole = float(np.average(inside, weights=weight))
        errors = math.sqrt(whole * (1 - whole) / weight.sum()), block_error(inside, weight, _blocks(sizes, use))
        found |= {f"coverage_{share}": whole, f"coverage_error_{share}": float(np.max(errors))}
    return found


def _against(name, best, errors, scores, weight, block, sound, metric) -> dict:
    """Return the comparison of a model with the best one."""
    if name == best:
        return {"difference": 0.0, "se_difference": 0.0, "verdict": BEST}
    difference = scores[name] - scores[best]
    spread = [seed_error(sound[each], metric) for each in (name, best)]
    error = math.hypot(block_error(errors[name] - errors[best], weight, block), *spread)
    words = verdict(difference, error, len(np.unique(block)), scores[best])
    return {"difference": difference, "se_difference": error, "verdict": words}


def verdict(difference: float, error: float, blocks: int, best: float) -> str:
    """Return the verdict on a model whose error is larger than the best by `difference`."""
    if difference == 0:
        return SAME
    from scipy.stats import t

    if not math.isnan(error) and difference > t.ppf(1 - ERROR_RATE / 2, blocks - 1) * error:
        return _size(difference, best)
    # Few blocks miss large differences too, so that they do not show that a difference is noise.
    return SAME if blocks >= ENOUGH_LONG_BLOCKS else f"{_size(difference, best)}, {UNDECIDED}"


def is_decided(words: str) -> bool:
    """Return whether a verdict distinguishes the model from the best one."""
    return words != SAME and not words.endswith(UNDECIDED)


def _size(difference, best):
    if difference >= MANY_TIMES * best:
        return f"{1 + difference / best:,.0f} times the error" if best > 0 else "worse"
    return f"{100 * difference / best:.0f} % worse" if difference >= 0.01 * best else "worse by less than 1 %"


def _by_cutoff(runs, sizes: Sizes, name: str) -> np.ndarray:
    """Return means over seeds at every cutoff of every fold, NaN where there is none."""
    return _means_over_seeds(runs, sizes, lambda run: run["by_cutoff"][name])


def _means_over_seeds(runs, sizes: Sizes, read) -> np.ndarray:
    values = np.full((sizes.folds, sizes.n_windows), np.nan)
    for fold in {run["fold"] for run in runs}:
        seeds = [read(run) for run in runs if run["fold"] == fold]
        values[fold] = np.mean(np.array(seeds, dtype="float64"), axis=0)
    return values.ravel()


def _blocks(sizes: Sizes, common: np.ndarray) -> np.ndarray:
    """Return the block of each common cutoff: two horizons of time, or one if there would be too few blocks."""
    fold, place = np.divmod(np.flatnonzero(common), sizes.n_windows)
    return time_blocks(place * sizes.stride, sizes.horizon, fold)


def seed_error(runs, metric: str) -> float:
    """Return the standard error of a model's mean due to the seeds; 0 for deterministic models."""
    seeds = sorted({run["seed"] for run in runs if run["seed"] is not None})
    means = [np.mean([run[metric] for run in runs if run["seed"] == seed]) for seed in seeds]
    return float(np.std(means, ddof=1) / math.sqrt(len(means))) if len(means) > 1 else 0.0


# Text -----------------------------------------------------------------------------------------------------------


def cells(table, metric: str) -> tuple[list[str], list[list[str]]]:
    """Return header and rows as text, without columns that have no values."""
    places = 3 if metric == "mase" else decimals(table[metric]) + 1
    columns = {
        metric.upper(): [number(value, places) for value in table[metric]],
        "±": [number(value, places) for value in table.get("se", [])],
        "in 50/80/90/95 %": _covered(table),
        "against the best": list(table["verdict"].astype(str).str.partition(":")[0]),
        "weights": [_whole(value) for value in table["parameters"]],
        "fit s": [number(value, 1) for value in table["fit_seconds"]],
        "epoch s": [number(value, 2) for value in table["epoch_seconds"]],
        "memory MB": [_whole(value) for value in table["memory_mb"]],
        "ms per forecast": [number(value, 1) for value in table["one_ms"]],
        "ms per 1,000": [number(value, 1) for value in table["many_ms"]],
    }
    shown = {head: texts for head, texts in columns.items() if len(texts) and not all(text == "-" for text in texts)}
    return list(shown), [[str(name), *texts] for name, *texts in zip(table.index, *shown.values(), strict=True)]


def _covered(table) -> list[str]:
    """Return coverage in percent and the largest error, ``49/79/91/95 ± 2``; ``-`` if there is none."""
    columns = [f"coverage_{share:g}" for share in COVERED]
    if not set(columns) <= set(table):
        return []
    errors = table[[name.replace("coverage", "coverage_error") for name in columns]].max(axis=1)
    held = [
        "-" if np.isnan(row).any() else "/".join(f"{100 * v:.0f}" for v in row) for row in table[columns].to_numpy()
    ]
    known = [f" ± {100 * error:.0f}" if np.isfinite(error) else " ± not known" for error in errors]
    return [text if text == "-" else text + error for text, error in zip(held, known, strict=True)]


def _whole(value: float) -> str:
    return number(value, 0)


def _written(text: str, path) -> str:
    """Return the text, and write it to the file atomically if there is one."""
    if path is None:
        return text
    path = Path(path)
    try:
        with atomic_write(path) as temporary:
            temporary.write_text(text, encoding="utf-8")
    except OSError as error:
        refuse("compare", "path must be writable", f"{str(path)!r} ({error.strerror})")
    return text
