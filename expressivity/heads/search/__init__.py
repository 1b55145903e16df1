"""Heads found by search: attention is searched, all else is linear and exact (theorem T7).

The modules, each resting on those before it: ``layout`` (a task as arrays), ``exact`` (values for fixed odds),
``snapping`` (odds with few digits), ``alternating`` and ``gradient`` (guesses at odds, in floats), ``report``,
``checkpoint``, ``driver``. torch is imported for descent only, when it runs.
"""

from expressivity.heads.search.driver import CHEAP, RESTARTS, check_search, search_heads, search_tasks
from expressivity.heads.search.report import Round, SearchReport

__all__ = ["CHEAP", "RESTARTS", "Round", "SearchReport", "check_search", "search_heads", "search_tasks"]
