"""The pages: examples of task files are read, refusals are the ones shown, links lead somewhere."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

from expressivity.errors import InputError
from expressivity.task import Task

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")), *sorted((ROOT / "proofs").rglob("*.md"))]


def tokens_of(page: Path) -> list[Token]:
    return MarkdownIt("commonmark").enable("table").parse(page.read_text("utf-8"))


def fences(page: Path) -> list[tuple[list[str], str]]:
    """What stands after the opening backticks, in words, and the content, for each fenced block."""
    return [(token.info.split(), token.content) for token in tokens_of(page) if token.type == "fence"]


TASK_FILES = fences(ROOT / "docs" / "task-files.md")
READ = [content for info, content in TASK_FILES if info in (["task"], ["task", "same"], ["jsonl", "same"])]
SAME = [content for info, content in TASK_FILES if info[1:] == ["same"]]
REFUSED = [
    (content, message) for (info, content), (_, message) in pairwise(TASK_FILES) if info[1:] == ["refused"]
]


def first_line(text: str) -> str:
    return text.splitlines()[0]


@pytest.mark.parametrize("text", READ, ids=first_line)
def test_an_example_is_read_and_written_back(text: str) -> None:
    task = Task.from_text(text)
    assert len(task.contexts) >= 1
    assert Task.from_text(task.to_text()) == task


def test_both_forms_are_the_same_task() -> None:
    in_json, in_text = SAME
    assert Task.from_text(in_json) == Task.from_text(in_text)


@pytest.mark.parametrize(("text", "message"), REFUSED, ids=first_line)
def test_a_refusal_reads_as_shown(text: str, message: str) -> None:
    with pytest.raises(InputError) as refusal:
        Task.from_text(text, name="example.task")
    assert str(refusal.value) == message.strip()


def test_the_page_lists_the_families_that_there_are() -> None:
    families = pytest.importorskip("expressivity.task.families").FAMILIES
    page = (ROOT / "docs" / "task-files.md").read_text("utf-8").split("## Families")[1].split("## ")[0]
    assert re.findall(r"^\| `([^`]+)` \|", page, re.MULTILINE) == [
        family.syntax for family in families.values()
    ]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_within_the_repository_lead_somewhere(page: Path) -> None:
    inline = [child for token in tokens_of(page) for child in token.children or []]
    for target in [str(token.attrs["href"]) for token in inline if token.type == "link_open"]:
        path, _, _ = target.partition("#")
        if path and ":" not in path:
            assert (page.parent / path).exists(), target


@pytest.mark.parametrize("page", sorted((ROOT / "proofs").glob("T*.md")), ids=lambda page: page.stem)
def test_a_theorem_names_the_test_that_attacks_it(page: Path) -> None:
    attackers = re.findall(r"`(tests/[a-z0-9_/]+\.py)`", page.read_text("utf-8").split("## Attacked by")[1])
    assert attackers
    assert all((ROOT / attacker).exists() for attacker in attackers)
