"""Models trained: on finite tasks, on forced trigrams, on repeated tokens, on text; one, or many seeds side by side."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from expressivity.training.text import Corpus, read_corpus
from expressivity.training.tokenizer import BytePairs

if TYPE_CHECKING:
    from expressivity.training.exact import Decided, decided
    from expressivity.training.plan import Plan, planned
    from expressivity.training.run import Trained, train
    from expressivity.training.seeds import Seeds, train_seeds, wilson

__all__ = [
    "BytePairs",
    "Corpus",
    "Decided",
    "Plan",
    "Seeds",
    "Trained",
    "decided",
    "planned",
    "read_corpus",
    "train",
    "train_seeds",
    "wilson",
]

_NEED_TORCH = {
    "Decided": "exact",
    "decided": "exact",
    "Plan": "plan",
    "planned": "plan",
    "Trained": "run",
    "train": "run",
    "Seeds": "seeds",
    "train_seeds": "seeds",
    "wilson": "seeds",
}


def __getattr__(name: str) -> Any:
    """What needs torch is loaded when it is first asked for."""
    if name in _NEED_TORCH:
        return getattr(import_module(f"expressivity.training.{_NEED_TORCH[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
