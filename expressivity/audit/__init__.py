"""How well a trained model is described by skip-n-gram ensembles, on text: fitted, read off its weights, bounded."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from expressivity.audit.bootstrap import Estimate, bootstrap
from expressivity.audit.text import Part, Text, read_text

if TYPE_CHECKING:
    from expressivity.audit.run import Audit, Settings, audit

__all__ = ["Audit", "Estimate", "Part", "Settings", "Text", "audit", "bootstrap", "read_text"]


def __getattr__(name: str) -> Any:
    """What needs torch is loaded when it is asked for."""
    if name in ("Audit", "Settings", "audit"):
        return getattr(import_module("expressivity.audit.run"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
