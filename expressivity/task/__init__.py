"""Tasks: contexts, requirements, families, domains, and the files that hold them. Standard library only.

>>> task = Task.from_strings(["ACQT", "ADQF", "BCQF", "BDQT"])
>>> task.contexts[0], task.requirements[0]
(Context(('A', 'C', 'Q')), (Top(outputs=('T',)),))
"""

from expressivity.task.block import Block
from expressivity.task.context import Context
from expressivity.task.domain import Case, Domain
from expressivity.task.domains import ov_coherent_domain, ov_incoherent_domain, parity_domain
from expressivity.task.families import FAMILIES, Family, bits, differ, labels, ov_coherent, ov_incoherent, parity, xor
from expressivity.task.requirement import Distribution, Requirement, Tie, Top
from expressivity.task.task import Comparison, Task
from expressivity.task.tokens import quoted

__all__ = [
    "FAMILIES",
    "Block",
    "Case",
    "Comparison",
    "Context",
    "Distribution",
    "Domain",
    "Family",
    "Requirement",
    "Task",
    "Tie",
    "Top",
    "bits",
    "differ",
    "labels",
    "ov_coherent",
    "ov_coherent_domain",
    "ov_incoherent",
    "ov_incoherent_domain",
    "parity",
    "parity_domain",
    "quoted",
    "xor",
]
