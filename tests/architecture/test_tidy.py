"""The house rules that a machine can check: sizes, names, docstrings, declared surfaces."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCE_FOLDERS = ("schemas", "processors", "infra", "notifiers", "streams", "console")
ALL_FOLDERS = (*SOURCE_FOLDERS, "tests", "benchmarks")
FUNCTION_LINES_MAX = 70
FILE_LINES_MAX = 500
NAMELESS = {"utils", "util", "helpers", "helper", "common", "manager", "base", "misc"}


def modules(*folders: str) -> list[Path]:
    """List the Python files of some folders."""
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


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


def relative(path: Path) -> str:
    """Name a file as a reader would."""
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", modules(*ALL_FOLDERS), ids=relative)
def test_every_module_says_what_lives_there(path: Path) -> None:
    """A module opens with a docstring of at least one full sentence."""
    text = ast.get_docstring(ast.parse(path.read_text())) or ""
    assert text.partition("\n\n")[0].rstrip().endswith((".", ":", "!")), f"{relative(path)}: {text[:60]!r}"


def test_no_function_is_too_long_to_read() -> None:
    """No function is over 70 lines, docstring left out."""
    long = [
        f"{relative(path)}:{node.lineno} {node.name} has {length_without_docstring(node)} lines"
        for path in modules(*ALL_FOLDERS)
        for node in functions(ast.parse(path.read_text()))
        if length_without_docstring(node) > FUNCTION_LINES_MAX
    ]
    assert long == []


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
    bare = []
    for path in modules(*SOURCE_FOLDERS):
        tree = ast.parse(path.read_text())
        public = set(declared(tree))
        for node in tree.body:
            if (
                isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
                and node.name in public
                and ast.get_docstring(node) is None
            ):
                bare.append(f"{relative(path)}:{node.lineno} {node.name}")
    assert bare == []


def declared(tree: ast.Module) -> list[str]:
    """Read ``__all__`` of a module."""
    for node in tree.body:
        if isinstance(node, ast.Assign) and any(
            isinstance(target, ast.Name) and target.id == "__all__" for target in node.targets
        ):
            names: list[str] = ast.literal_eval(node.value)
            return names
    return []


def test_public_functions_take_their_arguments_by_name() -> None:
    """In the core, a declared function has at most two positional arguments: the rest go by name."""
    wide = []
    for path in modules("processors"):
        tree = ast.parse(path.read_text())
        public = set(declared(tree))
        for node in tree.body:
            if (
                isinstance(node, ast.FunctionDef)
                and node.name in public
                and len(node.args.args) + len(node.args.posonlyargs) > 2
            ):
                wide.append(f"{relative(path)}:{node.lineno} {node.name}")
    assert wide == []
