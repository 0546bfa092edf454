"""Numbers and times of pandas that Arrow stores."""

from decimal import Decimal

import pandas as pd


def without_arrow(data: pd.DataFrame | pd.Series) -> pd.DataFrame | pd.Series:
    """Return numbers and times that Arrow stores as NumPy does, with which pandas has all operations."""
    if isinstance(data, pd.Series):
        data = pd.Series(_numpy_values(data.array), data.index, name=data.name) if _is_arrow(data.dtype) else data
    elif data.columns.is_unique and (stored := [name for name, dtype in data.dtypes.items() if _is_arrow(dtype)]):
        data = data.copy(deep=False)
        for name in stored:
            data[name] = _numpy_values(data[name].array)
    index = data.index
    if isinstance(index, pd.MultiIndex):
        stored = [at for at, level in enumerate(index.levels) if _is_arrow(level.dtype)]
        levels = [_numpy_values(index.levels[at].array) for at in stored]
        return data.set_axis(index.set_levels(levels, level=stored)) if stored else data
    return data.set_axis(pd.Index(_numpy_values(index.array), name=index.name)) if _is_arrow(index.dtype) else data


def _is_arrow(dtype) -> bool:
    """Return whether Arrow stores numbers or times."""
    return isinstance(dtype, pd.ArrowDtype) and (dtype.kind in "iufbmM" or dtype.type is Decimal)


def _numpy_values(values):
    import pyarrow as pa

    stored = pa.array(values)
    if pa.types.is_date(stored.type) or pa.types.is_decimal(stored.type):
        stored = stored.cast(pa.timestamp("us") if pa.types.is_date(stored.type) else "float64")
    return stored.to_pandas().array
