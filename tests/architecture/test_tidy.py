"""The house rules that a machine can check: sizes, names, docstrings, declared surfaces."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCE_FOLDERS = ("schemas", "processors", "infra", "notifiers", "streams", "console")
ALL_FOLDERS = (*SOURCE_FOLDERS, "tests", "benchmarks")
FUNCTION_LINES_MAX = 70
FILE_LINES_MAX = 500
NAMELESS = {"utils", "util", "helpers", "helper", "common", "manager", "base", "misc"}


class Module(NamedTuple):
    """What the rules ask of a module, each as it would be told: syntax trees of all modules would fill the memory."""

    name: str
    opening: str
    long: list[str]
    bare: list[str]
    wide: list[str]

    def is_of(self, *folders: str) -> bool:
        """Say whether it lives in one of these folders."""
        return self.name.partition("/")[0] in folders


def modules(*folders: str) -> list[Path]:
    """List the Python files of some folders."""
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


@cache
def every_module() -> list[Module]:
    """Read all modules; to parse them for each rule anew would take a quarter of a minute each time."""
    return [read_module(path) for path in modules(*ALL_FOLDERS)]


def read_module(path: Path) -> Module:
    """Read a module."""
    tree, name = ast.parse(path.read_text()), relative(path)
    public = set(declared(tree))
    return Module(
        name=name,
        opening=(ast.get_docstring(tree) or "").partition("\n\n")[0].rstrip(),
        long=[
            f"{name}:{node.lineno} {node.name} has {length_without_docstring(node)} lines"
            for node in functions(tree)
            if length_without_docstring(node) > FUNCTION_LINES_MAX
        ],
        bare=[
            f"{name}:{node.lineno} {node.name}"
            for node in tree.body
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
            and node.name in public
            and ast.get_docstring(node) is None
        ],
        wide=[
            f"{name}:{node.lineno} {node.name}"
            for node in tree.body
            if isinstance(node, ast.FunctionDef)
            and node.name in public
            and len(node.args.args) + len(node.args.posonlyargs) > 2
        ],
    )


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Walk the functions and methods of a module."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def length_without_docstring(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Count a function's lines, its docstring left out."""
    lines = (node.end_lineno or node.lineno) - node.lineno + 1
    first = node.body[0]
    if ast.get_docstring(node) is not None:
        lines -= (first.end_lineno or first.lineno) - first.lineno + 1
    return lines


def declared(tree: ast.Module) -> list[str]:
    """Read ``__all__`` of a module."""
    for node in tree.body:
        if isinstance(node, ast.Assign) and any(
            isinstance(target, ast.Name) and target.id == "__all__" for target in node.targets
        ):
            names: list[str] = ast.literal_eval(node.value)
            return names
    return []


def relative(path: Path) -> str:
    """Name a file as a reader would."""
    return path.relative_to(ROOT).as_posix()


def test_every_module_says_what_lives_there() -> None:
    """A module opens with a docstring of at least one full sentence."""
    silent = [
        f"{each.name}: {each.opening[:60]!r}"
        for each in every_module()
        if not each.opening.endswith((".", ":", "!"))
    ]
    assert silent == []


def test_no_function_is_too_long_to_read() -> None:
    """No function is over 70 lines, docstring left out."""
    assert [said for each in every_module() for said in each.long] == []


def test_no_file_is_too_long_to_read() -> None:
    """No file is over 500 lines."""
    long = [
        f"{relative(path)} has {lines} lines"
        for path in modules(*ALL_FOLDERS)
        if (lines := len(path.read_text().splitlines())) > FILE_LINES_MAX
    ]
    assert long == []


def test_every_module_has_a_name() -> None:
    """A module named utils, helpers or base has no home: name the thing."""
    assert [relative(path) for path in modules(*ALL_FOLDERS) if path.stem in NAMELESS] == []


def test_public_functions_and_classes_are_documented() -> None:
    """What a module declares in ``__all__`` has a docstring."""
    assert [said for each in every_module() if each.is_of(*SOURCE_FOLDERS) for said in each.bare] == []


def test_public_functions_take_their_arguments_by_name() -> None:
    """In the core, a declared function has at most two positional arguments: the rest go by name."""
    assert [said for each in every_module() if each.is_of("processors") for said in each.wide] == []


def test_what_breaks_the_rules_would_be_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The rules are not blind: a module with one of each is told of each."""
    monkeypatch.setattr(f"{__name__}.ROOT", tmp_path)
    path = tmp_path / "wrong.py"
    body = "\n".join(["    pass"] * FUNCTION_LINES_MAX)
    path.write_text(f'"""no sentence"""\n__all__ = ["f"]\ndef f(a, b, c):\n{body}\n')
    found = read_module(path)
    assert (False, 1, 1, 1) == (found.opening.endswith("."), *map(len, (found.long, found.bare, found.wide)))
