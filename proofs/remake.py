"""Makes the committed certificates of the named claims again: ``python proofs/remake.py``.

Each is verified by the trusted base before it is written; ``make test`` verifies the committed files as they stand.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from expressivity import Attention, SkipGrams, Task, bound_cross_entropy, decide
from expressivity.attention import exact_weights
from expressivity.heads.gallery import load_construction
from expressivity.heads.refutation import refute_two_heads
from expressivity.heads.sandwich import certify_tables, certify_width
from expressivity.task import differ
from expressivity.verdict import Certificate

HERE = Path(__file__).parent


def two_heads(task: Task, *, as_printed: bool) -> Certificate:
    """The tables of the post with its scores of ±10000, or the same model factored to width 1."""
    tables = load_construction("two_head_xor").tables()
    verdict = (
        certify_tables(task, tables, "as printed")
        if as_printed
        else certify_width(task, exact_weights(tables, task), "width 1")
    )
    if verdict.certificate is None:
        raise SystemExit("the two heads were not proved")
    return verdict.certificate


def main() -> None:
    """Write every certificate of S1, the four strings ``ACQT ADQF BCQF BDQT``."""
    task = Task.from_strings(["ACQT", "ADQF", "BCQF", "BDQT"], name="xor")
    made = {
        "bigrams-cannot": decide(task, SkipGrams(2)).certificate,
        "skip-trigrams-cannot": decide(task, SkipGrams(3)).certificate,
        "skip-trigrams-cannot-anywhere": decide(task, SkipGrams(3, "anywhere")).certificate,
        "skip-trigrams-cannot-count": decide(task, SkipGrams(3, "count")).certificate,
        "skip-4-grams-can": decide(task, SkipGrams(4)).certificate,
        "one-head-cannot": decide(task, Attention(heads=1)).certificate,
        "one-head-cannot-additive": decide(task, Attention(heads=1, embedding="additive")).certificate,
        "one-head-cannot-tokens": decide(task, Attention(heads=1, embedding="tokens")).certificate,
        "two-heads-can": decide(task, Attention(heads=2)).certificate,
        "two-heads-can-as-printed": two_heads(task, as_printed=True),
        "two-heads-of-width-one-can": two_heads(task, as_printed=False),
        "one-earlier-token-gives-one-half": bound_cross_entropy(task, SkipGrams(3)),
        "skip-4-grams-reach-zero": bound_cross_entropy(task, SkipGrams(4)),
    }
    save("S1", made)
    hamming()


def hamming() -> None:
    """Write those of T10: whether two strings of four bits differ in at least two places."""
    task = differ(4, 2)
    three = load_construction("hamming_threshold").tables()
    two = refute_two_heads(task)
    made = {
        "skip-trigrams-cannot": decide(task, SkipGrams(3), smallest=True).certificate,
        "skip-4-grams-can": decide(task, SkipGrams(4)).certificate,
        "two-heads-cannot": two.certificate if two else None,
        "three-heads-can": certify_tables(task, three.in_embedding("joint", task), "three heads").certificate,
        "three-heads-can-additive": certify_tables(task, three, "three heads").certificate,
    }
    save("T10", {f"differ-4-2-{name}": certificate for name, certificate in made.items()})


def save(folder: str, made: Mapping[str, Certificate | None]) -> None:
    """Verify and write certificates under their names."""
    for name, certificate in made.items():
        if certificate is None:
            raise SystemExit(f"{name}: undecided, nothing was written")
        certificate.verify()
        certificate.save(HERE / folder / f"{name}.json")


if __name__ == "__main__":
    main()
