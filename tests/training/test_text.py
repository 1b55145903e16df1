"""Text that is trained on: what is in it and what is not, where it is cut, and that token numbers are the text."""

from __future__ import annotations

import ast
import builtins
import sysconfig
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import expressivity.training.text as text_module
from expressivity.errors import InputError
from expressivity.training.corpus import KINDS, Text, is_held_out, library_texts, parted
from expressivity.training.text import read_corpus
from expressivity.training.tokenizer import START, BytePairs, learn

pytest.importorskip("tokenizers")


@pytest.fixture(scope="module")
def pairs() -> BytePairs:
    return learn([text.text for text in library_texts()[:60]], 400)


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> tuple[Text, ...]:
    """The library cut down to some documents, which takes seconds less to write in tokens."""
    texts = library_texts()[:250]
    monkeypatch.setattr(text_module, "library_texts", lambda: texts)
    return texts


def test_the_library_is_there_without_tests_and_without_other_peoples_packages() -> None:
    texts = library_texts()
    names = {text.name for text in texts}
    assert {"argparse.py", "json/decoder.py", "asyncio/base_events.py"} <= names
    assert not any({"test", "tests", "site-packages"} & set(Path(name).parts) for name in names)
    # A tenth of some 600 modules: 60, give or take four standard deviations of 7.
    assert abs(sum(map(is_held_out, names)) - len(names) / 10) < 4 * (len(names) * 0.09) ** 0.5
    assert all(text.held_out is is_held_out(text.name) for text in texts)


def test_code_and_prose_are_apart() -> None:
    texts = {(text.name, text.kind): text.text for text in library_texts()}
    source = Path(sysconfig.get_path("stdlib"), "argparse.py").read_text("utf-8")
    said = ast.get_docstring(ast.parse(source))
    assert said
    assert texts["argparse.py", "prose"].startswith(said)
    assert said.splitlines()[0] not in texts["argparse.py", "code"]
    assert "class ArgumentParser(" in texts["argparse.py", "code"]
    for name in ("argparse.py", "textwrap.py", "heapq.py"):  # what is left of these is Python still
        ast.parse(texts[name, "code"])


def test_a_docstring_beside_its_def_stays_in_the_code_too() -> None:
    assert parted('def f(): "Short."\n') == ('def f(): "Short."\n', "Short.\n")


@given(st.text())
def test_token_numbers_are_the_text(pairs: BytePairs, text: str) -> None:
    assert pairs.decode(pairs.encode(text)) == text
    assert 0 not in pairs.encode(text)  # the start is no text, even where its name is


def test_the_name_of_the_start_is_text_in_text(pairs: BytePairs) -> None:
    assert pairs.decode(pairs.encode(START)) == START
    assert 0 not in pairs.encode(START)


def test_a_tokenizer_is_the_same_again_and_from_its_file(pairs: BytePairs, tmp_path: Path) -> None:
    again = learn([text.text for text in library_texts()[:60]], 400)
    assert again.to_json() == pairs.to_json()
    pairs.save(tmp_path / "tokenizer.json")
    loaded = BytePairs.load(tmp_path / "tokenizer.json")
    assert loaded.to_json() == pairs.to_json()
    assert loaded.vocabulary == pairs.vocabulary
    assert len(set(pairs.vocabulary)) == 400


@pytest.mark.usefixtures("few")
def test_a_mixture_is_half_and_half_in_tokens(pairs: BytePairs) -> None:
    code, prose, mixture = (read_corpus(name, tokenizer=pairs) for name in (*KINDS, "mixture"))
    longest = max(map(len, _documents(code.train)))
    assert abs(len(mixture.train) - 2 * min(len(code.train), len(prose.train))) < longest
    documents = set(_documents(prose.train))
    share = sum(len(d) for d in _documents(mixture.train) if d in documents) / len(mixture.train)
    assert abs(share - 0.5) <= longest / len(mixture.train)
    assert mixture.fingerprint == read_corpus("mixture", tokenizer=pairs).fingerprint != code.fingerprint


