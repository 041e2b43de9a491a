"""What stands around the loop that dies: limits, the list of those not written to, and what providers say afterwards.

Words come while mails go out; a round of the loop is followed by one of the publisher, as two threads of a
notifier would be, but in an order that every run has.
"""

import datetime
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import msgspec
from sqlalchemy import Engine, select

from infra.database.engine import reading, writing
from infra.database.feedback import FeedbackInbox, Word
from infra.database.rates import Bucket
from infra.database.send_tables import send_days, send_jobs
from infra.database.suppressions import Suppression, suppress, suppressed
from notifiers.feedback.publishing import FeedbackPublisher
from notifiers.gates.caps import Cap, Caps
from notifiers.gates.gate import Gate
from notifiers.gates.rate import Rate
from notifiers.pricing import Prices
from schemas.events import Contact
from schemas.facts import ReminderDecided
from schemas.law import Contacting, Hours, LawTerms, Limit
from tests.notifiers.sending import TICK, know, reminder
from tests.notifiers.stand_ins import FeedbackWriter

__all__ = [
    "MERGED",
    "STILL",
    "STRICT",
    "Post",
    "gates",
    "judge_words",
    "prepare_words",
    "reminders_limited",
    "tomorrow",
]

_CAP: Final = 9  # fewer than there are mails of the company: some go on the next day
MERGED: Final = "acme:C9"  # which is acme:C1 by now
STRICT: Final = (
    "acme:C7"  # whom the law protects from mails on a Sunday, as it is, and on the day after another
)
_LAW: Final = LawTerms(
    profile="of the test",
    time_zone="UTC",
    contacting=Contacting(
        hours=(Hours(days=("mon", "tue"), opens=datetime.time(8), closes=datetime.time(20)),),
        limits=(Limit(at_most=1, within_days=2),),
    ),
)
_HEARD_AT: Final = datetime.datetime(2012, 3, 4, 13, tzinfo=datetime.UTC)
_LEASE: Final = datetime.timedelta(seconds=61)
_PATIENCE: Final = datetime.timedelta(seconds=600)
_ROUND: Final = datetime.timedelta(seconds=0.25)
# So many rounds nothing happens before all has: a word that was early is looked at again after two seconds.
STILL: Final = 12
_AT: Final = "2012-03-04T13:00:00+00:00"


def _word(name: str, said: Any, *, source: str = "ses", **more: Any) -> Word:
    return Word(word=name, source=source, said=said, channel="email", occurred_at=_AT, **more)


_WORDS: Final = (
    _word(
        "w-bounced",
        "bounced",
        reminder="bounced",
        error_type="address_bounced",
        address="gone@customer.example",
    ),
    _word("w-complained", "complained", reminder="complained", address="cross@customer.example"),
    _word("w-known", "delivered", reminder="doubt", provider_id="id-of-the-provider"),
    _word("w-delayed", "delayed", reminder="a1"),
    _word("w-stop", "stop", reminder="a1", address="stop@customer.example", reply="STOP"),
    _word("w-start", "start", reminder="a1", address="start@customer.example", reply="START"),
    _word("w-reply", "reply", reminder="a1", reply="I paid"),
    _word("w-nobody", "bounced", reminder="of nobody", error_type="address_bounced"),
    _word("w-stranger", "reply", address="stranger@customer.example", reply="who are you?"),
)
_DEAD: Final = {"w-nobody", "w-stranger"}
# Words that a provider has only of what it took: none of a message whose worker died before the call. What is said of each.
_OF_WHAT_WAS_TAKEN: Final = {
    "bounced": {"bounced/email/bounced"},
    "complained": {"complained/email/complained", "w-complained/acme:C1"},
    "doubt": {"doubt/email/delivered"},
}
# What is to be said of the others, at least once: ids in Kafka.
_SAID: Final = {
    "w-stop/acme:C1",
    "w-start/acme:C1",
    "w-reply/acme:C1",
    *(f"dead/{name}" for name in _DEAD),
}


def reminders_limited() -> list[ReminderDecided]:
    """Give reminders to addresses of their own: some are said something of, one is on the list."""
    names = ("bounced", "complained", "stop", "start", "listed")
    addresses = ("gone", "cross", "stop", "start", "listed")
    under_law = reminder("under-law", account=STRICT)
    return [
        msgspec.structs.replace(under_law, law=_LAW),
        *(
            reminder(
                name,
                account=MERGED if name == "complained" else "acme:C1",
                contact=Contact(name="Zoë", email=f"{address}@customer.example"),
            )
            for name, address in zip(names, addresses, strict=True)
        ),
    ]


