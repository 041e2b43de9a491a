"""The applications of ``cobranza web``, one per face, each bound to an address of its own.

``outside`` is what readers of messages and providers reach: pages behind signed links
(``console.web.outside``) and hooks (``console.web.hooks``). The console's own pages, behind a
login, are another application on another address: nothing of them is reachable here.
"""

from collections.abc import Callable

from fastapi import FastAPI
from starlette.types import ASGIApp

from console.web import hooks
from console.web.faults import add_faults
from console.web.limits import BodyLimit, SafeHeaders
from console.web.outside import documents, pages
from console.web.parts import WebParts
from notifiers.feedback.settings import FeedbackSettings
from notifiers.settings import read_settings

__all__ = ["outside_app"]

_FORM_BYTES = 64 * 1024  # of an answer, beside its files


def outside_app(parts: WebParts, *, counted: Callable[[int], None] = lambda _: None) -> ASGIApp:
    """Make the application that the world may reach; ``counted`` is told the status of each answer."""
    app = FastAPI(title="Cobranza", openapi_url=None, docs_url=None, redoc_url=None)
    app.router.routes.extend(pages.router(parts).routes)
    app.router.routes.extend(documents.router(parts).routes)
    app.router.routes.extend(hooks.router(parts, settings=read_settings(FeedbackSettings)).routes)
    add_faults(app, root=parts.links.root)
    web = parts.web
    answer_bytes_max = web.files_max * web.file_bytes_max + _FORM_BYTES

    def bytes_max(path: str, is_multipart: bool) -> int:
        if path.startswith("/a/"):
            return answer_bytes_max if is_multipart else _FORM_BYTES
        return web.body_bytes_max

    app.add_middleware(BodyLimit, bytes_max=bytes_max, receive_s_max=web.receive_s_max)
    # Around all of it: refusals and our own failures, too, have these headers.
    return SafeHeaders(app, is_https=parts.links.is_https, counted=counted)
