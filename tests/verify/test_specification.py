"""The page that specifies the format: its examples are proved, and its steps and limits are those of the checker."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Any

import pytest

from expressivity import certificate
from expressivity.certificate import canonical, parse, read
from expressivity.verify import verify
from expressivity.verify.claim import MAX_BITS, MAX_STEPS
from expressivity.verify.enclosure import PRECISION
from expressivity.verify.skipgrams import PRIME

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "certificate-format.md").read_text("utf-8")
BLOCKS: list[dict[str, Any]] = [json.loads(block) for block in re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)]
SAID = [
    "no skip-trigram ensemble (positions absolute) decides the 4 contexts",
    "a skip-4-gram ensemble (positions absolute) decides the 4 contexts",
    "no layer of attention with 1 head (embedding joint) decides the 4 contexts",
    "one layer of attention with 2 heads (embedding joint) decides the 4 contexts",
    "the best skip-trigram ensemble (positions absolute) has a cross-entropy of "
    "at least 693147180559/1000000000000 and at most 8664339757/12500000000 nats on the 4 contexts",
    "a skip-trigram ensemble (positions absolute) decides any 3 of the 4 contexts",
    "a skip-4-gram ensemble (positions absolute) that decides the 4 contexts has at least 2 features besides constants",
    "no skip-4-gram ensemble (positions absolute) with weights between -1 and 1 decides the 4 contexts "
    "by a margin over 2",
    "a skip-trigram ensemble (positions absolute) has the stated probabilities on the 2 contexts",
    "no bigram ensemble (positions absolute) has the stated probabilities on the 2 contexts, even in the limit",
    "one layer of attention with 1 head (embedding tokens, d_head 1) decides 64 contexts, "
    "for which the 4 contexts stand",
]


def documents() -> list[dict[str, Any]]:
    """The examples, each with the format, version and task of what stands before it."""
    found, before = [], BLOCKS[0]
    for block in BLOCKS:
        if "kind" in block:
            found.append({**before, **block})
        else:
            before = {**before, "task": block}
    return found


@pytest.mark.parametrize(("document", "text"), [*zip(documents(), SAID, strict=True)], ids=SAID)
def test_an_example_proves_what_the_page_says(document: dict[str, Any], text: str) -> None:
    assert verify(document).text == text


def test_there_is_an_example_of_every_kind() -> None:
    elsewhere = [ROOT / "docs" / link for link in re.findall(r"example is a file: \[[^\]]+\]\(([^)]+)\)", PAGE)]
    linked = {read(file)["kind"] for file in elsewhere}
    assert {document["kind"] for document in documents()} | linked == set(certificate.KINDS)


def test_the_first_example_is_a_file_as_it_stands() -> None:
    text = next(iter(re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)))
    assert parse(text.encode()) == BLOCKS[0]


def test_the_page_lists_the_steps_at_which_the_checker_refuses() -> None:
    source = "".join(
        path.read_text("utf-8")
        for path in [ROOT / "expressivity" / "certificate.py", *(ROOT / "expressivity" / "verify").glob("*.py")]
    )
    raised = set(re.findall(r'Refuted\(\s*"([^"]+)"', source))
    raised |= set(re.findall(r'(?:balance\(claim, |distribution\(\w+, )"([^"]+)"', source))
    table = PAGE.split("| step | what fails |")[1].split("\n\n")[0]
    assert set(re.findall(r"`([^`]+)`", table)) == raised
    explained = set(re.findall(r"\*\*([a-z -]+)\*\*", PAGE))
    assert raised <= explained


def test_the_limits_are_those_of_the_page() -> None:
    assert certificate.MAX_BYTES == 2**28
    assert certificate.MAX_DEPTH == 12
    assert certificate.MAX_DIGITS == 20_000
    assert certificate.MAX_COMMON == 2**16
    assert MAX_STEPS == 10**9
    assert MAX_BITS == 2**34
    assert PRECISION == 256
    assert PRIME == 2**30 - 35
    said = ["2²⁸ bytes", "12 objects", "20000 digits", "2¹⁶ bits", "beyond 10⁹", "2³⁴ bits", "256 binary", "2³⁰ − 35"]
    assert [limit for limit in said if limit not in PAGE] == []


def test_canonical_json_is_what_the_page_says() -> None:
    document = {"é": [True, None, 12], "b": 'a"\\/\b\t\n\f\r\x7f\x01\x1f', "\U0001f600": "", "\uffff": {}, "": False}
    text = '{"":false,"b":"a\\"\\\\/\\b\\t\\n\\f\\r\x7f\\u0001\\u001f","é":[true,null,12],"\uffff":{},"\U0001f600":""}'
    assert canonical(document) == text.encode()


def test_the_hash_is_that_of_canonical_json() -> None:
    body = (
        '{"format":"expressivity certificate","kind":"obstruction","model":{"class":"skip_grams","order":3,'
        '"positions":"absolute"},"proof":{"irreducible":true,"multipliers":['
        '{"context":0,"multiplier":"1","pair":["T","F"]},{"context":1,"multiplier":"1","pair":["F","T"]},'
        '{"context":2,"multiplier":"1","pair":["F","T"]},{"context":3,"multiplier":"1","pair":["T","F"]}]},'
        '"task":{"contexts":[{"requirements":[{"top":["T"]}],"tokens":["A","C","Q"],"weight":"1"},'
        '{"requirements":[{"top":["F"]}],"tokens":["A","D","Q"],"weight":"1"},'
        '{"requirements":[{"top":["F"]}],"tokens":["B","C","Q"],"weight":"1"},'
        '{"requirements":[{"top":["T"]}],"tokens":["B","D","Q"],"weight":"1"}],"outputs":["F","T"]},"version":1}'
    )
    assert BLOCKS[0]["hash"] == "sha256:" + hashlib.sha256(body.encode()).hexdigest()
