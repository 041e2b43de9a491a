"""A credit of a bank shared out: who paid it, and whose documents it pays, of one customer or of several (S2-21, S3-02).

Who paid is one customer; what is another one's goes over to that one's account, and needs its amount (2.6). What is
not named stays with who paid. Nothing is read from SQL here, and nothing is published.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from msgspec import Struct

from console.web.amounts import AmountError, read_amount
from console.web.inside.pages.settings.forms import Given
from infra.database.queries.customer_sheet import SheetItem
from processors.money import to_minor, to_text
from schemas.bank import BankLineUnmatched
from schemas.events import PaymentLine, PaymentReceived

__all__ = ["PayerSheet", "Share", "Shares", "WrongShareError", "payment_of", "shares_of"]

_NAME_MAX: Final = 128  # of a document's id


class PayerSheet(Struct, frozen=True, kw_only=True):
    """A customer whom a credit may be from: his open documents, the first due first; ``mark`` tells his fields from others'.

    ``count`` is of all that are open, of which ``items`` are the first.
    """

    account: str
    name: str
    items: tuple[SheetItem, ...]
    mark: str = ""
    count: int = 0

    @property
    def customer(self) -> str:
        """His id at the company."""
        return self.account.partition(":")[2]


class Share(Struct, frozen=True, kw_only=True):
    """What of a credit is one customer's by name; ``documents`` are all that were chosen, also without an amount."""

    account: str
    name: str
    minor: int
    documents: tuple[str, ...]


class Shares(Struct, frozen=True, kw_only=True):
    """A credit shared out: the lines of the payment, each customer's share, and what is left with who paid."""

    lines: tuple[PaymentLine, ...]
    shares: tuple[Share, ...]
    rest_minor: int


class WrongShareError(ValueError):
    """Something of a form is wrong: ``field``, a key of [bank_faults] or [form_faults], and what fills its word in."""

    def __init__(self, *, field: str, word: str, values: Mapping[str, str] | None = None) -> None:
        super().__init__(word)
        self.field = field
        self.word = word
        self.values = values or {}


def payment_of(said: BankLineUnmatched, *, customer: str, lines: Sequence[PaymentLine]) -> PaymentReceived:
    """Make the payment of a bank's line: its id follows from the line's, so that it can be booked once only."""
    name = f"bank/{said.line}"
    return PaymentReceived(
        company=said.company,
        customer=customer,
        occurred_at=said.occurred_at,
        payment=name if len(name) <= _NAME_MAX else said.line,
        currency=said.currency,
        amount=said.amount,
        lines=tuple(lines),
    )


def shares_of(form: Given, *, said: BankLineUnmatched, payers: Sequence[PayerSheet]) -> Shares:
    """Read which documents of whom are paid, and how much of each where it was said.

    Args:
        form: what came in.
        said: the credit.
        payers: those who were chosen, who paid first.

    Raises:
        WrongShareError: an amount is none, they are more than came in, or nothing of another customer was chosen.
    """
    lines: list[PaymentLine] = []
    shares: list[Share] = []
    for number, payer in enumerate(payers):
        own = list(_lines(form, said=said, payer=payer, is_other=number > 0))
        if number and not own:
            raise WrongShareError(field=f"document{payer.mark}", word="nothing_of_other")
        named = sum(to_minor(each.amount, currency=said.currency) for each in own if each.amount)
        documents = tuple(each.document for each in own)
        shares.append(Share(account=payer.account, name=payer.name, minor=named, documents=documents))
        lines += own
    rest = to_minor(said.amount, currency=said.currency) - sum(each.minor for each in shares)
    if rest < 0:
        raise WrongShareError(field="", word="sum")
    return Shares(lines=tuple(lines), shares=tuple(shares), rest_minor=rest)


def _lines(
    form: Given, *, said: BankLineUnmatched, payer: PayerSheet, is_other: bool
) -> Iterator[PaymentLine]:
    known = {each.item: each for each in payer.items if each.currency == said.currency}
    chosen = form.fields.getlist(f"document{payer.mark}")
    for name in known:
        if name not in chosen and form.text(field := f"amount{payer.mark}:{name}").strip():
            raise WrongShareError(field=field, word="not_chosen")
    for document in chosen:
        if not isinstance(document, str) or document not in known:
            continue
        field = f"amount{payer.mark}:{document}"
        text = form.text(field).strip()
        if text:
            text = _amount(text, form=form, currency=said.currency, field=field)
        elif is_other:  # what is another's has to be said: all of the document, where nothing else was
            text = to_text(known[document].open_minor, currency=said.currency)
        yield PaymentLine(
            document=document, amount=text or None, customer=payer.customer if is_other else None
        )


def _amount(text: str, *, form: Given, currency: str, field: str) -> str:
    try:
        return read_amount(text, currency=currency, language=form.about.person.language)
    except AmountError as error:
        raise WrongShareError(field=field, word=error.word, values=error.values) from error
