"""A search written down after every round, so that it can be taken up again. JSON, written whole or not at all.

Rounds are drawn from the seed and their number alone, so a checkpoint holds no state of any generator: how many rounds
there were, what they came to, and the tables found, which are proved again when they are read.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from expressivity.attention import Attention
from expressivity.certificate import canonical
from expressivity.errors import InputError
from expressivity.heads.search.report import Round
from expressivity.task import Task
from expressivity.writing import write_bytes

FORMAT = "expressivity-head-search"
VERSION = 1
STAGES = ("random", "programs", "gradient", "narrow")
Found = dict[int, dict[str, Any]]
"""The proof objects of the tables found, by the number of the task."""


class Checkpoint:
    """A file that holds several searches, each under the hash of its question.

    Raises:
        InputError: the file is there and is no checkpoint, or cannot be written.
    """

    def __init__(self, path: str | Path | None) -> None:
        self.path = None if path is None else Path(path)
        self.searches: dict[str, Any] = {}
        if self.path is None:
            return
        if self.path.exists():
            self.searches = _read(self.path)
        else:
            self._write()  # where that is impossible it is said before the work

    def rounds(self, question: str) -> tuple[list[Round], Found]:
        """What is known of a search: its rounds, and the tables found."""
        known = self.searches.get(question)
        if known is None:
            return [], {}
        rounds = [Round(**each) for each in known["rounds"]]
        return rounds, {int(k): proof for k, proof in known["found"].items()}

    def record(self, question: str, rounds: Sequence[Round], found: Mapping[int, Mapping[str, Any]]) -> None:
        """Write the state of a search."""
        if self.path is None:
            return
        self.searches[question] = {
            "rounds": [asdict(each) for each in rounds],
            "found": {str(k): dict(proof) for k, proof in sorted(found.items())},
        }
        self._write()

    def _write(self) -> None:
        document = {"format": FORMAT, "version": VERSION, "searches": self.searches}
        write_bytes(json.dumps(document, ensure_ascii=False, indent=1).encode() + b"\n", self.path or "")


def question_of(tasks: Sequence[Task], model: Attention, seed: int) -> str:
    """The hash of what is searched for: the tasks, the class of models, the seed.

    >>> from expressivity.task import parity, xor
    >>> question_of([xor()], Attention(heads=2), 0) == question_of([parity(2)], Attention(heads=2), 0)
    False
    """
    stated = {"tasks": [task.to_json() for task in tasks], "model": model.to_json(), "seed": seed}
    return hashlib.sha256(canonical(stated)).hexdigest()


def _read(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(path.read_bytes())
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}; expected a checkpoint of a search") from None
    except (ValueError, RecursionError) as error:
        shown = str(error).splitlines()[0][:80]
        raise InputError(f"{path}: it is no checkpoint of a search: not JSON ({shown})") from None
    problem = _problem(document)
    if problem:
        raise InputError(f"{path}: it is no checkpoint of a search: {problem}")
    return dict(document["searches"])


def _problem(document: Any) -> str:
    """What is wrong with a document; empty if nothing is."""
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        return f"expected an object with the format {FORMAT!r}"
    if document.get("version") != VERSION:
        return f"version {document.get('version')!r}, expected {VERSION}"
    searches = document.get("searches")
    if not isinstance(searches, dict):
        return "expected an object 'searches'"
    for search in searches.values():
        if not isinstance(search, dict) or not isinstance(search.get("rounds"), list):
            return "a search without its list of rounds"
        found = search.get("found")
        if not isinstance(found, dict) or not all(k.isdecimal() and isinstance(v, dict) for k, v in found.items()):
            return "a search without its object of tables found"
        for each in search["rounds"]:
            if not isinstance(each, dict) or each.keys() != {"stage", "starts", "best", "seconds"}:
                return "a round with other entries than stage, starts, best and seconds"
            if each["stage"] not in STAGES or not _is_number(each["seconds"]):
                return f"a round of the stage {str(each['stage'])[:40]!r}"
            if type(each["starts"]) is not int or each["starts"] < 0:
                return "a number of starts that is none"
            if each["best"] is not None and not _is_number(each["best"]):
                return "a margin that is no number"
    return ""


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value == value
