"""Skip-n-gram ensembles: the model class, its features by name, and the comparisons of a task as integer rows."""

from expressivity.skipgrams.design import Design, comparison_rows, design, design_matrix, entries_of
from expressivity.skipgrams.features import Feature, features_of
from expressivity.skipgrams.model import POSITIONS, SkipGrams

__all__ = [
    "POSITIONS",
    "Design",
    "Feature",
    "SkipGrams",
    "comparison_rows",
    "design",
    "design_matrix",
    "entries_of",
    "features_of",
]
