from .comparison import compare as compare
from .recommendation import recommend as recommend

__all__ = [
    "compare",
    "recommend",
]
