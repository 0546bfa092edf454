"""Shared by all packages: exceptions, validation of arguments, text formatting, atomic file writes, the run log."""

__all__ = []
