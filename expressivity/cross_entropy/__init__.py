"""The best cross-entropy of a class of skip-n-gram ensembles, enclosed between two proofs, and what it decides."""

from expressivity.cross_entropy.bound import bound_cross_entropy
from expressivity.cross_entropy.deciding import decide_cross_entropy

__all__ = ["bound_cross_entropy", "decide_cross_entropy"]
