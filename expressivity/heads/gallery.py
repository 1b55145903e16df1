"""The gallery: constructions that travel with the package, and a user's own files, used in the same way.

A construction file is Python. It offers every module-level :class:`Construction`, under the name it is
bound to, and every function annotated ``-> Construction`` with one parameter, as ``name:argument``
(``parity:4``). It may also define ``recognise(task) -> Construction | None``, which finds the members of
its family that do a given task. Loading a file runs it, so load only what you would run.
"""

from __future__ import annotations

import inspect
import re
import sys
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import lru_cache
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

from expressivity.dsl import Construction
from expressivity.errors import InputError
from expressivity.heads.folder import folder
from expressivity.heads.from_weights import construction_from_file
from expressivity.task import Domain, Task

Result = TypeVar("Result")


@dataclass(frozen=True)
class Entry:
    """One thing that a construction file offers.

    Attributes:
        name: as it is asked for, without an argument.
        form: with the argument that a family needs: ``two_head_xor``, ``parity:K``.
        description: one line.
        path: the file.
        value: the construction, or the function that makes one.
    """

    name: str
    form: str
    description: str
    path: Path
    value: Construction | Callable[[Any], Construction]

    def make(self, argument: str | None) -> Construction:
        """The construction itself, or the member of the family for this argument.

        Raises:
            InputError: an argument too many, missing or unreadable, or the function refuses it.
        """
        if isinstance(self.value, Construction):
            if argument is not None:
                raise InputError(
                    f"{self.name}:{argument}: {self.name} is one construction; leave out {':' + argument!r}"
                )
            return self.value if self.value.description else replace(self.value, description=self.description)
        if argument is None:
            raise InputError(f"{self.name} is a family; ask for a member, {self.form}")
        given: Any = argument
        if _parameter(self.value)[1] == "int":
            if not re.fullmatch("-?[0-9]{1,9}", argument):
                raise InputError(f"{self.name}:{argument}: found {argument!r}; expected a whole number, {self.form}")
            given = int(argument)
        try:
            made = _guarded(self.path, lambda: self.value(given))  # type: ignore[operator]
        except InputError as error:
            raise InputError(f"{self.name}:{argument}: {error}") from None
        if not isinstance(made, Construction):
            raise InputError(f"{self.path}: {self.name}({argument}) is {made!r}; expected a Construction")
        return made if made.description else replace(made, description=self.description)


def entries() -> list[Entry]:
    """Everything in the gallery, by name."""
    return sorted((entry for path in _files(folder()) for entry in _offered(path)), key=lambda entry: entry.name)


def load_construction(spec: str) -> Construction:
    """A construction by its name in the gallery, or by a file's path and the name in it.

    Args:
        spec: ``two_head_xor``, ``parity:4``, ``my.py``, ``my.py:name`` or ``my.py:name:4``; or a certificate of
            separating weights, ``order-4.json``, which becomes heads by theorem T3.

    Raises:
        InputError: nothing has that name (with the closest ones), or the file cannot be run (with the line).
        Refuted: a certificate that does not hold.

    >>> load_construction("parity:2").task.name
    'parity:2'
    """
    if re.fullmatch(r"(?!\w+:).+\.json", spec):
        return construction_from_file(spec)
    own = re.fullmatch(r"(.+\.py)(?::([^:]*))?(?::(.*))?", spec, re.DOTALL)
    if own:
        path, name, argument = Path(own[1]), own[2], own[3]
        return _choose(_offered(path), name, str(path)).make(argument)
    name, colon, argument = spec.partition(":")
    return _choose(entries(), name, "the gallery").make(argument if colon else None)


def proposals_for(task: Task) -> list[Construction]:
    """The gallery's constructions that were made for this task, or for one with these contexts among others.

    Nothing is proved here: whether a construction's tables decide the task is for the trusted base to say.
    """
    found: list[Construction] = []
    for path in _files(folder()):
        module = _module(path)
        offered = [entry.value for entry in _offered(path) if isinstance(entry.value, Construction)]
        recognise = getattr(module, "recognise", None)
        if recognise is not None:
            own = _guarded(path, lambda recognise=recognise: recognise(task))  # type: ignore[misc]
            offered += [own] if isinstance(own, Construction) else []
        found += [construction for construction in offered if _covers(construction.task, task)]
    return found


