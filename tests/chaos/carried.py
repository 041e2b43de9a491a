"""What was carried, as exact sets of (reminder, channel): files in the recorder's folders, outcomes back in the journal."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from console.logs import read_log
from infra.settings import Settings
from schemas.codec import decode_source
from schemas.envelope import from_headers
from schemas.journal import decode_entry
from schemas.outcomes import OutcomeReported

__all__ = [
    "Delivery",
    "Said",
    "file_problems",
    "files_of",
    "order_problems",
    "outcomes_in_journal",
    "outcomes_said",
]

Delivery = tuple[str, str]
Said = dict[str, list[OutcomeReported]]  # by account, in order
_FOLDERS: Final = (("email", "outbox", ".eml"), ("sms", "outbox", ".sms.txt"), ("letter", "letters", ".pdf"))
# The reminder ends the file's name; what follows it is an enclosure's number.
_NAME: Final = re.compile(r"-(?P<reminder>[0-9a-f]{32})(?P<enclosure>-\d\d)?$")


def files_of(data_dir: Path) -> Counter[Delivery]:
    """Count the files by the delivery that their name says; one without a reminder stands with its own name."""
    found: Counter[Delivery] = Counter()
    for channel, folder, suffix in _FOLDERS:
        for file in (data_dir / folder).rglob(f"*{suffix}"):
            named = _NAME.search(file.name.removesuffix(suffix))
            if named is None or not named["enclosure"]:
                found[named["reminder"] if named else str(file), channel] += 1
    return found


def file_problems(files: Mapping[Delivery, int], *, accepted: Iterable[Delivery]) -> Iterator[str]:
    """Each mail, SMS and letter that was accepted is one file, and there is no other."""
    wanted = {each for each in accepted if each[1] in {channel for channel, _, _ in _FOLDERS}}
    yield from (f"LOST: no file for accepted delivery {each}" for each in sorted(wanted - files.keys()))
    yield from (f"a file for what was not accepted: {each}" for each in sorted(files.keys() - wanted))
    yield from (f"DOUBLED: {count} files for {each}" for each, count in sorted(files.items()) if count > 1)


def outcomes_said(settings: Settings) -> Said:
    """Read what notifiers have said, on its topic."""
    said: Said = defaultdict(list)
    for record in read_log(settings, topic="notify.outcome.v1"):
        envelope, data = from_headers(record.headers, record.value)
        event = decode_source(envelope.type, data)
        if isinstance(event, OutcomeReported):
            said[record.key.decode()].append(event)
    return said


def outcomes_in_journal(settings: Settings) -> Said:
    """Read the same where intake has written it."""
    said: Said = defaultdict(list)
    for record in read_log(settings, topic="ledger.journal"):
        event = decode_entry(record.value).event
        if isinstance(event, OutcomeReported):
            said[record.key.decode()].append(event)
    return said


def order_problems(
    said: Mapping[str, Sequence[OutcomeReported]], *, journal: Mapping[str, Sequence[OutcomeReported]]
) -> Iterator[str]:
    """Each account's outcomes stand in the journal as they were said: once for once, and in that order."""
    for account in sorted(said.keys() | journal.keys()):
        ours, theirs = said.get(account, ()), journal.get(account, ())
        if Counter(ours) != Counter(theirs):
            lost, more = Counter(ours) - Counter(theirs), Counter(theirs) - Counter(ours)
            yield f"outcomes of {account}: LOST from the journal {_named(lost)}, only there {_named(more)}"
        elif list(ours) != list(theirs):
            yield f"OUT OF ORDER: outcomes of {account}, said {_named(ours)}, in the journal {_named(theirs)}"


def _named(events: Iterable[OutcomeReported]) -> list[tuple[str, str, str]]:
    return [(each.reminder, each.channel, each.status) for each in events]
