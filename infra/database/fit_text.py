"""Text made fit for every database: for what PostgreSQL or UTF-8 has no place, U+FFFD stands, the sign for that.

PostgreSQL's text holds any character but U+0000, and no text of a database holds half a character (a surrogate
alone). Whoever's text it is (a provider's answer, a file, a free text of an event), it must not stop what goes on
with it, and what is kept and looked for is the same on both databases.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

__all__ = ["ALREADY_FIT", "fit", "fit_json", "fit_parameters"]

# The execution option of a statement whose texts are fit already: of many rows, looking at each would cost a tenth.
ALREADY_FIT: Final = "cobranza_already_fit"
_NO_CHARACTER: Final = "\ufffd"
# The escape, not a backslash (itself escaped) before "u0000".
_NUL_IN_JSON: Final = re.compile(rb"(?<!\\)((?:\\\\)*)\\u0000")


def fit(text: str) -> str:
    """Give the text as every database can hold it; the same object where nothing is to be done."""
    if "\0" in text:
        text = text.replace("\0", _NO_CHARACTER)
    return text if _is_whole(text) else text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def fit_json(document: bytes) -> bytes:
    """Give JSON whose strings are fit when it is read; the same object where nothing is to be done."""
    if b"\\u0000" not in document:
        return document
    return _NUL_IN_JSON.sub(rb"\1\\ufffd", document)


def fit_parameters(parameters: Any) -> Any:
    """Give a statement's parameters with their texts fit: those of one by name or by place, or a list of such."""
    if isinstance(parameters, list):
        return [_fit_set(each) for each in parameters]
    return _fit_set(parameters)


def _fit_set(values: Any) -> Any:
    if isinstance(values, Mapping):
        unfit = {name: fit(each) for name, each in values.items() if _is_unfit(each)}
        return {**values, **unfit} if unfit else values
    if any(_is_unfit(each) for each in values):
        return tuple(fit(each) if _is_unfit(each) else each for each in values)
    return values


def _is_unfit(value: Any) -> bool:
    return isinstance(value, str) and ("\0" in value or not _is_whole(value))


def _is_whole(text: str) -> bool:
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
