"""Shared helpers: exceptions, validation of arguments, text formatting, atomic file writes and the run log."""

__all__ = []
