"""A story that stands in a test's own text, played on the core."""

from pathlib import Path
from tempfile import TemporaryDirectory

from tests.scenarios.language import read_script
from tests.scenarios.on_core import Stage, run

__all__ = ["played"]


def played(story: str) -> Stage:
    """Play a story, and give what it leaves."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "story.txt"
        path.write_text(story, encoding="utf-8")
        stage = Stage()
        run(read_script(path), stage=stage)
    return stage
