"""What a model implements, and the context of a fit that its methods share.

`Forecaster` does everything else: data, scales, intervals, bounds, updates and files.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from forecastkit.data.panel import Panel
from forecastkit.data.windows import Origins
from forecastkit.uncertainty.forecasts import Forecast

if TYPE_CHECKING:
    from forecastkit.forecasters.base import Forecaster
    from forecastkit.forecasters.linear_recipes import LinearPath
    from forecastkit.utils.time_budget import TimeBudget


class Model:
    """The methods by which forecasters differ, in the order in which `fit` and `predict` call them.

    When `_fit` is called, the sizes (`horizon_`, `lookback_`, `season_length_`), the columns (`schema_`) and the scales
    (`scaler_`) have been chosen. What a model learns is kept in attributes that end in ``_``.
    """

    def _fit(self, context: FitContext) -> None:
        """Learn from the rows before ``context.split``; later rows may only decide when training stops."""

    def _forecast(self, panel: Panel, origins: Origins) -> Forecast:
        """Return the forecast in the user's units, from no row after an origin except future covariates."""
        raise NotImplementedError

    def _finish(self, context: FitContext) -> None:
        """Use the validation rows too, after the evaluation."""

    def _train_on(self, context: FitContext) -> None:
        """Continue learning from all rows before ``context.stop``, with unchanged scales."""

    def _memory(self, panel: Panel) -> int | None:
        """Return the number of rows of the panel's past that a forecast needs; None for all."""
        return None

    def _release(self, context: FitContext) -> None:
        """Release resources that only training needs and the context does not hold."""

    def _is_trained(self) -> bool:
        """Return whether an interrupted `_fit` has left a model that can forecast."""
        return True


@dataclass(eq=False)
class FitContext:
    """Data and intermediate results of a fit."""

    panel: Panel
    split: np.ndarray  #: (n_series,): the first row after the training rows of each series
    stop: np.ndarray  #: (n_series,): the first row after its validation rows
    weight: np.ndarray | None = None  #: (rows of the panel,): weight of each row as a target of the loss
    #: A linear forecaster fitted on the same rows, which serves as the reference of scores
    linear: Forecaster | None = None
    learning_rate: float | None = None  #: In `partial_fit`, the learning rate with which training continues
    train: str = "all"  #: {'all', 'head'}: in `partial_fit`, which weights of a network are trained
    checkpoints: list[Any] = field(default_factory=list)  #: Files from which an interrupted fit can be resumed
    #: The members of a composite forecaster and their fits
    members: list[tuple[Forecaster, FitContext]] = field(default_factory=list)
    #: Members that were fitted in other processes, validation rows included, by their index
    finished: dict[int, Forecaster] = field(default_factory=dict)
    #: Parameters that replace those of the forecaster in this fit, such as a shorter time limit
    parameters: dict[str, Any] = field(default_factory=dict)
    began: float = field(default_factory=time.monotonic)  #: ``time.monotonic()`` before the data were read
    budget: TimeBudget | None = None  #: The time that remains of a limit
    linear_path: LinearPath | None = None  #: Linear forecast that a network corrects
    linear_seconds: float = 0.0  #: Duration of the fit of the linear forecaster

    buffers: tuple | None = None  #: The latest result of `forecastkit.preprocessing.scaler.buffers_of`
