"""A part written out as a matrix: a row for each comparison, a column for each feature and output."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from expressivity.ensembles.certifying import Weights
from expressivity.ensembles.parts import Part
from expressivity.separability import IntegerRows
from expressivity.skipgrams import Feature, SkipGrams, comparison_rows, design
from expressivity.skipgrams.encode import Ints
from expressivity.task import Task


@dataclass(frozen=True)
class Matrix:
    """The comparisons of a part as integer rows.

    Attributes:
        features: of one output's columns, in their order.
        outputs: those that have columns, in their order; others have the logit 0.
        rows: ``[comparisons, outputs · features]``.
    """

    features: list[Feature]
    outputs: tuple[str, ...]
    rows: IntegerRows

    @property
    def groups(self) -> Ints:
        """For each column the number of its feature, −1 for constants."""
        numbers = [k if feature.sources else -1 for k, feature in enumerate(self.features)]
        return np.tile(np.array(numbers, dtype=np.int64), len(self.outputs))

    def weights(self, column_weights: Sequence[int | Fraction]) -> Weights:
        """Weights of columns as weights of features on outputs, zeros left out."""
        size = len(self.features)
        table: Weights = {}
        for k, output in enumerate(self.outputs):
            for feature, weight in zip(self.features, column_weights[k * size : (k + 1) * size], strict=True):
                if weight:
                    table.setdefault(feature, {})[output] = Fraction(weight)
        return table


def written_out(task: Task, model: SkipGrams, part: Part, *, reduced: bool = True, whole: bool = False) -> Matrix:
    """The matrix of a part.

    Args:
        task, model, part: as from :func:`~expressivity.ensembles.parts`.
        reduced: leave out features that the others span; what can be decided stays the same.
        whole: give every output its columns; else the first one is the reference, whose logit is 0.
    """
    outputs = task.outputs[::-1]
    columns = design([task.contexts[i] for i in part.contexts], model, reduced=reduced)
    rows = comparison_rows(columns.matrix, list(part.comparisons(task)), outputs, whole=whole)
    return Matrix(columns.features, outputs if whole else outputs[:-1], IntegerRows.from_scipy(rows))
