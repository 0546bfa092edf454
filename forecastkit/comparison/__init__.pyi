from .compare import compare as compare
from .recommend import recommend as recommend

__all__ = [
    "compare",
    "recommend",
]
