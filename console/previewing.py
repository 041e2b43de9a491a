"""What would this customer get: real or made-up messages written to files that a browser or a viewer of PDF opens.

Nothing is sent, nothing is fetched, and no command is given; a text that a
person tries out is in the files only (S0-04, S0-05).
"""

import datetime
import html
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import json
from msgspec.structs import replace
from sqlalchemy import Connection, select

from infra.database.queries.proposals import waiting
from infra.database.send_tables import send_jobs
from infra.errors import OperatorError
from notifiers.channel import Message
from notifiers.folders import write_whole
from notifiers.paper.folder import LetterFolder
from notifiers.recorder import Recorder
from notifiers.writing.samples import sample_reminder
from processors.stationery import letterhead
from schemas.facts import MessageDecided, ReminderDecided, ReminderProposed
from schemas.fields import Channel

if TYPE_CHECKING:
    from processors.company import Company
    from processors.forecast import Foreseen

__all__ = [
    "PreviewError",
    "decided_reminder",
    "foreseen_message",
    "sample_of",
    "write_index",
    "write_message",
]

Render = Callable[[ReminderDecided, Channel], Message]
_decoder = json.Decoder(ReminderDecided)


class PreviewError(OperatorError):
    """There is nothing to look at."""


def sample_of(kind: str, *, language: str, name: str, company: "Company | None") -> ReminderDecided:
    """Make a message of a kind as a company would send it, by all channels; its profile where it is known."""
    made = sample_reminder(kind=kind, language=language, company=name)
    if company is None or company.row.profile is None:
        return made
    head = letterhead(company.profile)
    return replace(made, **{**head, "company_name": head["company_name"] or made.company_name})


def decided_reminder(
    connection: Connection, *, reminder: str = "", account: str = ""
) -> ReminderDecided | None:
    """Give what waits for a person under this id or for this account, else what was decided under the id."""
    proposed = next(waiting(connection, reminder=reminder, account=account), None)
    if proposed is not None:
        return proposed.content
    if not reminder:
        return None
    kept = connection.execute(
        select(send_jobs.c["reminder_json"]).where(send_jobs.c["reminder"] == reminder).limit(1)
    ).scalar()
    return None if kept is None else _decoder.decode(kept)


def foreseen_message(foreseen: Sequence["Foreseen"]) -> tuple[datetime.date, ReminderDecided] | None:
    """Give the first message to the customer among what will happen, and its day; tasks are not shown to customers."""
    for each in foreseen:
        fact = each.fact
        content = fact.content if isinstance(fact, ReminderProposed | MessageDecided) else fact
        if isinstance(content, ReminderDecided) and any(way.channel != "task" for way in content.deliveries):
            return each.on, content
    return None


def write_message(
    made: ReminderDecided, *, render: Render, folder: Path, channels: Sequence[Channel] = ()
) -> Iterator[tuple[Path, Message]]:
    """Write a message's files; give those to open, each with what it holds.

    Args:
        made: the message.
        render: writes it for a channel.
        folder: below it files are named by company, day and customer.
        channels: these instead of its own.

    Raises:
        PermanentError: a text is wrong, or an address is missing.
        PreviewError: it goes to nobody by mail, phone or post.
    """
    own = [each.channel for each in made.deliveries if each.channel != "task"]
    wanted = list(dict.fromkeys(channels or own))
    if not wanted:
        raise PreviewError("This is a task for a person: a customer gets nothing.")
    for channel in wanted:
        if channel not in own and made.deliveries:
            made = replace(made, deliveries=(*made.deliveries, replace(made.deliveries[0], channel=channel)))
        message = render(made, channel)
        keeper = LetterFolder(folder) if channel == "letter" else Recorder(folder)
        path = folder / keeper.send(message).provider_id
        yield (path.with_suffix(".html") if channel == "email" else path), message


def write_index(paths: Sequence[Path], *, folder: Path) -> Path:
    """Write a page that leads to each file."""
    lines = [
        f'<li><a href="{html.escape(each.relative_to(folder).as_posix())}">'
        f"{html.escape(each.relative_to(folder).as_posix())}</a></li>"
        for each in paths
    ]
    page = "<!doctype html><meta charset='utf-8'><title>Preview</title><ul>" + "\n".join(lines) + "</ul>\n"
    path = folder / "index.html"
    write_whole(path, page.encode(), durable=False)
    return path
