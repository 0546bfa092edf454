"""Checks of the machine that networks are to be trained on."""

__all__ = []
