"""Notebook tables: the exact numbers, names as text whatever they hold, and no surprise from a hostile certificate."""

from __future__ import annotations

from fractions import Fraction
from html.parser import HTMLParser
from typing import Any

import pytest

from expressivity import Construction, Head, HeadTables, SkipGrams, Task, climb, decide
from expressivity.heads.gallery import load_construction
from expressivity.pictures import html_block, html_table
from expressivity.task import xor
from expressivity.verdict import as_certificate

HOSTILE = "<script>alert('x')</script>&amp;\"'"


class Page(HTMLParser):
    """The elements, and the text of every cell."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: set[str] = set()
        self.attributes: set[str] = set()
        self.open: list[str] = []
        self.rows: list[list[str]] = []
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.open.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data
        if self.open and self.open[-1] in ("td", "th"):
            self.rows[-1][-1] += data


def read(thing: Any) -> Page:
    page = Page(thing._repr_html_())
    assert not page.open
    assert page.elements <= {"div", "b", "table", "thead", "tbody", "tr", "th", "td"}
    assert page.attributes <= {"style", "colspan"}
    return page


def test_tables_show_exact_numbers() -> None:
    page = read(load_construction("two_head_xor").tables())
    assert page.rows[:6] == [
        ["source", "score at Q", "→ F", "→ T"],
        ["A", "−10000", "0", "0"],
        ["B", "10000", "0", "0"],
        ["C", "0", "0", "1"],
        ["D", "0", "1", "0"],
        ["Q", "−10000", "0", "0"],
    ]


def test_the_direct_path_and_long_fractions() -> None:
    q = (None, "Q")
    page = read(HeadTables("tokens", {(q, "T"): Fraction(123456789, 1000)}))
    assert page.rows == [["from", "→ T"], ["Q", "123456789/1000"]]


def test_wide_tables_list_what_is_not_the_default() -> None:
    ends = [(None, f"q{i:02}") for i in range(12)]
    odds = {(end, (None, "A")): Fraction(i + 1) for i, end in enumerate(ends)}  # the first is 1, which is the default
    page = read(HeadTables("tokens", {}, (Head({((None, "A"), "T"): Fraction(1)}, odds=odds),)))
    listed = ", ".join(f"q{i:02}: {i + 1}" for i in range(1, 9))
    assert page.rows == [["source", "odds at", "→ T"], ["A", f"{listed}, … and 3 more", "1"]]


def test_a_head_that_attends_to_all_alike() -> None:
    page = read(HeadTables("tokens", {}, (Head({((None, "A"), "T"): Fraction(1)}, name="mean"),)))
    assert page.rows == [["source", "→ T"], ["A", "1"]]
    assert "mean (attends to all alike)" in page.text


def test_names_are_text() -> None:
    s = (None, HOSTILE)
    head = Head({(s, HOSTILE): Fraction(1)}, odds={(s, s): Fraction(2)}, name=HOSTILE)
    page = read(HeadTables("tokens", {(s, HOSTILE): Fraction(3)}, (head,)))
    assert HOSTILE in page.text
    task = Task([(HOSTILE, "Q"), ("B", "Q")], [HOSTILE, "F"], name=HOSTILE)
    made = Construction(HOSTILE, task=task, description=HOSTILE).head(HOSTILE, writes={HOSTILE: HOSTILE})
    assert HOSTILE in read(made).text
    assert HOSTILE in read(climb(task)).text
    verdict = decide(task, SkipGrams(2))
    assert HOSTILE.replace('"', '\\"') in read(verdict).text  # a token with a quotation mark is shown as a JSON string
    assert HOSTILE.replace('"', '\\"') in read(verdict.certificate).text


def test_a_construction_lists_its_problems() -> None:
    made = Construction("c", task=xor()).head("h", at="Z", writes={"C": "X"})
    page = read(made)
    assert page.rows == [["problem"], *([problem] for problem in made.problems())]
    assert len(page.rows) > 2


def test_a_refutation_shows_its_multipliers() -> None:
    page = read(decide(xor(), SkipGrams(3)))
    assert page.rows == [
        ["multiplier", "context", "above", "below"],
        ["1", "A C Q", "T", "F"],
        ["1", "A D Q", "F", "T"],
        ["1", "B C Q", "F", "T"],
        ["1", "B D Q", "T", "F"],
    ]
    assert page.text.startswith("skip-trigram (absolute) · inexpressible: 4 contexts cancel (1:1:1:1)obstruction")


def test_weights_are_shown_as_the_certificate_has_them() -> None:
    verdict = decide(xor(), SkipGrams(4))
    weights = verdict.certificate.document["proof"]["weights"]  # type: ignore[union-attr]
    rows = read(verdict).rows[1:]
    assert len(rows) == len(weights)
    for (feature, logits), entry in zip(rows, weights, strict=True):
        assert feature.endswith(entry["destination"])
        assert logits == ", ".join(f"{v.replace('-', '−')} on {y}" for y, v in sorted(entry["logits"].items()))


def test_the_ladder_of_the_post() -> None:
    page = read(climb(xor(), given=[load_construction("two_head_xor")]))
    assert [row[:2] for row in page.rows[:6]] == [
        ["model", "decides it?"],
        ["bigram (absolute)", "no"],
        ["skip-trigram (absolute)", "no"],
        ["skip-4-gram (absolute)", "yes"],
        ["attention, 1 head (joint)", "no"],
        ["attention, 2 heads (joint)", "yes"],
    ]
    assert "minimal order 4 · heads exactly 2" in page.text
    assert ["skip-trigram (absolute)", "≈ 0.693147181", "≈ 0.693147181"] in page.rows  # ln 2


@pytest.mark.parametrize(
    "change",
    [
        lambda d: d["proof"].pop("multipliers"),
        lambda d: d["proof"].update(multipliers=[{"context": 99, "pair": ["T", "F"], "multiplier": "1"}]),
        lambda d: d["proof"].update(multipliers=7),
        lambda d: d["proof"].update(multipliers=[None]),
        lambda d: d["proof"].update(multipliers=[{"context": 0, "pair": "TFG", "multiplier": "1"}]),
        lambda d: d.update(task=[]),
        lambda d: d.update(model={"class": "skip_grams", "order": "x", "positions": HOSTILE}),
        lambda d: d.update(hash=HOSTILE),
    ],
)
def test_a_malformed_certificate_is_shown_by_its_head(change: Any) -> None:
    certificate = decide(xor(), SkipGrams(3)).certificate
    assert certificate is not None
    document = {**certificate.document, "proof": dict(certificate.document["proof"])}
    change(document)
    assert "obstruction" in read(as_certificate(document)).text


def test_long_tables_are_cut() -> None:
    rows = Page(html_table(["n"], ([str(i)] for i in range(100)), most=3)).rows
    assert rows == [["n"], ["0"], ["1"], ["2"], ["… and 97 more"]]


def test_blocks_escape_title_and_note_and_keep_their_parts() -> None:
    page = Page(html_block("<i>", "<u>", [html_table(["a"], [["b"]])]))
    assert page.text == "<i> · <u>ab"
