"""Refits of a backtest: training rows, forecasts, resume file and progress."""

import base64
import hashlib
import time
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from forecastkit.baselines.seasonal_scales import first_cutoffs
from forecastkit.data import output_frames
from forecastkit.data.panel import Panel
from forecastkit.data.schema import Schema
from forecastkit.data.windows import Origins
from forecastkit.evaluation.evaluate import ForecastWindows, evaluate
from forecastkit.evaluation.folds import Fold
from forecastkit.utils.estimator import clone
from forecastkit.utils.formatting import minutes_and_seconds, number
from forecastkit.utils.run_log import RunLog, canonical_text, fingerprint, shortened

WHERE = "backtest"
#: Parameters that do not affect forecasts.
BESIDE = ("callbacks", "verbose")


@dataclass(frozen=True)
class Refits:
    """The common settings of all fits of a backtest."""

    forecaster: object  #: Unfitted; every fit is of a clone
    panel: Panel  #: All rows
    schema: Schema
    sizes: tuple[int, int]  #: Horizon and season length
    gap: int  #: Number of first steps that are excluded
    levels: tuple
    #: Number of rows of each series used by a fit and its forecasts; None for all up to the cutoff
    max_train_size: int | None = None
    common: bool = True

    def fit(self, group: Origins):
        """Return a clone fitted on the rows up to the first cutoff of the group."""
        begin, stop = self._rows(group)
        fold = Fold(0, stop, group, np.zeros(len(group), dtype="int64"), begin, self.sizes[0])
        return fold.fit(clone(self.forecaster), self.panel, self.schema)

    def forecast(self, model, group: Origins) -> pd.DataFrame:
        """Return the long frame of forecasts from these cutoffs, all steps, with the actuals."""
        panel = self.panel if self.max_train_size is None else self._recent(group)
        row = panel.row_at(group.entity, self.panel.ordinal_at(group.entity, group.row))
        origins = Origins.every_channel(group.entity, row, panel.channels)
        return evaluate(model, ForecastWindows(panel, origins, *self.sizes)).frame(self.levels)

    def _rows(self, group):
        """Return the training rows of each series for these cutoffs: from `first` to before `stop`."""
        if self.common:
            until = self.panel.ordinal_at(group.entity, group.row).min()
            stop = self.panel.row_at(np.arange(len(self.panel.ids)), until) + 1
        else:
            stop = first_cutoffs(self.panel, group)
        first = self.panel.indptr[:-1] if self.max_train_size is None else stop - self.max_train_size
        return first, stop

    def _recent(self, group):
        """Return the panel without rows before those of the fit; series without cutoffs keep all rows."""
        first = self.panel.indptr[:-1].copy()
        first[group.entity] = self._rows(group)[0][group.entity]
        return self.panel.between(first, self.panel.indptr[1:])

    def without_gap(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return the steps after the gap."""
        return frame[frame["step"] > self.gap].reset_index(drop=True) if self.gap else frame

    # ------------------------------------------------------------------------------------------ kept in a file

    def header(self) -> dict:
        """Return the settings that must be equal to reuse stored forecasts."""
        own = {name: value for name, value in self.forecaster.get_params(deep=False).items() if name not in BESIDE}
        return {
            "data": fingerprint(self.panel),
            "forecaster": type(self.forecaster).__name__,
            **{name: shortened(canonical_text(value)) for name, value in own.items()},
            "levels": list(self.levels),
            "max_train_size": self.max_train_size,
        }

    def key(self, group: Origins) -> str:
        """Return the key of the forecasts from these cutoffs."""
        ordinal = self.panel.ordinal_at(group.entity, group.row)
        return hashlib.sha256(np.stack([group.entity, ordinal]).astype("int64").tobytes()).hexdigest()[:16]

    def kept(self, frame: pd.DataFrame) -> dict:
        """Return the forecast columns as text without loss of precision."""
        columns = list(frame.columns)
        names = columns[columns.index("step") + 1 : -1]
        return {name: base64.b64encode(frame[name].to_numpy("<f8").tobytes()).decode() for name in names}

    def restored(self, kept: dict, group: Origins) -> pd.DataFrame:
        """Return the frame from which `kept` was made."""
        origins = Origins.every_channel(group.entity, group.row, self.panel.channels)
        values = {
            name: np.frombuffer(base64.b64decode(text), "<f8").reshape(len(origins), self.sizes[0])
            for name, text in kept.items()
        }
        return output_frames.long_frame(self.panel, self.schema, origins, values.pop("forecast"), values, actual=True)


def groups_of(panel: Panel, cutoffs: Origins, every: int | None) -> list[Origins]:
    """Return groups of cutoffs, sorted by time, that share a fit: `every` successive times, or all."""
    if every is None:
        return [cutoffs]
    ordinal = panel.ordinal_at(cutoffs.entity, cutoffs.row)
    first = np.flatnonzero(np.diff(ordinal, prepend=ordinal[0] - 1))[::every]
    return [cutoffs[low:high] for low, high in zip(first, [*first[1:], len(ordinal)], strict=True)]


@dataclass
class Progress:
    """Reports after every fit the progress, the error, and the estimated remaining time."""

    say: object  #: Called with the line
    total: int  #: Number of groups of cutoffs
    done: int = 0
    fitted: int = 0
    began: float = field(default_factory=time.monotonic)

    def report(self, frame: pd.DataFrame, fresh: bool = True) -> None:
        """Report that a group is done, by a fit or from the file."""
        self.done, self.fitted = self.done + 1, self.fitted + fresh
        if self.say is None:
            return
        gone = time.monotonic() - self.began
        error = (frame["forecast"] - frame["actual"]).abs().mean()
        left = gone / max(self.fitted, 1) * (self.total - self.done)
        took = (
            f"{minutes_and_seconds(gone)}, about {minutes_and_seconds(left)} left"
            if self.done < self.total
            else minutes_and_seconds(gone)
        )
        cutoff = str(frame["cutoff"].iloc[0]).removesuffix(" 00:00:00")
        taken = "" if fresh else ", kept from before"
        self.say(f"{self.done}/{self.total}  cutoff {cutoff}: MAE {number(error, 4)}{taken}  {took}")


def refit_all(refits: Refits, groups: list[Origins], resume, say) -> list[pd.DataFrame]:
    """Fit and forecast for each group of cutoffs; those in the file `resume` are read instead."""
    run_log = RunLog(resume, refits.header() if resume is not None else {}, WHERE, "resume")
    progress, parts = Progress(say, len(groups)), []
    for group in groups:
        key = refits.key(group)
        found = run_log.find(key)
        if found is None:
            frame = refits.forecast(refits.fit(group), group)
            if resume is not None:
                run_log.add(key, refits.kept(frame))
        else:
            frame = _restored(refits, run_log, found, group)
        progress.report(frame, fresh=found is None)
        parts.append(refits.without_gap(frame))
    return parts


def _restored(refits: Refits, run_log: RunLog, found: dict, group: Origins) -> pd.DataFrame:
    try:
        return refits.restored(found, group)
    except (ValueError, KeyError, TypeError) as error:
        return run_log.refuse_line(error)
