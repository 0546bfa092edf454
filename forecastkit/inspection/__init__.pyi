from .interpretation import interpret as interpret
from .lookahead_audit import audit as audit

__all__ = [
    "audit",
    "interpret",
]
