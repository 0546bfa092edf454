from .partitions import (
    forecast_partition as forecast_partition,
)
from .partitions import (
    forecast_partitions as forecast_partitions,
)
from .partitions import (
    partition_meta as partition_meta,
)
from .tf_dataset import window_dataset as window_dataset

__all__ = [
    "forecast_partition",
    "forecast_partitions",
    "partition_meta",
    "window_dataset",
]
