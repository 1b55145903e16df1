"""A head switched off by context: what its weights seem to say, and what decides."""

from __future__ import annotations

from fractions import Fraction

from docs.studies.noun_head import best, contexts, deciding, entropy, read_off, soft_task
from expressivity import SkipGrams, bound_cross_entropy
from expressivity.heads.gallery import load_construction

TABLES = load_construction("noun_head").tables()
KEYWORDS = {"def", "import"}


def test_the_table_of_t2_decides_like_the_model_on_every_context() -> None:
    for context, _ in contexts():
        assert best(deciding(TABLES, context)) == best(TABLES.logits(context))


def test_what_is_read_off_the_weights_is_wrong_wherever_a_keyword_meets_a_noun() -> None:
    for context, _ in contexts():
        switched_off = bool(KEYWORDS & set(context)) and bool({"judge", "doctor"} & set(context))
        assert (best(read_off(TABLES, context)) == best(TABLES.logits(context))) is not switched_off


def test_the_deciding_table_by_hand() -> None:
    # def: 128·2 on range; old: 2; judge: 4·2 on range, 4·8 on court; in: 2.
    assert deciding(TABLES, ("def", "old", "judge", "in")) == {
        "court": 32, "hospital": 0, "open": 0, "range": 256 + 2 + 8 + 2,
    }  # fmt: skip


def test_order_5_alone_has_the_probabilities_of_three_sources() -> None:
    task = soft_task(TABLES)
    assert sum(task.weights) == 1
    low, high = entropy(task)
    bounds = {order: bound_cross_entropy(task, SkipGrams(order, "count")) for order in (3, 4, 5)}
    assert (bounds[3].lower or 0) - high > Fraction(6, 100)
    assert (bounds[4].lower or 0) - high > Fraction(4, 1000)
    assert (bounds[5].upper or 0) - low < Fraction(1, 10**12)
