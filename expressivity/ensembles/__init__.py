"""Skip-n-gram ensembles decided: small parts of a task as one matrix, large ones by constraint generation."""

from expressivity.ensembles.certifying import obstruction, separating_weights
from expressivity.ensembles.deciding import decide_ensemble, refute_every_order
from expressivity.ensembles.parts import Part, parts

__all__ = ["Part", "decide_ensemble", "obstruction", "parts", "refute_every_order", "separating_weights"]
