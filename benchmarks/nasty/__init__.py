"""Separation instances that go wrong elsewhere, each with its truth and a proof of it."""

from .instance import Instance
from .instances import FAMILIES, instances

__all__ = ["FAMILIES", "Instance", "instances"]
