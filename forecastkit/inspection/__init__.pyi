from .importance import importance as importance
from .interpretation import interpret as interpret
from .lookahead_audit import audit as audit

__all__ = [
    "audit",
    "importance",
    "interpret",
]
