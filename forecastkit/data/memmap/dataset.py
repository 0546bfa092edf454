"""Training data in files: a panel whose rows are memory-mapped from a folder.

The folder is written by `forecastkit.data.memmap.build`. ``manifest.json`` contains the kind, the grid, the roles of
columns and the series; ``target.npy``, ``past.npy`` and ``known.npy`` contain the rows of the regular grid, one series
after another, NaN where missing; ``static.npy``, ``start.npy`` and ``indptr.npy`` have one row per series.
"""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from forecastkit.data.panel import ROW_BUFFERS, Panel
from forecastkit.data.schema import ROLES, Schema
from forecastkit.data.time_grid import TimeGrid
from forecastkit.utils import types
from forecastkit.utils.exceptions import DAMAGED_FILE, ArtifactError
from forecastkit.utils.validation import refuse

KIND, FORMAT = "forecastkit mapped data", 1
SMALL = ("start", "indptr", "static")


class MappedData:
    """Memory-mapped rows of many series, for `fit` in place of a frame; created by `map_parquet` or `open_mapped`.

    Pickles contain the path and open it again.

    Parameters
    ----------
    path : path
        The folder.
    panel : Panel
        Panel with read-only buffers mapped from the folder.
    schema : Schema
        Roles of the columns.
    """

    def __init__(self, path: Path, panel: Panel, schema: Schema):
        self.path, self.panel, self.schema = path, panel, schema

    def __repr__(self):
        panel = self.panel
        return f"MappedData({str(self.path)!r}: {panel.rows:,} rows of {len(panel.ids):,} series, {panel.grid.name})"

    def __reduce__(self):
        return open_mapped, (self.path,)

    def read(self, y: None, **reading: Any) -> tuple[Panel, Schema]:
        """Return the panel and the schema, if the requested reading is that of the mapped data.

        Parameters
        ----------
        y
            Must be None.
        **reading
            Reading parameters of a forecaster: defaults, or those of the mapped data.
        """
        if y is not None:
            refuse("fit", "mapped data include their target", "a y beside them", "Name it in map_parquet.")
        for name, value in reading.items():
            if not self._agrees(name, value):
                rule = f"{name}= is chosen in map_parquet where data are mapped"
                refuse("fit", rule, repr(value), "Leave it out here.")
        return self.panel, self.schema

    def _agrees(self, name, value):
        if value is None or (name == "duplicates" and value == "refuse"):
            return True
        mapped = getattr(self.schema, name, None)
        if name in ("target", *ROLES):
            return ((value,) if isinstance(value, str) else tuple(value)) == mapped
        return name in ("time", "series_id") and value == mapped


def open_mapped(path: types.Path) -> MappedData:
    """Open a folder that `map_parquet` wrote.

    Parameters
    ----------
    path : str or path

    Returns
    -------
    MappedData

    Raises
    ------
    ArtifactError
        If the folder is missing, incomplete, not created by `map_parquet`, or of a later format.
    """
    path = Path(path).absolute()
    try:
        manifest = json.loads((path / "manifest.json").read_text(encoding="utf-8"))
        if manifest["kind"] != KIND:
            raise ValueError(manifest["kind"])
        if manifest["format"] > FORMAT:
            rule, got = f"{str(path)!r} must be of format {FORMAT} or older", f"format {manifest['format']}"
            refuse("open_mapped", rule, got, "Update forecastkit.", ArtifactError)
        return MappedData(path, _panel(path, manifest), Schema(**_tuples(manifest["schema"])))
    except ArtifactError:
        raise
    except DAMAGED_FILE as error:
        rule = f"{str(path)!r} must be a complete folder written by map_parquet"
        got = f"{type(error).__name__}: {' '.join(str(error).split())}"
        return refuse("open_mapped", rule, got, "Map the data again.", ArtifactError)


def _panel(path, manifest):
    small = {name: np.load(path / f"{name}.npy", allow_pickle=False) for name in SMALL}
    rows = int(small["indptr"][-1])
    buffers = {name: _mapped(path / f"{name}.npy", (rows, width)) for name, width in manifest["widths"].items()}
    if len(small["start"]) != len(manifest["ids"]) or set(buffers) != set(ROW_BUFFERS):
        raise ValueError("its files do not belong together")
    return Panel(TimeGrid(**manifest["grid"]), tuple(manifest["ids"]), **small, **buffers)


def _mapped(path, shape):
    """Return the read-only array of a file; arrays without columns have no file."""
    if not shape[1]:
        return np.zeros(shape, dtype="float32")
    values = np.load(path, mmap_mode="r", allow_pickle=False)
    if values.shape != shape:
        raise ValueError(f"{path.name} is of shape {values.shape} instead of {shape}")
    return values


def write_manifest(path: Path, panel: Panel, schema: Schema) -> None:
    """Write everything of a panel except its row buffers, which are already in the folder."""
    for name in SMALL:
        np.save(path / f"{name}.npy", getattr(panel, name))
    manifest = {
        "kind": KIND,
        "format": FORMAT,
        "grid": asdict(panel.grid),
        "schema": asdict(schema),
        "widths": {name: getattr(panel, name).shape[1] for name in ROW_BUFFERS},
        "ids": panel.ids,
    }
    (path / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")


def _tuples(values):
    """Convert lists of JSON to tuples."""
    return {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}
