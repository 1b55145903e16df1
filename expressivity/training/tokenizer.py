"""Byte pair encoding, learnt from the text at hand by the library ``tokenizers`` (the extra ``text``).

Nothing is downloaded: that library's own loader of published tokenizers is never called.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from expressivity.errors import InputError
from expressivity.writing import write_bytes

START = "<|start|>"
"""The token, number 0, that begins every document."""
VOCABULARY = 2048
LEAST = 257
"""The token that begins a document, and every byte."""


class BytePairs:
    """A tokenizer: text to token numbers and back, without loss.

    Attributes:
        vocabulary: the text of every token. One that is part of a character has its bytes in its place, as
            ``<0xe2 0x80>``.
    """

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        names = [inner.id_to_token(k) for k in range(inner.get_vocab_size())]
        self.vocabulary: tuple[str, ...] = (START, *map(_text_of, names[1:]))
        if names[0] != START or len(set(self.vocabulary)) < len(names):
            raise InputError(f"the tokenizer has other tokens than expected: number 0 {START}, and all distinct")

    def encode(self, text: str) -> list[int]:
        """The token numbers of a text. What looks like a special token in it is text like any other."""
        return list(self._inner.encode(text, add_special_tokens=False).ids)

    def encode_all(self, texts: Sequence[str]) -> list[list[int]]:
        """Those of many texts, on every core."""
        return [list(found.ids) for found in self._inner.encode_batch(list(texts), add_special_tokens=False)]

    def decode(self, numbers: Iterable[int]) -> str:
        """The text of token numbers."""
        return str(self._inner.decode([int(k) for k in numbers], skip_special_tokens=True))

    def to_json(self) -> str:
        """As the library ``tokenizers`` writes it."""
        return str(self._inner.to_str(pretty=False))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write it into a file, whole or not at all."""
        write_bytes(self.to_json().encode() + b"\n", path)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> BytePairs:
        """Read what :meth:`save` wrote.

        Raises:
            InputError: no such file, something else in it, or the extra ``text`` is missing.
        """
        library = _library()
        try:
            text = Path(path).read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"{path}: {error}; expected a tokenizer") from None
        try:
            inner = library.Tokenizer.from_str(text)
        except Exception as error:  # the library raises nothing narrower
            raise InputError(f"{path}: is no tokenizer: {str(error)[:120]}") from None
        return cls(inner)


def learn(texts: Iterable[str], size: int = VOCABULARY) -> BytePairs:
    """The tokenizer with so many tokens that merges the pairs of these texts, the most frequent first.

    Any text can be written with it: every byte is a token. The same texts give the same tokenizer.

    Raises:
        InputError: a size out of range, texts with too few pairs to merge, or the extra ``text`` is missing.

    >>> pairs = learn(["the cat and the hat"] * 3, 264)
    >>> [pairs.vocabulary[k] for k in pairs.encode("the hat")], pairs.decode(pairs.encode("a naïve ‘cat’"))
    (['the', ' ', 'hat'], 'a naïve ‘cat’')
    """
    if not LEAST <= size <= 1 << 20:
        raise InputError(f"the vocabulary is {size}; expected {LEAST} (every byte and a start) to {1 << 20}")
    library = _library()
    inner = library.Tokenizer(library.models.BPE())
    inner.pre_tokenizer = library.pre_tokenizers.ByteLevel(add_prefix_space=False)
    inner.decoder = library.decoders.ByteLevel()
    inner.encode_special_tokens = True
    trainer = library.trainers.BpeTrainer(
        vocab_size=size,
        special_tokens=[START],
        initial_alphabet=library.pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    inner.train_from_iterator(list(texts), trainer)
    found = inner.get_vocab_size()
    if found != size:
        raise InputError(f"the text has pairs for a vocabulary of {found} only; ask for that, or give more text")
    return BytePairs(inner)


def _library() -> Any:
    try:
        import tokenizers
        import tokenizers.decoders
        import tokenizers.models
        import tokenizers.pre_tokenizers
        import tokenizers.trainers
    except ImportError:
        raise InputError("text needs the library tokenizers: pip install 'expressivity[text]'") from None
    return tokenizers


def _letters() -> dict[str, int]:
    """The character that stands for each byte in that library: printable ones for themselves, then 256, 257, …"""
    shown = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    hidden = [byte for byte in range(256) if byte not in shown]
    return {chr(b): b for b in shown} | {chr(256 + k): b for k, b in enumerate(hidden)}


_BYTES = _letters()


def _text_of(name: str) -> str:
    data = bytes(_BYTES[letter] for letter in name)
    try:
        return data.decode()
    except UnicodeDecodeError:
        return f"<{data.hex(' ')}>".replace("<", "<0x").replace(" ", " 0x")
