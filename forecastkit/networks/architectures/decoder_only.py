"""Layers: Decoder-only causal Transformer over past and future tokens."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    pass
