"""Reading of CSV and Parquet files into frames: dialects, encodings, dates, and roles of columns."""

__all__ = []
