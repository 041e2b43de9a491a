"""What a mail worker encloses, made by the settings."""

import datetime
from collections.abc import Callable
from pathlib import Path
from typing import Final

from notifiers.enclosing.enclosures import Enclosures, has_not_answered
from notifiers.enclosing.fetching import Fetcher
from notifiers.enclosing.lookalike import LookalikePress
from notifiers.enclosing.parallel import Fetches
from notifiers.enclosing.resolving import BoundedResolver
from notifiers.enclosing.settings import DocumentSettings
from notifiers.enclosing.store import DocumentStore
from notifiers.writing.render import templates_folder

__all__ = ["open_enclosures"]

_LOOK_UPS_MAX: Final = 4


def open_enclosures(
    settings: DocumentSettings, *, folder: Path, clock: Callable[[], datetime.datetime]
) -> Enclosures | None:
    """Give who encloses documents, None where none may be fetched from anywhere: they are linked then.

    Args:
        settings: hosts and limits.
        folder: where fetched documents are kept for a while; what is too old is removed now.
        clock: the wall clock, UTC.
    """
    if not settings.allowed_hosts():
        return None
    store = DocumentStore(folder, kept=datetime.timedelta(hours=settings.keep_hours))
    store.sweep(now=clock())
    return Enclosures(
        source=Fetcher(settings, resolve=BoundedResolver(at_once=_LOOK_UPS_MAX, timeout_s=settings.lookup_s)),
        store=store,
        rebuilder=LookalikePress(templates_folder() / "layout"),
        settings=settings,
        clock=clock,
        fetches=Fetches(at_once=settings.at_once, per_host=settings.per_host, has_failed=has_not_answered),
    )
