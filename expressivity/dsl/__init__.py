"""Hand-set heads, written like the table in a paper."""

from expressivity.dsl.construction import Construction, ConstructionError
from expressivity.dsl.proof import Proof
from expressivity.dsl.relations import copy, match, offset, previous

__all__ = ["Construction", "ConstructionError", "Proof", "copy", "match", "offset", "previous"]
