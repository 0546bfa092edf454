from . import backbones as backbones
from .backbone import Backbone as Backbone

__all__ = [
    "Backbone",
    "backbones",
]
