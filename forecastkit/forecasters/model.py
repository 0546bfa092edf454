"""What a model implements, and the context of a fit that its methods share.

`Forecaster` does everything else: data, scales, intervals, bounds, updates and files.
"""

from __future__ import annotations

import copy
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from forecastkit.data.panel import Panel
from forecastkit.data.windows import Buffers, Origins
from forecastkit.uncertainty.forecasts import Forecast

if TYPE_CHECKING:
    from forecastkit.forecasters.base import Forecaster
    from forecastkit.forecasters.linear_recipes import LinearPath
    from forecastkit.preprocessing.scaler import Scaler
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

    _scaled: tuple | None = field(default=None, init=False, repr=False)

    def buffers(self, scaler: Scaler, lookback: int, horizon: int, loss_weight: np.ndarray | None = None) -> Buffers:
        """Return the panel in the units of a scaler, with the weights. The latest result is kept for reuse."""
        sizes = lookback, horizon
        if self._scaled is None or self._scaled[0] is not scaler or self._scaled[1] != sizes:
            self._scaled = None  # released first: the buffers are as large as the data
            buffers = scaler.buffers(self.panel, lookback, horizon)
            buffers = replace(buffers, weight=self.weight, loss_weight=loss_weight)
            self._scaled = scaler, sizes, buffers
        return self._scaled[2]

    def clear_checkpoints(self) -> None:
        """Delete the checkpoint files."""
        for checkpoint in self.checkpoints:
            checkpoint.remove()
        for _, context in self.members:
            context.clear_checkpoints()


@contextmanager
def restored(forecaster: object, when: Callable[[BaseException], bool] = lambda error: True) -> Iterator[None]:
    """Restore the fitted attributes of the forecaster and its members if the block raises and `when` is true.

    Networks are kept as their weights alone: until the block is over there is never a second compiled network.
    """
    before = [(part, {name: _kept(value) for name, value in vars(part).items()}) for part in _parts(forecaster)]
    try:
        yield
    except BaseException as error:
        if when(error):
            for part, attributes in before:
                vars(part).clear()
                vars(part).update(attributes)
        raise


def _parts(forecaster):
    """Yield the forecaster and its fitted members."""
    yield forecaster
    for name, value in vars(forecaster).items():
        if name.endswith("_"):
            for member in value if isinstance(value, list) else [value]:
                if hasattr(member, "_set_state"):
                    yield from _parts(member)


def _kept(value):
    """Return a copy of the value if later steps change it in place."""
    # A network is here only where its module is loaded; an import would load Keras for forecasters without one.
    module = sys.modules.get("forecastkit.training.trained_network")
    if module is not None and isinstance(value, module.TrainedNetwork):
        return copy.copy(value)
    return list(value) if isinstance(value, list) else value
