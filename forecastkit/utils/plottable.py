"""Results that plot themselves."""

import importlib
from typing import Any

from forecastkit.utils.exceptions import backend_needed


class Plottable:
    """Mixin: `plot`, which finds `forecastkit.plot` through the package, so that no lower floor imports it."""

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
