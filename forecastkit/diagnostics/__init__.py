"""Checks of the machine on which networks are trained."""

__all__ = []
