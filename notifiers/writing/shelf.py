"""Where templates come from: a few folders, the first that has a name gives it; nothing outside of them, nothing huge."""

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from jinja2 import BaseLoader, Environment, TemplateNotFound, TemplateSyntaxError

from notifiers.writing.inlining import InliningError, inlined

__all__ = ["TEMPLATE_BYTES_MAX", "Shelf", "found_in"]

TEMPLATE_BYTES_MAX: Final = 65_536
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}(/[A-Za-z0-9][A-Za-z0-9._-]{0,99}){0,3}")


def found_in(folders: Sequence[Path], name: str) -> Path | None:
    """Give the first file of that name, None where there is none; a link that leads out of its folder is none."""
    if not _NAME.fullmatch(name):
        return None
    for folder in folders:
        path = folder / name
        if path.is_file() and path.resolve().is_relative_to(folder.resolve()):
            return path
    return None


class Shelf(BaseLoader):
    """Loads templates for Jinja2.

    Args:
        folders: as `found_in` asks them.
        inline: the styles of ``.html`` ones are put inline as they are read.
        own: how many of the folders are a company's.
    """

    def __init__(self, folders: Sequence[Path], *, inline: bool, own: int = 0) -> None:
        self._folders = tuple(folders)
        self._own = own
        self._inline = inline

    def get_source(self, environment: Environment, template: str) -> tuple[str, str, Callable[[], bool]]:  # noqa: ARG002
        """Read a template, as Jinja2 asks.

        Raises:
            TemplateNotFound: there is none of that name.
            TemplateSyntaxError: it is too large, or no text.
        """
        path = found_in(self._folders, template)
        if path is None:
            raise TemplateNotFound(template)
        mark = _mark(path)
        with path.open("rb") as file:
            content = file.read(TEMPLATE_BYTES_MAX + 1)
        if len(content) > TEMPLATE_BYTES_MAX:
            raise TemplateSyntaxError(f"is larger than {TEMPLATE_BYTES_MAX:,} bytes", 1, template)
        try:
            source = content.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = content.count(b"\n", 0, error.start) + 1
            raise TemplateSyntaxError("is not UTF-8", line, template) from error
        if self._inline and template.endswith(".html"):
            is_own = any(path.is_relative_to(folder) for folder in self._folders[: self._own])
            try:
                source = inlined(source, is_own=is_own)
            except InliningError as error:
                raise TemplateSyntaxError(str(error), error.line, template) from error

        def current() -> bool:
            return found_in(self._folders, template) == path and _mark(path) == mark

        return source, str(path), current


def _mark(path: Path) -> tuple[int, int]:
    """Tell a file's state; one that has just gone has another."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return -1, -1
    return found.st_mtime_ns, found.st_size
