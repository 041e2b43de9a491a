"""One mutant in a process of its own, forked from one that has read all stories: who notices it.

First the stories that reach the changed line, as they are told; then some of them with the account rebuilt from its rows
after each record; then the module's own tests. A process that takes too long has noticed it, too.
"""

import ast
import contextlib
import importlib
import inspect
import io
import os
import signal
import sys
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType, ModuleType
from typing import Any

import pytest

from tests.mutation.changes import Mutant, changed
from tests.mutation.grafting import graft
from tests.scenarios.language import read_script
from tests.scenarios.on_core import run
from tests.scenarios.script import Script

__all__ = ["NOTICED_BY", "Stories", "Trial", "own_tests", "read_stories"]

_ROOT = Path(__file__).resolve().parents[2]
_FROM_ROWS_MAX = 25
_SURVIVED = 0
_STORIES = 3
_ROWS = 4
_TESTS = 5
NOTICED_BY = {
    _SURVIVED: "nobody",
    _STORIES: "stories",
    _ROWS: "stories from rows",
    _TESTS: "tests",
    -signal.SIGALRM: "time",
}

Stories = dict[str, Script]


def read_stories(pattern: str = "*") -> Stories:
    """Read the stories of ``tests/scenarios``, by name."""
    paths = sorted((_ROOT / "tests" / "scenarios").glob(f"{pattern}.txt"))
    return {path.stem: read_script(path) for path in paths}


def own_tests(module: str) -> list[Path]:
    """List the test files of the core that import a module, or have its name."""
    paths = sorted((_ROOT / "tests" / "processors").rglob("test_*.py"))
    own = f"test_{module.rpartition('.')[2]}"
    return [path for path in paths if path.stem == own or module in _imported(ast.parse(path.read_text()))]


@dataclass(frozen=True, slots=True)
class Trial:
    """A module, and what is to notice a change of it.

    ``reached`` gives the stories that come to a line; ``seconds_max`` is how long one mutant may take.
    """

    module: ModuleType
    tree: ast.Module
    stories: Stories
    tests: Sequence[Path]
    reached: dict[int, list[str]]
    seconds_max: int

    @classmethod
    def prepare(
        cls, name: str, *, stories: Stories, tests: Sequence[Path], seconds_max: int = 120
    ) -> "Trial":
        """Read a module, play all stories as it is, and note which lines each comes to.

        Raises:
            AssertionError: a story goes wrong with the module as it is.
        """
        module = importlib.import_module(name)
        tree = ast.parse(inspect.getsource(module))
        reached: dict[int, list[str]] = {}
        for story, lines in _reading_lines(str(module.__file__), stories):
            for line in lines:
                reached.setdefault(line, []).append(story)
        return cls(module, tree, stories, tests, reached, seconds_max)

    def ask(self, mutant: Mutant) -> int:
        """Give who notices a mutant: a key of ``NOTICED_BY``."""
        return _in_a_process(lambda: self._judge(mutant), seconds_max=self.seconds_max)

    def check(self) -> None:
        """Run the tests with the module as it is.

        Raises:
            AssertionError: they fail, and would notice whatever is changed.
        """
        said = _in_a_process(lambda: self._notice([]), seconds_max=self.seconds_max)
        assert said == _SURVIVED, f"the tests of {self.module.__name__} fail as it is"

    def _judge(self, mutant: Mutant) -> int:
        try:
            graft(self.module, changed(self.tree, mutant))
        except Exception:  # noqa: BLE001 - a module that cannot be loaded is noticed by each
            return _STORIES
        return self._notice(self._stories_at(mutant))

    def _notice(self, names: Sequence[str]) -> int:
        if not all(_holds(self.stories[name]) for name in names):
            return _STORIES
        some = names[
            :: 1 + len(names) // _FROM_ROWS_MAX
        ]  # what is not in the rows shows in few, and each takes its time
        if not all(_holds(self.stories[name], restores=True) for name in some):
            return _ROWS
        if self.tests and pytest.main(["-x", "-p", "no:cacheprovider", *map(str, self.tests)]) not in (0, 5):
            return _TESTS
        return _SURVIVED

    def _stories_at(self, mutant: Mutant) -> list[str]:
        """List the stories that come to the change; all, where it is made when the module is loaded."""
        inside = [
            node
            for node in ast.walk(self.tree)
            if isinstance(node, ast.FunctionDef) and node.lineno < mutant.line <= (node.end_lineno or 0)
        ]
        if not inside:
            return list(self.stories)
        # A statement over several lines is reached where it begins.
        begun = [
            node.lineno
            for node in ast.walk(self.tree)
            if isinstance(node, ast.stmt) and node.lineno <= mutant.line <= (node.end_lineno or 0)
        ]
        return sorted({story for line in {mutant.line, max(begun)} for story in self.reached.get(line, ())})


def _imported(tree: ast.Module) -> set[str]:
    """Name what a file imports: modules, and what it takes of them."""
    froms = [node for node in tree.body if isinstance(node, ast.ImportFrom)]
    return {str(node.module) for node in froms} | {
        f"{node.module}.{each.name}" for node in froms for each in node.names
    }


def _holds(story: Script, *, restores: bool = False) -> bool:
    try:
        run(story, restores=restores)
    except Exception:  # noqa: BLE001 - whatever a wrong core raises, it is noticed
        return False
    return True


def _reading_lines(file: str, stories: Stories) -> Iterable[tuple[str, set[int]]]:
    """Play each story, and give the lines of a file that it came to."""
    for name, script in stories.items():
        lines: set[int] = set()

        def note(frame: FrameType, _event: str, _arg: object, lines: set[int] = lines) -> Any:
            lines.add(frame.f_lineno)
            return note

        def enter(frame: FrameType, _event: str, _arg: object) -> Any:
            return note if frame.f_code.co_filename == file else None

        before = sys.gettrace()
        sys.settrace(enter)
        try:
            run(script)
        finally:
            sys.settrace(before)
        yield name, lines


def _in_a_process(judge: Callable[[], int], *, seconds_max: int) -> int:
    """Give what a forked process says, or minus the signal that ended it."""
    child = os.fork()
    if child == 0:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(seconds_max)
        with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
            os.environ["HYPOTHESIS_STORAGE_DIRECTORY"] = folder
            said = judge()
        os._exit(said)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)
