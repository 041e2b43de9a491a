"""The loop that brings companies' texts from the console's database to this machine, and says there what this machine sees.

A disk that does not take them ends nothing: messages are written from what stands, and ``cobranza ready`` tells it.
"""

import datetime
import socket
import threading
import time
from collections.abc import Callable
from typing import Final

from notifiers.writing.shared_texts import TOLD_S, SharedTexts

__all__ = ["place_of", "serve_texts"]

_LOOKED_S: Final = 1.0


def place_of(texts: SharedTexts) -> str:
    """Name this machine's folder of texts as its people know it."""
    return f"{socket.gethostname()}:{texts.folder.absolute()}"


def serve_texts(
    texts: SharedTexts, *, clock: Callable[[], datetime.datetime], stopping: threading.Event
) -> None:
    """Bring what was saved, once a second, until `stopping` is set; every half a minute say what is seen."""
    told_s: float | None = None
    while True:
        texts.bring()
        if told_s is None or time.monotonic() - told_s >= TOLD_S:
            texts.tell(place_of(texts), at=clock())
            told_s = time.monotonic()
        if stopping.wait(_LOOKED_S):
            return
