"""What every answer carries and every request keeps to."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine
from starlette.types import Message

from console.web.limits import BodyLimit, RefusedRequestError
from tests.console.web.reader import Reader


@pytest.fixture
def reader(sqlite_engine: Engine, tmp_path: Path) -> Reader:
    """Give a reader with a browser."""
    return Reader(sqlite_engine, tmp_path)


def test_every_answer_has_the_headers(reader: Reader) -> None:
    """Pages, forms, redirects, style and errors, those of ours too: no script, no frame, no trace, no copy."""
    path = reader.got()
    answers = [
        reader.browser.get(path),
        reader.browser.get(f"{path}?say=paid"),
        reader.browser.post(path, data={"kind": "other", "text": "x"}),
        reader.browser.post(path, data={"kind": "nonsense"}),
        reader.browser.get("/nothing"),
        reader.browser.delete(path),
    ]
    assert [200, 200, 303, 400, 404, 405] == [each.status_code for each in answers]
    for each in answers:
        policy = each.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "script-src" not in policy
        assert "unsafe" not in policy
        assert "nosniff" == each.headers["x-content-type-options"]
        assert "no-referrer" == each.headers["referrer-policy"]
        assert "no-store" == each.headers["cache-control"]
        assert "noindex, nofollow" == each.headers["x-robots-tag"]
        assert "max-age" in each.headers["strict-transport-security"]
        assert "server" not in each.headers
        assert "set-cookie" not in each.headers


def test_pages_need_no_script_and_nothing_of_others(reader: Reader) -> None:
    """All that a page loads is its own style."""
    path = reader.got()
    for page in (reader.browser.get(path).text, reader.browser.get(f"{path}?say=dispute").text):
        assert "<script" not in page
        assert "style=" not in page
        assert " on" + "click" not in page
        assert ["/outside.css"] == [
            part.split('"')[0] for part in page.split('<link rel="stylesheet" href="')[1:]
        ]
    assert "text/css; charset=utf-8" == reader.browser.get("/outside.css").headers["content-type"]


def test_a_failure_of_ours_is_a_page_that_tells_nothing(
    reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No trace of where it happened; the headers are there."""
    path = reader.got()

    def fails(*_: Any, **__: Any) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr("console.web.outside.pages.document_views", fails)
    reader.browser._transport.raise_server_exceptions = False
    answer = reader.browser.get(path)
    assert 500 == answer.status_code
    assert "secret detail" not in answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]


def test_a_body_that_does_not_come_is_not_waited_for() -> None:
    """A request that says one byte and then nothing ends with 408."""
    refused: list[int] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        try:
            while True:
                await receive()
        except RefusedRequestError as error:
            refused.append(error.status)

    said: list[Message] = [{"type": "http.request", "body": b"x", "more_body": True}]

    async def receive() -> Message:
        if said:
            return said.pop()
        await asyncio.Event().wait()
        raise AssertionError("nobody sets it")

    async def send(_: Message) -> None:
        return

    limited = BodyLimit(app, bytes_max=lambda *_: 100, receive_s_max=0.05)
    asyncio.run(limited({"type": "http", "path": "/", "headers": []}, receive, send))
    assert [408] == refused


def test_only_forms_with_files_may_be_large(reader: Reader) -> None:
    """A plain form of 100 kB is nobody's answer; looking without reading is looking."""
    path = reader.got()
    assert 413 == reader.browser.post(path, data={"kind": "other", "text": "x" * 100_000}).status_code
    assert 200 == reader.browser.head(path).status_code


@pytest.mark.parametrize("announced", [True, False])
def test_a_body_that_is_too_large_is_not_read(announced: bool) -> None:
    """Whether it says so before or not."""
    refused: list[int] = []
    read = 0

    async def app(scope: Any, receive: Any, send: Any) -> None:
        try:
            while True:
                await receive()
        except RefusedRequestError as error:
            refused.append(error.status)

    async def receive() -> Message:
        nonlocal read
        read += 1
        return {"type": "http.request", "body": b"x" * 60, "more_body": True}

    async def send(_: Message) -> None:
        return

    headers = [(b"content-length", b"1000")] if announced else []
    limited = BodyLimit(app, bytes_max=lambda *_: 100, receive_s_max=1)
    asyncio.run(limited({"type": "http", "path": "/", "headers": headers}, receive, send))
    assert ([413], 0 if announced else 2) == (refused, read)
