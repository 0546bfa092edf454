"""Transformations fitted to the training rows: scaling, target transforms, effects of covariates."""

__all__ = []
