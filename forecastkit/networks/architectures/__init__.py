"""Keras layers of the backbones, one file for each that has layers of its own."""

__all__ = []
