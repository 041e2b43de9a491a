"""Gathers what readiness looks at (S4-24): the company in the read model, who owes it, who carries its messages, its texts."""

from sqlalchemy import Connection

from console.readiness import Point, link_point, ready_points
from infra.database.queries.debtors import company_as_kept, debtors, enrolled_customers, newest_tick
from infra.settings import Settings
from notifiers.assembly import TEMPLATES, carrier_faults
from notifiers.links import Links, LinkSettings
from notifiers.settings import SendSettings, read_settings
from notifiers.writing.library import Library
from notifiers.writing.render import templates_folder

__all__ = ["points_of"]


def points_of(connection: Connection, company: str, *, settings: Settings) -> list[Point]:
    """Look at all that a company's reminders need; it reads every debtor.

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
    return [*points, link_point(Links(read_settings(LinkSettings)).missing)]
