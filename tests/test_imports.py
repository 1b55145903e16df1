"""What a command loads, what the trusted base rests on and how long it is, what the README may promise."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
import tokenize
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "expressivity"

HEAVY = [
    *("numpy", "scipy", "torch", "sklearn", "highspy", "flint", "cvxpy"),
    *("hypothesis", "matplotlib", "pandas", "sympy", "jaxtyping", "safetensors"),
]

TRUSTED = [PACKAGE / "errors.py", PACKAGE / "certificate.py", *sorted((PACKAGE / "verify").glob("*.py"))]
# Lines of code, see `code_lines`. Eleven kinds of argument share them; one alone rests on about half (an obstruction:
# reading, claim, features, cancellation). A third is defence against hostile files: strict reading, and an account of
# what checking may cost. The limit is the next multiple of ten above what there is; three kinds, what is fewest or
# largest, raised it from 850, contexts that stand for others from 920, blocks that two heads do not leave from 990.
READABLE_IN_ONE_SITTING = 1080


def loaded_by(statements: str) -> set[str]:
    """The modules that the statements load in a fresh interpreter, without those of its own start."""
    program = f"""
import json, os, sys
before = set(sys.modules)
out, sys.stdout = sys.stdout, open(os.devnull, "w")
try:
{"".join(f"    {line}" for line in statements.splitlines(keepends=True))}
except SystemExit as exit:
    assert not exit.code, exit.code
json.dump(sorted(set(sys.modules) - before), out)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout))


def a_certificate() -> Path:
    return min((ROOT / "proofs").rglob("*.json"), key=lambda path: path.stat().st_size)


def command(*arguments: str) -> str:
    return f"sys.argv = ['expressivity', *{arguments!r}]\nfrom expressivity.cli import main\nsys.exit(main())"


@pytest.mark.parametrize("arguments", [["--help"], ["verify", "FILE"]], ids=" ".join)
def test_light_commands_load_nothing_heavy(arguments: list[str]) -> None:
    loaded = loaded_by(command(*(str(a_certificate()) if word == "FILE" else word for word in arguments)))
    assert "expressivity.cli" in loaded
    assert not loaded & set(HEAVY)


def test_the_trusted_base_rests_on_the_standard_library_and_itself() -> None:
    loaded = loaded_by(f"import expressivity.verify\nexpressivity.verify.verify_file({str(a_certificate())!r})")
    ours = {module for module in loaded if module.partition(".")[0] == "expressivity"}
    of_the_base = {".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__") for path in TRUSTED}
    assert ours <= of_the_base | {"expressivity"}
    assert {module.partition(".")[0] for module in loaded - ours} <= sys.stdlib_module_names


def code_lines(path: Path) -> int:
    """Lines that hold code: neither blank, nor comment alone, nor docstring.

    A statement over several lines counts as often as it has lines: what is counted is what there is to read.
    """
    layout = {
        tokenize.COMMENT,
        tokenize.NL,
        tokenize.NEWLINE,
        tokenize.INDENT,
        tokenize.DEDENT,
        tokenize.ENDMARKER,
    }
    with path.open("rb") as file:
        code = {
            line
            for token in tokenize.tokenize(file.readline)
            if token.type not in layout | {tokenize.ENCODING}
            for line in range(token.start[0], token.end[0] + 1)
        }
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node) is not None:
            code -= set(range(node.body[0].lineno, (node.body[0].end_lineno or 0) + 1))
    return len(code)


def test_code_lines_are_counted_by_the_rule(tmp_path: Path) -> None:
    file = tmp_path / "example.py"
    file.write_text('"""Two\nlines."""\n\n# alone\ndef f(x):  # 1\n    """Doc."""\n    return (\n        x\n    )\n')
    assert code_lines(file) == 4


def test_the_trusted_base_can_be_read_in_one_sitting() -> None:
    lines = {str(path.relative_to(ROOT)): code_lines(path) for path in TRUSTED}
    assert sum(lines.values()) < READABLE_IN_ONE_SITTING, lines


def imported(path: Path) -> set[str]:
    """The top-level packages that a file imports anywhere in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            found.add((node.module or "").partition(".")[0])
    return found - sys.stdlib_module_names - {"expressivity"}


def test_what_the_library_imports_is_what_it_declares() -> None:
    def normal(name: str) -> str:
        return re.sub(r"[-_.]+", "-", name).lower()

    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    groups = [project["dependencies"], *project["optional-dependencies"].values()]
    declared = {normal(re.split(r"[\s;<>=!~\[]", line)[0]) for group in groups for line in group}
    by_module = packages_distributions()
    for path in PACKAGE.rglob("*.py"):
        for module in imported(path):
            assert {normal(name) for name in by_module.get(module, [module])} & declared, (path, module)


def test_the_commands_of_the_readme_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    named = set(re.findall(r"\bmake ([a-z][a-z-]*)", (ROOT / "README.md").read_text("utf-8")))
    assert {"demo", "test"} <= named <= targets
