"""Layers: Long short-term memory."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    pass
