"""Shared helpers: exceptions, validation, large arrays, text formatting, atomic file writes and the run log."""

__all__ = []
