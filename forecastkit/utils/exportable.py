"""Forecasters that write themselves as a graph for other software."""

import importlib
from collections.abc import Sequence

from forecastkit.utils.types import Path


class Exportable:
    """Mixin: `export`, which finds `forecastkit.export` through the package, so that no lower floor imports it."""

    def export(self, path: Path, format: str = "onnx", quantile_levels: Sequence[float] | None = None) -> None:
        """Write the network as an ONNX, SavedModel or LiteRT graph; see `forecastkit.export`.

        Parameters
        ----------
        path : str or path
        format : {'onnx', 'saved_model', 'litert'}
        quantile_levels : list of float, optional
        """
        importlib.import_module("forecastkit").export(self, path, format, quantile_levels)
