"""The programs of docs/weights.md run as they stand, in a folder with an exported model."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from expressivity.attention import save_model
from expressivity.heads.gallery import load_construction

PAGE = Path(__file__).parents[3] / "docs" / "weights.md"
FENCES = [token for token in MarkdownIt("commonmark").parse(PAGE.read_text("utf-8")) if token.type == "fence"]


def output(kind: str, tmp_path: Path) -> str:
    """What the page's programs of one kind print, run after each other."""
    programs = [token.content for token in FENCES if token.info.split() == ["python", kind]]
    assert programs
    save_model(load_construction("two_head_xor").to_model(), tmp_path / "exported")
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(programs)], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_with_torch_alone(tmp_path: Path) -> None:
    assert output("torch", tmp_path) == "{'F': 0.0, 'T': 1.0}\n"
    (program,) = [token.content for token in FENCES if token.info.split() == ["python", "torch"]]
    assert len(program.splitlines()) == 10
    assert "expressivity" not in program


@pytest.mark.lens
def test_with_transformer_lens(tmp_path: Path) -> None:
    pytest.importorskip("transformer_lens", reason="the extra `lens` is not installed")
    patterns, same = output("lens", tmp_path).strip().rsplit("\n", 1)
    assert "[0., 1., 0.]" in patterns  # head 0 attends to C, the second token
    assert "[1., 0., 0.]" in patterns
    assert same == "True"
