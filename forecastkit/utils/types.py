"""Type aliases of user inputs, for annotations."""

import os
from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypedDict

import numpy as np

#: One column name or several.
Columns = str | Sequence[str]
#: Number of Fourier pairs for every usual season, or by season length in steps.
Fourier = int | Mapping[float, int]
#: A seed, or a generator from which seeds are drawn.
Seed = int | np.random.RandomState
#: Path of a file or a folder.
Path = str | os.PathLike[str]
#: Whether quantiles are calibrated, and on which windows.
Calibrate = bool | Literal["rolling"]
#: Target series or covariates: an array, a Series, or a frame of pandas, polars, pyarrow or Dask.
Data = Any


class Roles(TypedDict, total=False):
    """Columns by role, as the parameters of a forecaster of these names."""

    target: Columns | None
    time: str | list[str] | None
    series_id: str | list[str] | None
    known: Columns | None
    past: Columns | None
    static: Columns | None


#: Keras callbacks; Keras provides no types for them.
Callbacks = Sequence[Any]
#: Weights of targets, in order or by name.
TargetWeight = Sequence[float] | Mapping[str, float]
#: Names of metrics, and Keras metrics: objects or functions.
Metrics = Sequence[Any]
#: Name of a loss, or a Keras loss: an object or a function.
Loss = Any
#: Name, object or config of a Keras optimizer.
Optimizer = Any
