"""Which transformers can do a finite next-token task, decided and proved in exact arithmetic.

>>> from expressivity import SkipGrams, Task, decide
>>> verdict = decide(Task.from_strings(["ACQT", "ADQF", "BCQF", "BDQT"]), SkipGrams(order=3))
>>> verdict.answer.value
'inexpressible'

Names are loaded when they are first used, so that importing the package costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from expressivity.attention import (
        Attention,
        AttentionOnlyTransformer,
        Head,
        HeadTables,
        from_transformer_lens,
        load_model,
        save_model,
        to_transformer_lens,
    )
    from expressivity.cross_entropy import bound_cross_entropy
    from expressivity.decision import decide
    from expressivity.dsl import Construction
    from expressivity.errors import ExpressivityError, InputError, Refuted
    from expressivity.heads.bounds import HeadBounds, bound_heads
    from expressivity.heads.search import SearchReport, search_heads
    from expressivity.ladder import Ladder, climb
    from expressivity.skipgrams import SkipGrams
    from expressivity.skipgrams.vectorizer import SkipGramVectorizer
    from expressivity.task import Comparison, Context, Distribution, Domain, Task, Tie, Top
    from expressivity.verdict import (
        EXPRESSIBLE,
        INEXPRESSIBLE,
        UNDECIDED,
        Answer,
        Certificate,
        CrossEntropyBound,
        HeadTablesBySymmetry,
        HeadTablesCertificate,
        Obstruction,
        SeparatingWeights,
        Verdict,
        load_certificate,
    )
    from expressivity.verify import Statement

__version__ = "0.1.0"

_HOMES = {
    "attention": (
        "Attention",
        "AttentionOnlyTransformer",
        "Head",
        "HeadTables",
        "from_transformer_lens",
        "load_model",
        "save_model",
        "to_transformer_lens",
    ),
    "cross_entropy": ("bound_cross_entropy",),
    "decision": ("decide",),
    "dsl": ("Construction",),
    "errors": ("ExpressivityError", "InputError", "Refuted"),
    "heads.bounds": ("HeadBounds", "bound_heads"),
    "heads.search": ("SearchReport", "search_heads"),
    "ladder": ("Ladder", "climb"),
    "skipgrams": ("SkipGrams",),
    "skipgrams.vectorizer": ("SkipGramVectorizer",),
    "task": ("Comparison", "Context", "Distribution", "Domain", "Task", "Tie", "Top"),
    "verdict": (
        "EXPRESSIBLE",
        "INEXPRESSIBLE",
        "UNDECIDED",
        "Answer",
        "Certificate",
        "CrossEntropyBound",
        "HeadTablesBySymmetry",
        "HeadTablesCertificate",
        "Obstruction",
        "SeparatingWeights",
        "Verdict",
        "load_certificate",
    ),
    "verify": ("Statement",),
}
_HOME = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "EXPRESSIBLE",
    "INEXPRESSIBLE",
    "UNDECIDED",
    "Answer",
    "Attention",
    "AttentionOnlyTransformer",
    "Certificate",
    "Comparison",
    "Construction",
    "Context",
    "CrossEntropyBound",
    "Distribution",
    "Domain",
    "ExpressivityError",
    "Head",
    "HeadBounds",
    "HeadTables",
    "HeadTablesBySymmetry",
    "HeadTablesCertificate",
    "InputError",
    "Ladder",
    "Obstruction",
    "Refuted",
    "SearchReport",
    "SeparatingWeights",
    "SkipGramVectorizer",
    "SkipGrams",
    "Statement",
    "Task",
    "Tie",
    "Top",
    "Verdict",
    "bound_cross_entropy",
    "bound_heads",
    "climb",
    "decide",
    "from_transformer_lens",
    "load_certificate",
    "load_model",
    "save_model",
    "search_heads",
    "to_transformer_lens",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'expressivity' has no attribute {name!r}")
    value = getattr(import_module(f"expressivity.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
