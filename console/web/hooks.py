"""Hooks: where providers tell by HTTP what became of deliveries, and what readers wrote back (B-14).

::

    POST /hooks/ses               notifications of Amazon SNS with events of SES
    POST /hooks/twilio/status     fates of SMS
    POST /hooks/twilio/incoming   what somebody writes to our number

    200 it is kept, once    400 not understood    403 not believed    503 not to be checked now: come again

What is believed is in SQL before it is answered; the notifiers take it to Kafka. A hook that
nothing is set for believes nobody. The size of a request is limited around the application.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

import structlog
from fastapi import Request
from fastapi.responses import PlainTextResponse, Response
from starlette.concurrency import run_in_threadpool

from console.web.parts import WebParts
from console.web.routing import Routes
from infra.database.feedback import FeedbackInbox, Word
from notifiers.feedback.fetching import fetch
from notifiers.feedback.refusals import ForgedError, MalformedError, UnavailableError
from notifiers.feedback.ses import words_of_event
from notifiers.feedback.settings import FeedbackSettings
from notifiers.feedback.sns import SnsReader
from notifiers.feedback.twilio import check_signature, read_form, word_of_reply, word_of_status

__all__ = ["PATHS", "router"]

PATHS: Final = ("/hooks/ses", "/hooks/twilio/status", "/hooks/twilio/incoming")
_STATUS: Final = {ForgedError: 403, MalformedError: 400, UnavailableError: 503}
_NO_ANSWER: Final = '<?xml version="1.0" encoding="UTF-8"?><Response/>'  # TwiML: nothing is written back
_log = structlog.get_logger(__name__)


def router(parts: WebParts, *, settings: FeedbackSettings) -> Routes:
    """Make the routes."""
    routes = Routes(reads_bodies=True)
    hooks = _Hooks(parts, settings)
    for path, handler in zip(PATHS, (hooks.ses, hooks.status, hooks.incoming), strict=True):
        routes.add_api_route(path, handler, methods=["POST"], response_model=None)
    return routes


class _Hooks:
    def __init__(self, parts: WebParts, settings: FeedbackSettings) -> None:
        self._parts, self._settings = parts, settings
        self._inbox = FeedbackInbox(parts.engine)
        self._sns = SnsReader(
            topics=settings.topics(),
            origin=settings.sns_origin,
            fetch=partial(fetch, timeout_s=settings.fetch_s_max),
            clock=parts.clock,
        )

    async def ses(self, request: Request) -> Response:
        """Take what SES tells by SNS."""
        body = await request.body()
        return await run_in_threadpool(self._answer, "ses", lambda: self._take_ses(body))

    async def status(self, request: Request) -> Response:
        """Take the fate of an SMS."""
        body = await request.body()
        return await run_in_threadpool(
            self._answer, "twilio_status", lambda: self._take_status(request, body)
        )

    async def incoming(self, request: Request) -> Response:
        """Take what somebody wrote to our number."""
        body = await request.body()
        return await run_in_threadpool(
            self._answer, "twilio_incoming", lambda: self._take_incoming(request, body)
        )

    def _answer(self, hook: str, take: Callable[[], Response]) -> Response:
        try:
            return take()
        except (ForgedError, MalformedError, UnavailableError) as error:
            status = _STATUS[type(error)]
            _log.warning("hook_refused", hook=hook, status=status, detail=str(error)[:300])
            return PlainTextResponse(f"{type(error).__name__}\n", status_code=status)

    def _take_ses(self, body: bytes) -> Response:
        notification = self._sns.read(body)
        if notification.type == "SubscriptionConfirmation":
            self._sns.confirm(notification)
        elif notification.type == "UnsubscribeConfirmation":
            # To follow its link would subscribe again: whoever ended it is to be asked.
            _log.error("sns_unsubscribed", topic=notification.topic_arn)
        else:
            self._keep(words_of_event(notification.message, received_at=self._parts.clock()))
        return PlainTextResponse("kept\n")

    def _take_status(self, request: Request, body: bytes) -> Response:
        form = read_form(body)
        self._believe(request, form)
        word = word_of_status(
            form, reminder=request.query_params.get("reminder", ""), received_at=self._parts.clock()
        )
        self._keep([] if word is None else [word])
        return PlainTextResponse("kept\n")

    def _take_incoming(self, request: Request, body: bytes) -> Response:
        form = read_form(body)
        self._believe(request, form)
        self._keep([word_of_reply(form, received_at=self._parts.clock())])
        return Response(_NO_ANSWER, media_type="text/xml")

    def _believe(self, request: Request, form: Sequence[tuple[str, str]]) -> None:
        base = self._settings.twilio_url or self._parts.links.public_url or str(request.base_url).rstrip("/")
        query = request.scope["query_string"].decode("latin-1")
        url = f"{base}{request.url.path}" + (f"?{query}" if query else "")
        signature = request.headers.get("x-twilio-signature", "")
        check_signature(url=url, form=form, signature=signature, tokens=self._settings.tokens())

    def _keep(self, words: Sequence[Word]) -> None:
        new = self._inbox.take(words, received_at=self._parts.clock())
        if new < len(words):
            _log.info("hook_repeated", words=len(words) - new)
