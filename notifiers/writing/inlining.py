"""Styles of an HTML layout put where they apply, once, before it is filled in: a mail then costs its words only.

Mail programs drop style sheets, so each element needs its own ``style``.
Places to fill in are set aside as comments (in text) or as words (in
attributes), which no HTML parser moves, and put back afterwards.

A parser of HTML and CSS can be hurt by what it is given: a page nested deep
enough takes the whole process down. So a company's own layout is counted, and
goes through a process of its own (``styling``), which has so much processor time
and memory, and no files. What it must not lead to is refused here.
"""

import re
import subprocess
import sys
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Final

from msgspec import Struct

from notifiers.writing import styling

__all__ = ["InliningError", "inlined"]

_OPENS: Final = re.compile(r"\{[{%#]")
_CLOSES: Final = {"{{": "}}", "{%": "%}", "{#": "#}"}
_KEPT: Final = re.compile(r"<!--place-(\d{1,6})-->|place-(\d{1,6})-here")
_RAW: Final = re.compile(r"<(/?)(?:title|style)\b", re.IGNORECASE)
_INLINER: Final = styling.inliner()

# Each bounded, so that a page of nothing but beginnings costs no more than others.
_ELEMENT: Final = re.compile(
    r"<(script|link|i?frame|frameset|object|embed|applet|base)\b|<meta\b[^>]{0,200}?\bhttp-equiv=[\"']?refresh",
    re.IGNORECASE,
)
_ADDRESS: Final = re.compile(
    r"[\s\"'/](src|srcset|href|xlink:href|background|poster|data|action|formaction)\s{0,9}=\s{0,9}[\"']?\s{0,9}"
    r"(?!https?:|cid:|mailto:|tel:|sms:|#|[\"']|\{[{%#])([^\s\"'>]{1,60})",
    re.IGNORECASE,
)
_STYLE_ADDRESS: Final = re.compile(
    r"@import\b|\burl\(\s{0,9}(?:&quot;|[\"'])?\s{0,9}(?!https:|cid:|\{[{%#])[^)\s]{0,60}",
    re.IGNORECASE,
)

# A last resort beside the limit of processor time: for a machine that has come to a stand.
_WAIT_S: Final = 60.0
_KEPT_PAGES: Final = 64
# Each element may get all that style sheets say. The shipped layout has 1,000,000.
_STYLED_MAX: Final = 20_000_000
_CANNOT: Final = "styles cannot be put inline: {{ }} and {% %} stand in texts and in quoted attributes"
_TOO_MUCH: Final = (
    "its styles cannot be put inline within what a page may take "
    f"({styling.PAGE_MAX:,} characters of result, a few seconds, a few hundred megabytes): "
    "fewer elements, rules and levels"
)


class InliningError(ValueError):
    """A layout's styles cannot be put inline; ``line`` is where, 1 where it is the page as a whole."""

    def __init__(self, message: str, *, line: int = 1) -> None:
        super().__init__(message)
        self.line = line


class _Refusal(Struct, frozen=True):
    """Why the other process gave no page: kept as a page is, since each message would ask again."""

    detail: str


def inlined(source: str, *, is_own: bool = False) -> str:
    """Give a layout with the rules of its style sheets on the elements themselves.

    A ``<style data-css-inline="keep">`` stays, its rules in at-rules untouched: for what only a
    style sheet can say (dark screens, narrow ones).

    Args:
        source: a template.
        is_own: a company wrote it.

    Raises:
        InliningError: places to fill in are never closed, or stand where they would be lost; a
            company's own runs or loads something, or takes too much.
        OSError: the other process cannot be started, or does not come to an end.
    """
    marked, places = _set_aside(source)
    if is_own:
        _check_size(source)
        _check_references(source)
        styled = _styled_apart(marked)
        if isinstance(styled, _Refusal):
            raise InliningError(styled.detail)
    else:
        styled = _INLINER.inline(marked)
    if [int(each[1] or each[2]) for each in _KEPT.finditer(styled)] != list(range(len(places))):
        raise InliningError(_CANNOT)
    return _KEPT.sub(lambda each: places[int(each[1] or each[2])], styled)


def _set_aside(source: str) -> tuple[str, list[str]]:
    """Put marks in the place of what is filled in; give what they stand for."""
    places: list[str] = []
    pieces: list[str] = []
    in_tag = in_raw = False
    end = 0
    for start, close in _places(source):
        before = source[end:start]
        if "<" in before or ">" in before:
            in_tag = before.rfind("<") > before.rfind(">")
        for tag in _RAW.finditer(before):
            in_raw = not tag[1]
        mark = f"place-{len(places)}-here" if in_tag or in_raw else f"<!--place-{len(places)}-->"
        pieces += [before, mark]
        places.append(source[start:close])
        end = close
    return "".join([*pieces, source[end:]]), places


def _places(source: str) -> Iterator[tuple[int, int]]:
    """Give where each place to fill in begins and ends; one look at each character."""
    end = 0
    while found := _OPENS.search(source, end):
        closing = _CLOSES[found[0]]
        closed = source.find(closing, found.end())
        if closed < 0:
            raise InliningError(
                f"{found[0]} is never closed by {closing}", line=_line(source, at=found.start())
            )
        end = closed + len(closing)
        yield found.start(), end


def _check_size(source: str) -> None:
    """Refuse elements times characters of style sheets beyond a limit: counted, so the same on each machine."""
    page = source.lower()
    elements, sheets, end = page.count("<"), 0, 0
    while (start := page.find("<style", end)) >= 0:
        closed = page.find("</style", start)
        end = len(page) if closed < 0 else closed
        sheets += end - start
    if elements * sheets > _STYLED_MAX:
        raise InliningError(
            f"{elements:,} elements with {sheets:,} characters of style sheets: "
            f"the one times the other is {_STYLED_MAX:,} at most"
        )


def _check_references(source: str) -> None:
    """Refuse what runs, and what is loaded from anywhere but the web: no mail program shows it."""
    if found := _ELEMENT.search(source):
        problem = f"a mail has no {found[0].split()[0]}>"
    elif found := _ADDRESS.search(source):
        problem = (
            f"{found[1]} leads to {found[2]!r}: a mail leads to https:, http:, mailto:, tel:, sms: and cid:"
        )
    elif found := _STYLE_ADDRESS.search(source):
        problem = f"{found[0]!r}: styles of a mail load nothing but pictures by https:"
    else:
        return
    raise InliningError(problem, line=_line(source, at=found.start()))


def _line(source: str, *, at: int) -> int:
    return source.count("\n", 0, at) + 1


@lru_cache(maxsize=_KEPT_PAGES)
def _styled_apart(page: str) -> str | _Refusal:
    """Have the styles put inline by another process, without files, settings or secrets of this one."""
    try:
        ended = subprocess.run(
            [sys.executable, "-I", str(Path(styling.__file__))],
            input=page.encode(),
            capture_output=True,
            check=False,
            env={},
            timeout=_WAIT_S,
        )
    except subprocess.TimeoutExpired as error:
        raise TimeoutError(f"putting styles inline has not ended within {_WAIT_S:.0f} s") from error
    if ended.returncode == 0:
        return ended.stdout.decode()
    if ended.returncode == styling.REFUSED:
        return _Refusal(f"styles cannot be put inline: {ended.stdout.decode(errors='replace')}")
    if ended.returncode == styling.TOO_LARGE or ended.returncode < 0:
        return _Refusal(_TOO_MUCH)
    # Not the page's fault, and so not kept.
    raise OSError(f"styles cannot be put inline: {ended.stderr.decode(errors='replace')[-300:]}")
