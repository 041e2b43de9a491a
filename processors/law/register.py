"""The register of contacts (section 5): every delivery that was taken, every call attempt and conversation.

It is kept as long as the law asks, and is what limits are judged by. The
minimum gap (R5) has its own day on the account's row: it counts a reminder
once, the register each delivery of it.
"""

import datetime
import zoneinfo
from collections.abc import Iterator

from processors.account import Account
from processors.calendar import business_day, zone_of
from processors.company import Company
from processors.context import FoldContext
from processors.law.book import reached_at
from processors.law.permits import Made, Openings, Permits
from schemas.contacts import ContactKind, ContactRow
from schemas.law import LawTerms, LegalText

__all__ = ["legal_texts", "on_their_way", "permits_for", "register", "terms_for"]

_TERMS_MAX = 1000  # remembered of a company


def terms_for(account: Account, *, company: Company, on: datetime.date) -> LawTerms:
    """Give the rules of contact for whoever is written to: in its zone and country where they are known, else the company's."""
    return _known_terms(account, company=company, on=on)[0]


def _known_terms(account: Account, *, company: Company, on: datetime.date) -> tuple[LawTerms, Openings]:
    """Give the rules with the first allowed instants that were found by them, remembered by all that they depend on."""
    place = reached_at(account.customer)
    found = company.terms.get((place, on))
    if found is None:
        country, kind, zone = place
        profile, edition = company.law.placed_edition(country, kind, on=on)
        terms = LawTerms(
            profile=profile,
            time_zone=zone or company.profile.time_zone,
            country=country or company.profile.country,
            contacting=edition.contacting,
        )
        if len(company.terms) >= _TERMS_MAX:
            company.terms.clear()
        found = company.terms[place, on] = (terms, {})
    return found


def legal_texts(
    account: Account, *, company: Company, on: datetime.date, language: str, levels: bool
) -> tuple[LegalText, ...]:
    """Give the texts that a message must carry in its language; ``levels``: it is a dunning level."""
    stem = language.partition("-")[0]
    country, kind, _ = reached_at(account.customer)
    texts = company.law.placed_edition(country, kind, on=on)[1].texts
    return tuple(each for each in texts if each.language == stem and (levels or not each.levels_only))


def permits_for(account: Account, *, company: Company, on: datetime.date) -> Permits:
    """Give the law for an account with all contacts that its register has."""
    terms, openings = _known_terms(account, company=company, on=on)
    return Permits(terms, made=_made(account, zone_of(terms.time_zone)), openings=openings)


def on_their_way(account: Account) -> Iterator[Made]:
    """Walk the messages that were decided and have no fate yet: what is planned beside them counts them (section 5)."""
    for message in account.messages.values():
        if message.status == "open":
            fates = message.deliveries.items()
            yield from (Made(message.due_on, channel) for channel, fate in fates if fate == "dispatched")


def register(
    account: Account, *, contact: str, channel: str, kind: ContactKind, occurred_at: str, context: FoldContext
) -> None:
    """Enter a contact; one that is there stays as it is.

    Args:
        contact: its id within the account: of the delivery, or of the note.
        occurred_at: business time; a day without a time is that day.
    """
    if contact in account.contacts:
        return
    terms = terms_for(account, company=context.company, on=context.day)
    on = business_day(occurred_at, zone_of(terms.time_zone))
    row = ContactRow(
        account=account.id,
        contact=contact,
        channel=channel,
        contact_kind=kind,
        on=on,
        occurred_at=occurred_at,
        until=on + datetime.timedelta(days=terms.contacting.register_days),
    )
    account.contacts[contact] = row
    account.touch(row)
    account.touch(account.row)
    account.keep_until(row.until, kind="contact", key=contact)


def _made(account: Account, zone: zoneinfo.ZoneInfo) -> Iterator[Made]:
    for row in account.contacts.values():
        yield Made(business_day(row.occurred_at, zone), row.channel, row.contact_kind == "conversation")
