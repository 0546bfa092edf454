"""Hierarchies of series: sums of the levels, and forecasts that add up.

Public names are imported on first use; `__init__.pyi` lists them for type checkers.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
