from .backbone import Backbone as Backbone

__all__ = [
    "Backbone",
]
