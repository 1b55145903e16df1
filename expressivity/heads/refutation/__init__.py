"""Heads refuted where skip-grams are not: what two heads cannot do although skip-4-grams can."""

from expressivity.heads.refutation.two_heads import refute_two_heads

__all__ = ["refute_two_heads"]
