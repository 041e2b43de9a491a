"""Styles of an HTML layout put where they apply, once, before it is filled in: a mail then costs its words only.

Mail programs drop style sheets, so each element needs its own ``style``.
Places to fill in are set aside as comments (in text) or as words (in
attributes), which no HTML parser moves, and put back afterwards.
"""

import re
from typing import Final

import css_inline

__all__ = ["inlined"]

_PLACE: Final = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", re.DOTALL)
_KEPT: Final = re.compile(r"<!--place-(\d+)-->|place-(\d+)-here")
_RAW: Final = re.compile(r"<(/?)(?:title|style)\b", re.IGNORECASE)
_INLINER: Final = css_inline.CSSInliner(load_remote_stylesheets=False, keep_style_tags=False)


def inlined(source: str) -> str:
    """Give a layout with the rules of its style sheets on the elements themselves.

    A ``<style data-css-inline="keep">`` stays, its rules in at-rules untouched: for what only a
    style sheet can say (dark screens, narrow ones).

    Raises:
        ValueError: places to fill in stand where they would be lost.
    """
    places: list[str] = []
    pieces: list[str] = []
    in_tag = in_raw = False
    end = 0
    for found in _PLACE.finditer(source):
        before = source[end : found.start()]
        if "<" in before or ">" in before:
            in_tag = before.rfind("<") > before.rfind(">")
        for tag in _RAW.finditer(before):
            in_raw = not tag[1]
        mark = f"place-{len(places)}-here" if in_tag or in_raw else f"<!--place-{len(places)}-->"
        pieces += [before, mark]
        places.append(found[0])
        end = found.end()
    styled = _INLINER.inline("".join([*pieces, source[end:]]))
    if [int(each[1] or each[2]) for each in _KEPT.finditer(styled)] != list(range(len(places))):
        raise ValueError(
            "styles cannot be put inline: {{ }} and {% %} stand in texts and in quoted attributes"
        )
    return _KEPT.sub(lambda each: places[int(each[1] or each[2])], styled)