def _covers(larger: Task | Domain, task: Task) -> bool:
    if larger is task:
        return True
    if isinstance(larger, Domain):
        pairs = zip(task.contexts, task.requirements, strict=True)
        return larger.outputs == task.outputs and all(
            set(larger.requirements_of(c)) == set(asked) for c, asked in pairs
        )
    known = {context: set(asked) for context, asked in zip(larger.contexts, larger.requirements, strict=True)}
    pairs = zip(task.contexts, task.requirements, strict=True)
    return larger.outputs == task.outputs and all(known.get(context) == set(asked) for context, asked in pairs)


def _choose(offered: list[Entry], name: str | None, where: str) -> Entry:
    if not offered:
        raise InputError(f"{where}: it offers no Construction and no function annotated '-> Construction'")
    if name is None:
        if len(offered) == 1:
            return offered[0]
        raise InputError(f"{where}: it offers {', '.join(e.form for e in offered)}; add ':' and one of these names")
    for entry in offered:
        if entry.name == name:
            return entry
    close = get_close_matches(name, [entry.name for entry in offered], cutoff=0.7)
    forms = [entry.form for entry in offered if entry.name in close]
    hint = f"did you mean {' or '.join(forms)}?" if forms else f"it has {', '.join(e.form for e in offered)}"
    raise InputError(f"{where} has no construction {name!r}; {hint}")


def _files(place: Path) -> list[Path]:
    return sorted(path for path in place.glob("*.py") if not path.name.startswith("_"))


def _offered(path: Path) -> list[Entry]:
    return list(_entries_of(_module(path), path))


def _entries_of(module: ModuleType, path: Path) -> Iterator[Entry]:
    for name, value in vars(module).items():
        if name.startswith("_"):
            continue
        if isinstance(value, Construction):
            yield Entry(name, name, value.description or _first_line(module), path, value)
        elif inspect.isfunction(value) and value.__module__ == module.__name__:
            parameter, kind = _parameter(value)
            returned = value.__annotations__.get("return")
            if kind is not None and returned in (Construction, "Construction"):
                yield Entry(name, f"{name}:{parameter.upper()}", _first_line(value), path, value)


def _parameter(function: Any) -> tuple[str, str | None]:
    """The name of a function's only parameter and its type, ``int`` or ``str``; ``None`` if it is no such
    function.
    """
    parameters = list(inspect.signature(function).parameters.values())
    if len(parameters) != 1:
        return "", None
    kinds: dict[Any, str] = {int: "int", "int": "int", inspect.Parameter.empty: "int", str: "str", "str": "str"}
    return parameters[0].name, kinds.get(parameters[0].annotation)


def _first_line(documented: Any) -> str:
    return (inspect.getdoc(documented) or "").partition("\n")[0]


def _module(path: Path) -> ModuleType:
    """Run a construction file; a file that has not changed is run once."""
    try:
        stamp = path.stat().st_mtime_ns
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}; expected a construction file") from None
    if path.is_dir():
        raise InputError(f"{path}: is a directory; expected a construction file")
    return _run(path.resolve(), path, stamp)


@lru_cache(maxsize=64)
def _run(resolved: Path, shown: Path, stamp: int) -> ModuleType:
    name = f"expressivity_construction_{resolved.stem}"
    spec = spec_from_file_location(name, resolved)
    if spec is None or spec.loader is None:
        raise InputError(f"{shown}: it is no Python file")
    module, loader = module_from_spec(spec), spec.loader
    sys.modules[name] = module  # dataclasses look their module up by its name
    try:
        _guarded(shown, lambda: loader.exec_module(module))
    finally:
        del sys.modules[name]
    return module


def _guarded(path: Path, action: Callable[[], Result]) -> Result:
    """Run code of a construction file; whatever it raises becomes one line that names the place."""
    try:
        return action()
    except InputError:
        raise
    except SyntaxError as error:
        place = "" if error.lineno is None else f"line {error.lineno}: "
        raise InputError(f"{path}: {place}SyntaxError: {error.msg}") from None
    except (Exception, SystemExit) as error:
        frames = traceback.extract_tb(error.__traceback__)
        lines = [frame.lineno for frame in frames if Path(frame.filename) == path.resolve()]
        where = f"line {lines[-1]}: " if lines else ""
        raise InputError(f"{path}: {where}{type(error).__name__}: {error}") from None
