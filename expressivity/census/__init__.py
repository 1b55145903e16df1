"""All Boolean functions of a few inputs up to symmetry: their orders, their heads, and the integers that prove both."""

from expressivity.census.classes import Classes, classes, least_members
from expressivity.census.run import Census, run_census
from expressivity.census.shard import shard
from expressivity.census.store import Plan, read_table

__all__ = ["Census", "Classes", "Plan", "classes", "least_members", "read_table", "run_census", "shard"]
