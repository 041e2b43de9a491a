"""Where a message leads: to pay, to the documents, to an answer, to an end of messages; each an address or ''.

Pages behind signed links are ``notifiers.links``'s; where a customer pays is
the company's own address (``payment_link``), filled in and encoded here.
"""

from collections.abc import Callable

from msgspec import Struct

from notifiers.writing.figures import amount_text
from notifiers.writing.words import Words
from processors.money import to_text
from processors.payment_link import fill_payment_link, payment_link_problem, places_of
from schemas.facts import ReminderDecided, ReminderItem

__all__ = ["LinkView", "Ways", "asks_for_money", "item_payment_link", "payment_links"]

_SILENT_ON_MONEY = frozenset({"payment_received", "correction", "answer"})


class LinkView(Struct, frozen=True, kw_only=True):
    """A button: what stands on it, and where it leads."""

    label: str
    url: str


class Ways(Struct, frozen=True, kw_only=True):
    """Where this message leads beside paying; '' is nowhere. ``document`` gives an item's page, '' without one.

    ``logo`` is what an image element shows: an address, or ``cid:`` of a part of the mail.
    ``attached`` names the files that go with the message.
    """

    report: str = ""
    unsubscribe: str = ""
    document: Callable[[ReminderItem], str] | None = None
    logo: str = ""
    attached: tuple[str, ...] = ()


def asks_for_money(reminder: ReminderDecided) -> bool:
    """Say whether the message is one that wants to be paid: a thanks, a correction and a note to one's own desk are not."""
    return reminder.step not in _SILENT_ON_MONEY


def payment_links(reminder: ReminderDecided, *, words: Words, language: str) -> tuple[LinkView, ...]:
    """Give the buttons to pay by: one, or one per currency where the link says how much.

    A link that names a document stands beside each of several documents instead.
    """
    link = _usable(reminder)
    if not link:
        return ()
    places = places_of(link)
    document = reminder.items[0].item if len(reminder.items) == 1 and not reminder.unlisted else ""
    if "document" in places and not document:
        return ()
    if not places & {"amount", "currency"}:
        return (LinkView(label=words.pay_now, url=_filled(link, reminder, document=document)),)
    return tuple(
        LinkView(
            label=words.pay_amount.format(
                amount=amount_text(total.amount_minor, currency=total.currency, language=language)
            ),
            url=_filled(
                link,
                reminder,
                document=document,
                amount=to_text(total.amount_minor, currency=total.currency),
                currency=total.currency,
            ),
        )
        for total in reminder.totals
        if total.amount_minor > 0
    )


def item_payment_link(item: ReminderItem, *, reminder: ReminderDecided) -> str:
    """Give where this item is paid, '' where one button pays the whole message."""
    link = _usable(reminder)
    asked_minor = item.open_minor - item.held_minor
    if not link or "document" not in places_of(link) or asked_minor <= 0:
        return ""
    amount = to_text(asked_minor, currency=item.currency)
    return _filled(link, reminder, document=item.item, amount=amount, currency=item.currency)


def _usable(reminder: ReminderDecided) -> str:
    link = reminder.payment_link
    return link if link and asks_for_money(reminder) and not payment_link_problem(link) else ""


def _filled(
    link: str, reminder: ReminderDecided, *, document: str, amount: str = "", currency: str = ""
) -> str:
    values = {
        "reminder": reminder.id,
        "customer": reminder.customer,
        "document": document,
        "amount": amount,
        "currency": currency,
    }
    return fill_payment_link(link, values)