def _documents(numbers: np.ndarray) -> list[tuple[int, ...]]:
    return [tuple(part[1:].tolist()) for part in np.split(numbers, np.flatnonzero(numbers == 0)[1:])]


def test_held_out_modules_are_not_trained_on(pairs: BytePairs, few: tuple[Text, ...]) -> None:
    code = read_corpus("code", tokenizer=pairs)
    held = [text.text for text in few if text.kind == "code" and text.held_out]
    assert [pairs.decode(d) for d in _documents(code.held_out)] == held
    assert held
    assert not set(held) & {pairs.decode(d) for d in _documents(code.train)}


def test_the_last_tenth_of_a_file_is_held_out(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    file.write_text("abcdefghij" * 10, "utf-8")
    corpus = read_corpus(file, vocabulary=257)
    assert corpus.tokenizer is not None
    assert corpus.tokenizer.decode(corpus.train[1:]) == "abcdefghij" * 9
    assert corpus.tokenizer.decode(corpus.held_out[1:]) == "abcdefghij"
    both = read_corpus([file, file], vocabulary=257)
    assert len(both.train) == 2 * len(corpus.train)


def test_an_array_of_token_numbers(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.arange(20).reshape(2, 10))
    corpus = read_corpus(tmp_path / "a.npy")
    assert corpus.train.tolist() == list(range(18))
    assert corpus.held_out.tolist() == [18, 19]
    assert corpus.vocabulary == tuple(map(str, range(20)))
    assert corpus.windows(4, 2, train=True).tolist() == [[0, 1, 2, 3], [8, 9, 10, 11]]


def test_code_and_prose_are_all_there_is(pairs: BytePairs) -> None:
    code, prose, both = (read_corpus(name, tokenizer=pairs) for name in ("code", "prose", ("code", "prose")))
    assert both.name == "code, prose"
    assert read_corpus(("prose", "code"), tokenizer=pairs).fingerprint == both.fingerprint
    for part in ("train", "held_out"):
        expected = np.concatenate([getattr(code, part), getattr(prose, part)])
        np.testing.assert_array_equal(getattr(both, part), expected)


@pytest.mark.parametrize("names", [("code", "mixture"), ("prose", "prose"), ("code", "file.txt")])
def test_texts_that_do_not_go_together_are_refused(names: tuple[str, ...]) -> None:
    with pytest.raises(InputError, match="expected one of code, prose, mixture, both code and prose, or files"):
        read_corpus(names)


def test_what_is_no_text_is_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "float.npy", np.ones(3))
    np.save(tmp_path / "object.npy", np.array([{}, {}], dtype=object), allow_pickle=True)
    np.save(tmp_path / "below.npy", np.array([-1, 1]))
    (tmp_path / "bytes.txt").write_bytes(b"ok \xff")
    (tmp_path / "empty.txt").write_bytes(b" \n")
    for name, message in [
        ("float.npy", "holds float64 of shape [3]; expected whole numbers"),
        ("object.npy", "expected a NumPy array of token numbers"),
        ("below.npy", "holds -1; expected token numbers from 0"),
        ("bytes.txt", "byte 3 is not UTF-8"),
        ("empty.txt", "is empty"),
        ("none", "expected code, prose, mixture, a text file or a NumPy array"),
    ]:
        with pytest.raises(InputError) as refusal:
            read_corpus(tmp_path / name)
        assert message in str(refusal.value)


def test_a_vocabulary_the_text_cannot_fill_is_refused() -> None:
    with pytest.raises(InputError, match="pairs for a vocabulary of 257 only"):
        learn(["a"], 300)
    with pytest.raises(InputError, match="expected 257"):
        learn(["a"], 200)


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def refuse(name: str, *arguments: object, **more: object) -> object:
        if name.partition(".")[0] == "tokenizers":
            raise ImportError(name)
        return real(name, *arguments, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(InputError, match=r"pip install 'expressivity\[text\]'"):
        learn(["some text"])
