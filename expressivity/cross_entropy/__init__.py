"""The best cross-entropy of a class of skip-n-gram ensembles, enclosed between two proofs."""

from expressivity.cross_entropy.bound import bound_cross_entropy

__all__ = ["bound_cross_entropy"]
