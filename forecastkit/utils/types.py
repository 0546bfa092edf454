"""Types of what users pass, for annotations."""

import os
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np

#: One column or several.
Columns = str | Sequence[str]
#: Waves: a number of pairs for every usual season, or by the season's length in steps.
Fourier = int | Mapping[float, int]
#: A seed, or a generator that seeds are drawn from.
Seed = int | np.random.RandomState
#: A file or a folder.
Path = str | os.PathLike[str]
#: Whether quantiles are corrected, and from which windows.
Calibrate = bool | Literal["rolling"]
#: Series or covariates: an array, a Series, or a frame of pandas, polars, pyarrow or Dask.
Data = Any
#: Keras callbacks; Keras has no types of its own.
Callbacks = Sequence[Any]
