"""Transformations that are fitted to training rows: scaling, target transforms, covariate effects."""

__all__ = []
