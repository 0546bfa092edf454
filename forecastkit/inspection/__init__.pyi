from .audit import audit as audit
from .interpret import interpret as interpret

__all__ = [
    "audit",
    "interpret",
]
