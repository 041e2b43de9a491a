"""Gathers what readiness looks at (S4-24): the company in the read model, who owes it, who carries its messages, its texts."""

import datetime
from typing import Final

from sqlalchemy import Connection

from console.readiness import Point, link_point, places_points, ready_points
from infra.database.own_text_book import OwnTextBook
from infra.database.queries.debtors import company_as_kept, debtors, enrolled_customers, newest_tick
from infra.settings import Settings
from notifiers.assembly import TEMPLATES, carrier_faults, open_texts
from notifiers.links import Links, LinkSettings
from notifiers.settings import SendSettings, read_settings
from notifiers.writing.library import Library
from notifiers.writing.render import templates_folder

__all__ = ["points_of"]

# A notifier says what it sees every half a minute.
_HEARD_OF: Final = datetime.timedelta(minutes=2)


def points_of(
    connection: Connection, company: str, *, settings: Settings, now: datetime.datetime
) -> list[Point]:
    """Look at all that a company's reminders need; it reads every debtor.

    What places said more than two minutes before ``now`` is left aside.

    Raises:
        SettingsError: a variable of the installation says what cannot be.
    """
    send = read_settings(SendSettings)
    points = ready_points(
        company_as_kept(connection, company),
        debtors=list(debtors(connection, company)),
        enrolled=enrolled_customers(connection, company),
        newest_tick=newest_tick(connection),
        send=send,
        faults=carrier_faults(
            ("email", "sms", "letter"), settings=settings, send=send, engine=connection.engine
        ),
        texts=Library(templates_folder(), own=settings.data_dir / TEMPLATES),
    )
    texts = open_texts(settings, engine=connection.engine)
    not_brought = texts.bring(company)
    seen = OwnTextBook(connection.engine).seen_at(company, since=now - _HEARD_OF)
    points += places_points(seen, own=texts.digest(company), not_brought=not_brought)
    return [*points, link_point(Links(read_settings(LinkSettings)).missing)]