def gates(engine: Engine) -> list[Gate]:
    """Give the gates of a channel that may send little: a cap of the day, and two at once."""
    rate = Rate(engine, provider="paper", per_s=250.0)
    rate._bucket = Bucket(name="paper", per_s=250.0, burst=2)
    caps = Caps(
        engine,
        caps=[Cap(channel="email", number=_CAP)],
        channel="email",
        provider="recorder",
        prices=Prices(()),
    )
    return [caps, rate]


def prepare_words(engine: Engine, *, now: datetime.datetime) -> None:
    """Let an inbox have heard what may come at any time, and a list have an address of each kind."""
    early = [word for word in _WORDS if word.reminder not in _OF_WHAT_WAS_TAKEN]
    FeedbackInbox(engine).take(early, received_at=_HEARD_AT)
    with writing(engine) as connection:
        for address in ("listed", "start"):
            entry = Suppression(
                channel="email",
                address=f"{address}@customer.example",
                company="acme" if address == "start" else "",
                reason="opted_out" if address == "start" else "address_bounced",
                source="ses",
                since=now,
                detail="",
            )
            suppress(connection, entry)


class Post:
    """The publisher of feedback, for whom time goes by the loop's rounds, much faster, and the provider who tells it.

    Args:
        engine: of the database.
        folder: has what was said (`feedback`) and what the provider took (`provider`).
        passed: gives how many rounds have gone by.
        succeeds: another one was killed: the words that it had in hand are free again.
    """

    def __init__(self, engine: Engine, *, folder: Path, passed: Callable[[], int], succeeds: bool) -> None:
        self._now = _HEARD_AT + _LEASE * succeeds
        self._passed = passed
        self._inbox = FeedbackInbox(engine)
        self._folder = folder
        self._told: set[str] = set()
        self._publisher = FeedbackPublisher(
            inbox=self._inbox,
            sender=FeedbackWriter(folder / "feedback"),
            topic_name=lambda name: name,
            clock=lambda: self._now + self._passed() * _ROUND,
            patience_s=_PATIENCE.total_seconds(),
        )

    def step(self) -> int:
        """Do one round: the provider tells of what it has taken since, and its words are published."""
        taken = _taken(self._folder) - self._told
        self._inbox.take([word for word in _WORDS if word.reminder in taken], received_at=_HEARD_AT)
        self._told |= taken
        return self._publisher.step()

    def lose_patience(self) -> None:
        """Let so much time go by that words of nobody are given up."""
        self._now += _PATIENCE


def tomorrow(engine: Engine) -> None:
    """Let the journal come to the next day of the company."""
    know(engine, clock=TICK + datetime.timedelta(days=1))


def judge_words(engine: Engine, *, folder: Path) -> Iterator[str]:
    """Say what is wrong with the words after the last run, and with the limits."""
    said = Counter((folder / "feedback").read_text().splitlines())
    taken = _taken(folder)
    expected = _SAID.union(*(_OF_WHAT_WAS_TAKEN[name] for name in taken))
    yield from (f"WORD LOST: {name}" for name in expected - set(said))
    yield from (f"WORD INVENTED: {name}" for name in set(said) - expected)
    counts = FeedbackInbox(engine).counts()
    untold = len(_OF_WHAT_WAS_TAKEN) - len(taken)
    if counts != {"said": len(_WORDS) - len(_DEAD) - 1 - untold, "noted": 1, "dead": len(_DEAD)}:
        yield f"words ended as {counts}"
    with reading(engine) as connection:
        for address, is_listed in (
            ("gone", "bounced" in taken),
            ("cross", "complained" in taken),
            ("stop", True),
            ("listed", True),
            ("start", False),
        ):
            entry = suppressed(
                connection, channel="email", address=f"{address}@customer.example", company="acme"
            )
            if (entry is not None) != is_listed:
                yield f"{address} is {'not ' if is_listed else ''}on the list"
        over = connection.execute(select(send_days).where(send_days.c["number"] > _CAP)).all()
        counted = connection.execute(
            select(send_jobs.c["reminder"], send_jobs.c["state"]).where(
                send_jobs.c["counted_on"].is_not(None)
            )
        ).all()
    yield from (f"OVER THE CAP: {each.number} on {each.day}" for each in over)
    yield from (
        f"{name} is {state}, and has a place" for name, state in counted if state in ("failed", "superseded")
    )


def _taken(folder: Path) -> set[str]:
    """Give those messages that the provider took, of which it says something."""
    book = folder / "provider"
    lines = book.read_text().splitlines() if book.exists() else []
    return {name for name in _OF_WHAT_WAS_TAKEN if f"took {name}" in lines}
