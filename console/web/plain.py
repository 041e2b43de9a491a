"""Text that may be kept and shown: a form, a query or a path with control characters in it is refused before a page looks at it.

Nobody types them, PostgreSQL keeps no U+0000, and neither do the files that reports and letters are. Tabs and ends
of lines are text.
"""

import re
from typing import Final

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

__all__ = ["CONTROL_CHARACTER", "require_plain", "without_control"]

# The kind of the error that ``RequestValidationError`` has of such a field.
CONTROL_CHARACTER: Final = "control_character"
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_FORMS: Final = ("application/x-www-form-urlencoded", "multipart/form-data")


def without_control(text: str) -> str:
    """Give a text as it may be shown again."""
    return _CONTROL.sub("", text)


async def require_plain(request: Request, *, brings_form: bool) -> None:
    """See that neither the address of a request nor its form has control characters.

    Args:
        request: what was asked.
        brings_form: the body is read as a form; another one is for its route to read.

    Raises:
        HTTPException: 404: the path has some; 400: the query has, or who asks has gone in the middle of the form.
        RequestValidationError: fields of the form have.
    """
    if _CONTROL.search(request.url.path) or any(map(_CONTROL.search, request.path_params.values())):
        raise HTTPException(404)
    if any(_CONTROL.search(each) for pair in request.query_params.multi_items() for each in pair):
        raise HTTPException(400)
    if not brings_form or not request.headers.get("content-type", "").lower().startswith(_FORMS):
        return
    try:
        form = await request.form()
    except ClientDisconnect as error:
        raise HTTPException(400) from error
    wrong = []
    for name, value in form.multi_items():
        text = value if isinstance(value, str) else value.filename or ""
        if _CONTROL.search(name) or _CONTROL.search(text):
            place = ("body", without_control(name))
            wrong.append({"type": CONTROL_CHARACTER, "loc": place, "msg": "control characters", "input": ""})
    if wrong:
        raise RequestValidationError(wrong)
