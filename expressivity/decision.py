"""One question, one answer, one proof."""

from __future__ import annotations

from collections.abc import Callable

from expressivity.attention import Attention
from expressivity.cross_entropy import decide_cross_entropy
from expressivity.ensembles import decide_ensemble
from expressivity.errors import InputError
from expressivity.heads.bounds import decide_by_search
from expressivity.heads.gallery import proposals_for
from expressivity.heads.sandwich import decide_heads
from expressivity.log_odds import decide_logits
from expressivity.separability import check_time_limit
from expressivity.skipgrams import SkipGrams
from expressivity.task import Task
from expressivity.verdict import ModelClass, Verdict

LEVELS = ("argmax", "logits", "cross_entropy")


def decide(
    task: Task,
    model_class: ModelClass,
    *,
    level: str = "argmax",
    smallest: bool = False,
    sparse: bool = False,
    margin: bool = False,
    time_limit: float | None = None,
    progress: Callable[[str], None] = lambda _: None,
) -> Verdict:
    """Decide whether some model of a class does a task, with a certificate in exact arithmetic.

    For skip-n-gram ensembles the answer is always yes or no (Motzkin's alternative), unless ``time_limit`` seconds
    pass first. For attention, no rests on theorem T1 and yes on tables that are known, or found by a search of two
    seconds at most; between them the answer is ``UNDECIDED``.

    Args:
        task: labels, several allowed outputs, ties.
        model_class: ``SkipGrams(…)`` or ``Attention(…)``.
        level: ``argmax``: every comparison of logits holds. ``logits``: the task's probabilities are matched exactly,
            or in the limit where some are 0. ``cross_entropy``: the certificate bounds the infimum of the
            cross-entropy; the answer says whether that is proved to exceed the task's own entropy, or comes within
            10⁻⁶ nats of it.
        smallest: for a no, look for an obstruction of fewest contexts; the verdict's ``bound`` proves how few it takes.
        sparse: for a yes, look for weights on fewest features besides constants, with such a bound.
        margin: for a yes, look for the weights between −1 and 1 with the largest margin, with such a bound.
        time_limit: seconds for each run of the engine, and for each such search (which else ends after a minute).
        progress: called with a line of text now and then, for a large task in each round of constraint generation.

    Raises:
        InputError: a task with distributions, an unknown level, no model class, or a search that does not apply:
            these are for ``SkipGrams(…)`` at the argmax level, and ``sparse`` and ``margin`` exclude each other.

    >>> from expressivity import Attention, SkipGrams, Task
    >>> task = Task.from_strings(["ACQT", "ADQF", "BCQF", "BDQT"])
    >>> decide(task, SkipGrams(order=3)).answer.value
    'inexpressible'
    >>> verdict = decide(task, Attention(heads=2))
    >>> verdict.answer.value, verdict.reason
    ('expressible', 'construction two_head_xor')
    >>> print(verdict.certificate.verify().text)
    one layer of attention with 2 heads (embedding joint) decides the 4 contexts
    >>> verdict = decide(task, SkipGrams(order=3), smallest=True)
    >>> verdict.reason
    '4 contexts cancel (1:1:1:1), no fewer do'
    >>> print(verdict.bound.verify().text)
    a skip-trigram ensemble (positions absolute) decides any 3 of the 4 contexts
    """
    if level not in LEVELS:
        raise InputError(f"level is {level!r}; expected one of {', '.join(LEVELS)}")
    check_time_limit(time_limit)
    if (smallest or sparse or margin) and (level != "argmax" or not isinstance(model_class, SkipGrams)):
        raise InputError("smallest, sparse and margin are searched for SkipGrams(…) at the level argmax only")
    if isinstance(model_class, SkipGrams) and level == "logits":
        return decide_logits(task, model_class, time_limit=time_limit)
    if isinstance(model_class, SkipGrams) and level == "cross_entropy":
        return decide_cross_entropy(task, model_class, time_limit=time_limit)
    if isinstance(model_class, Attention) and level != "argmax":
        raise InputError(f"the level {level} is decided for SkipGrams(…) only; for Attention(…) expected argmax")
    if isinstance(model_class, SkipGrams):
        return decide_ensemble(
            task,
            model_class,
            time_limit=time_limit,
            smallest=smallest,
            sparse=sparse,
            margin=margin,
            progress=progress,
        )
    if isinstance(model_class, Attention):
        verdict = decide_heads(task, model_class, given=proposals_for(task), time_limit=time_limit)
        return decide_by_search(task, model_class, verdict, time_limit=time_limit, progress=progress)
    raise InputError(f"model_class is {model_class!r}; expected SkipGrams(…) or Attention(…)")
