"""Panels larger than memory: Parquet files converted to memory-mapped arrays."""

__all__ = []
