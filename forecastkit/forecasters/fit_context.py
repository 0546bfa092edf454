"""What one fit works with: handed from step to step, and gone when the fit is over."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from forecastkit.data.panel import Panel

if TYPE_CHECKING:
    from forecastkit.data.windows import Buffers
    from forecastkit.forecasters.base import Forecaster
    from forecastkit.forecasters.linear_path import LinearPath
    from forecastkit.preprocessing.scaler import Scaler
    from forecastkit.utils.time_budget import TimeBudget


@dataclass(eq=False)
class FitContext:
    """Data of a fit, and what its steps share.

    Attributes
    ----------
    panel : Panel
    split, stop : ndarray of int, (n_series,)
        Rows before ``split`` train, those from there to ``stop`` validate.
    weight : ndarray of shape (rows of the panel,), optional
        How much each row counts as one to be forecast.
    linear : Forecaster, optional
        A linear forecaster fitted on the same rows, which need not be fitted again as the reference of scores.
    revised : int
        Rows that were learned from and have been given again with other values since, where training goes on.
    checkpoints : list
        What is kept in files in case the process is killed.
    members : list of (Forecaster, FitContext)
        Of a forecaster made of others: the fits of these.
    finished : dict of int to Forecaster
        Members that have used the validation rows already, as they were fitted in processes, by their place.
    parameters : dict
        Of the forecaster, where it is fitted under others, such as a shorter time limit.
    began : float
        When the fit began, reading included, by ``time.monotonic``.
    budget : TimeBudget, optional
        What is left of a time limit.
    linear_path : LinearPath, optional
        The linear forecast that a network corrects.
    linear_seconds : float
        How long the linear forecaster took.
    """

    panel: Panel
    split: np.ndarray
    stop: np.ndarray
    weight: np.ndarray | None = None
    linear: Forecaster | None = None
    revised: int = 0
    checkpoints: list[Any] = field(default_factory=list)
    members: list[tuple[Forecaster, FitContext]] = field(default_factory=list)
    finished: dict[int, Forecaster] = field(default_factory=dict)
    parameters: dict[str, Any] = field(default_factory=dict)
    began: float = field(default_factory=time.monotonic)
    budget: TimeBudget | None = None
    linear_path: LinearPath | None = None
    linear_seconds: float = 0.0

    _scaled: tuple | None = field(default=None, init=False, repr=False)

    def buffers(self, scaler: Scaler, lookback: int, horizon: int) -> Buffers:
        """The panel in the units of a scaler, with the weights. As large as the data: the latest are kept for reuse."""
        sizes = lookback, horizon
        if self._scaled is None or self._scaled[0] is not scaler or self._scaled[1] != sizes:
            self._scaled = None  # two of them would not have to fit in memory
            buffers = replace(scaler.buffers(self.panel, lookback, horizon), weight=self.weight)
            self._scaled = scaler, sizes, buffers
        return self._scaled[2]

    def clear_checkpoints(self) -> None:
        """Delete what is kept in files: the fit is over."""
        for checkpoint in self.checkpoints:
            checkpoint.remove()
        for _, context in self.members:
            context.clear_checkpoints()
