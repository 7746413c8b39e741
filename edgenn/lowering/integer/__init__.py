"""Float graphs that full-integer schemes can write: every op gets an integer kernel."""

from edgenn.lowering.integer.legalize import legalize

__all__ = ["legalize"]
