from .memmap.build import map_parquet as map_parquet
from .memmap.dataset import (
    MappedData as MappedData,
)
from .memmap.dataset import (
    open_mapped as open_mapped,
)
from .panel import Panel as Panel

__all__ = [
    "MappedData",
    "Panel",
    "map_parquet",
    "open_mapped",
]
