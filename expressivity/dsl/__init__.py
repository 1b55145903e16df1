"""Hand-set heads, written like the table in a paper."""

from expressivity.dsl.construction import Construction, ConstructionError

__all__ = ["Construction", "ConstructionError"]
