"""From CSV and Parquet files to frames: dialect, encodings, dates, and the roles of columns."""

__all__ = []
