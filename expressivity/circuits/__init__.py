"""What an attention-only model computes, read off its weights (Elhage et al. 2021), and what that is worth on data.

Tables of heads in factored form, skip-trigrams ranked, their bugs priced, copying and matching scores, composition, the
path expansion, and what heads do on repeated tokens.
"""

from expressivity.circuits.analysis import Analysis, analyse
from expressivity.circuits.behaviour import InContext, Looks, in_context, looks, repeated_tokens
from expressivity.circuits.bugs import Bug, find_bugs
from expressivity.circuits.composition import Baseline, Composition, compositions, gaussian_baseline, raw_scores
from expressivity.circuits.data import Data, mean_loss
from expressivity.circuits.model import Circuits, HeadName, path_name
from expressivity.circuits.paths import Importance, expand, importance, paths_of
from expressivity.circuits.scores import EigenScore, copying_score, matching_score
from expressivity.circuits.skipgrams import (
    RANKINGS,
    Bigram,
    SkipTrigram,
    SkipTrigrams,
    bigrams,
    skip_trigrams,
)
from expressivity.circuits.tables import Factored

__all__ = [
    "RANKINGS",
    "Analysis",
    "Baseline",
    "Bigram",
    "Bug",
    "Circuits",
    "Composition",
    "Data",
    "EigenScore",
    "Factored",
    "HeadName",
    "Importance",
    "InContext",
    "Looks",
    "SkipTrigram",
    "SkipTrigrams",
    "analyse",
    "bigrams",
    "compositions",
    "copying_score",
    "expand",
    "find_bugs",
    "gaussian_baseline",
    "importance",
    "in_context",
    "looks",
    "matching_score",
    "mean_loss",
    "path_name",
    "paths_of",
    "raw_scores",
    "repeated_tokens",
    "skip_trigrams",
]
