"""Mixins: results that print, plot or export themselves.

`forecastkit.plot` and `forecastkit.export` are found through the package, so that no lower floor imports them.
"""

import importlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from forecastkit.utils.exceptions import backend_needed
from forecastkit.utils.types import Path

if TYPE_CHECKING:
    import pandas as pd

#: Rows that are shown.
SHOWN = 10


class Exportable:
    """Mixin: `export`."""

    def export(self, path: Path, format: str = "onnx", quantile_levels: Sequence[float] | None = None) -> None:
        """Write the forecaster as an ONNX, SavedModel or LiteRT graph; see `forecastkit.export`.

        Parameters
        ----------
        path : str or path
        format : {'onnx', 'saved_model', 'litert'}
        quantile_levels : list of float, optional
        """
        importlib.import_module("forecastkit").export(self, path, format, quantile_levels)


class Plottable:
    """Mixin: `plot`."""

    def plot(self, actuals: Any = None, **options: Any) -> Any:
        """Plot this result on matplotlib axes.

        Parameters
        ----------
        actuals : DataFrame, Series or array, optional
            What was observed, for a forecast.
        **options
            Of `forecastkit.plot`: ``ax``, ``series``, ``target``, ``kind``, ``history_rows``, ``title``.

        Returns
        -------
        matplotlib.axes.Axes
        """
        with backend_needed():
            return importlib.import_module("forecastkit").plot(self, actuals, **options)


class Printable:
    """Mixin: prints a line and the first rows of a table; notebooks show both as HTML."""

    def summary(self) -> str:
        """Return a description in one line."""
        raise NotImplementedError

    def _shown(self) -> "pd.DataFrame | None":
        """Return the table to show, the most important rows first; None without one."""
        raise NotImplementedError

    def __repr__(self) -> str:
        table = self._shown()
        return self.summary() if table is None else f"{self.summary()}\n{table.head(SHOWN).to_string(**_format(table))}"

    def _repr_html_(self) -> str:
        table = self._shown()
        shown = "" if table is None else table.head(SHOWN).to_html(**_format(table))
        return f"<p>{self.summary()}</p>{shown}"


def _format(table) -> dict:
    """Return options of pandas: four digits, and the index if it has a name."""
    return {"float_format": lambda value: f"{value:.4g}", "index": table.index.name is not None}
