"""A form whose sender goes away is a wrong request, and no fault of ours."""

import asyncio

import pytest
from fastapi import Request
from starlette.exceptions import HTTPException
from starlette.types import Message

from console.web.plain import require_plain


def test_who_goes_away_in_the_middle_of_a_form_is_no_fault_of_ours() -> None:
    """Whoever closes the browser while a form is on its way had left a traceback and an error 500 in the log."""
    parts: list[Message] = [
        {"type": "http.request", "body": b"name=a", "more_body": True},
        {"type": "http.disconnect"},
    ]

    async def receive() -> Message:
        return parts.pop(0)

    kind = (b"content-type", b"application/x-www-form-urlencoded")
    asked = Request(
        {"type": "http", "method": "POST", "path": "/login", "query_string": b"", "headers": [kind]}, receive
    )
    with pytest.raises(HTTPException) as refused:
        asyncio.run(require_plain(asked, brings_form=True))
    assert 400 == refused.value.status_code
