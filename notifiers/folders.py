"""Messages as files: ``<company>/<day>/<customer>-<step>-<reminder><suffix>``, whole or not there.

The reminder's id is in the name, so that a look at the folder says whether a
message was carried.
"""

import hashlib
import os
import re
from pathlib import Path

from notifiers.channel import Message, TemporaryError

__all__ = ["partial_of", "path_of", "write_whole"]

_UNSAFE = re.compile(r"[^A-Za-z0-9_-]+")
_SAFE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def path_of(message: Message, *, suffix: str) -> Path:
    """Give a message's path below its channel's folder; the same message has the same path."""
    name = "-".join((_readable(message.customer), _readable(message.step), _exact(message.reminder)))
    return Path(_exact(message.sender.company)) / message.on.isoformat() / (name + suffix)


def partial_of(path: Path) -> Path:
    """Give the name that a file has until it is whole."""
    return path.with_name(f".{path.name}.partial")


def write_whole(path: Path, content: bytes, *, durable: bool) -> None:
    """Write a file that appears whole, by rename; an older one of that name is replaced.

    Args:
        path: its folder is made.
        content: all of it.
        durable: it is on the disk when this returns.

    Raises:
        TemporaryError: the disk does not take it.
    """
    partial = partial_of(path)
    try:
        if not path.parent.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
        with partial.open("wb") as file:
            file.write(content)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        partial.replace(path)
    except OSError as error:
        raise TemporaryError(f"{path} cannot be written: {error}") from error


def _readable(text: str) -> str:
    return _UNSAFE.sub("_", text)[:40] or "_"


def _exact(text: str) -> str:
    """Give a file name that no other text has."""
    if _SAFE.fullmatch(text):
        return text
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
