"""Hypothesis: what could happen to an account, by source topic, and in which order it could be heard.

Few ids and round amounts, so that events meet: each document lives its life
(issued, amended, cancelled), the lives are shuffled, and some events are told
twice with other content. Each source keeps its own order. What is drawn from is
made once (``cache``): to make it again for each draw would take longer than what is tested.
"""

import datetime
from collections.abc import Sequence
from functools import cache

from hypothesis import strategies as st
from msgspec.structs import replace

from schemas.events import (
    BillingEvent,
    CreditNoteCancelled,
    CreditNoteIssued,
    CustomerUpserted,
    DebitNoteIssued,
    InvoiceAmended,
    InvoiceCancelled,
    InvoiceIssued,
    ItemOpened,
    PaymentLine,
    PaymentReceived,
    PaymentReversed,
    ReconciliationLine,
    ReconciliationRecorded,
    RefundPaid,
    WriteOffBooked,
    WriteOffReversed,
)
from tests.processors.story import COMPANY, CUSTOMER

Source = list[BillingEvent]
History = list[Source]

_ITEMS = ("A", "B", "C")
_PAYMENTS = ("P", "Q", "R")
_COVERING = "2000"  # more than all that the bank can ever ask of one payment

_dates = st.dates(datetime.date(2024, 1, 1), datetime.date(2024, 1, 28))
_when = st.one_of(
    _dates.map(datetime.date.isoformat), _dates.map(lambda day: f"{day.isoformat()}T23:30:00-03:00")
)
_amounts = st.integers(1, 12).map(lambda tens: str(10 * tens))
_maybe_amounts = st.none() | _amounts
_items = st.sampled_from(_ITEMS)
_usd = st.just("USD")
_currencies = st.sampled_from(("USD",) * 9 + ("CLP",))
_dues = st.none() | st.dates(datetime.date(2024, 1, 15), datetime.date(2024, 3, 1))
_seldom = st.sampled_from((False, False, True))
_often = st.booleans()
_at_most_once, _at_most_twice, _at_most_thrice = (st.integers(0, most) for most in (1, 2, 3))


def _event(struct: type, /, **fields: st.SearchStrategy[object]) -> st.SearchStrategy[BillingEvent]:
    return st.builds(
        lambda **values: struct(company=COMPANY, customer=CUSTOMER, **values), occurred_at=_when, **fields
    )


@cache
def _document(name: str, currencies: st.SearchStrategy[str]) -> st.SearchStrategy[BillingEvent]:
    """A receivable comes about: mostly an invoice."""
    document = st.just(name)
    invoice = _event(InvoiceIssued, document=document, currency=currencies, amount=_amounts, due_date=_dues)
    opened = st.builds(
        lambda event, more: replace(event, amount=str(int(event.open_amount) + more)),
        _event(
            ItemOpened,
            document=document,
            currency=currencies,
            amount=st.just("0"),
            open_amount=_amounts,
            issue_date=_dates,
            due_date=_dates,
        ),
        st.integers(0, 50),
    )
    note = _event(DebitNoteIssued, document=document, currency=currencies, amount=_amounts)
    return st.one_of(invoice, invoice, invoice, opened, note)


@cache
def _item_life(name: str, currencies: st.SearchStrategy[str]) -> st.SearchStrategy[Source]:
    """An item is issued, amended and perhaps cancelled."""
    document, issued = st.just(name), _document(name, currencies)
    amended = _event(
        InvoiceAmended, document=document, revision=st.integers(1, 3), amount=_maybe_amounts, due_date=_dues
    )
    cancelled = _event(InvoiceCancelled, document=document)

    @st.composite
    def life(draw: st.DrawFn) -> Source:
        lived = [draw(issued), *(draw(amended) for _ in range(draw(_at_most_twice)))]
        return [*lived, draw(cancelled)] if draw(_seldom) else lived

    return life()


@cache
def _note_life(name: str, currencies: st.SearchStrategy[str]) -> st.SearchStrategy[Source]:
    """A credit note is issued, and perhaps cancelled."""
    document = st.just(name)
    note = _event(
        CreditNoteIssued,
        document=document,
        currency=currencies,
        amount=_amounts,
        invoice=st.none() | _items,
    )
    return _perhaps_undone(note, _event(CreditNoteCancelled, document=document))


@cache
def _write_off_life(name: str) -> st.SearchStrategy[Source]:
    """Part of an item is written off, and perhaps recovered."""
    write_off = st.just(name)
    booked = _event(WriteOffBooked, write_off=write_off, document=_items, currency=_usd, amount=_amounts)
    return _perhaps_undone(booked, _event(WriteOffReversed, write_off=write_off))


@st.composite
def _perhaps_undone(
    draw: st.DrawFn, done: st.SearchStrategy[BillingEvent], undone: st.SearchStrategy[BillingEvent]
) -> Source:
    return [draw(done), draw(undone)] if draw(_seldom) else [draw(done)]


@cache
def _after_payment(name: str, currencies: st.SearchStrategy[str]) -> st.SearchStrategy[Source]:
    """A payment is paid back in part, or bounces."""
    refund = _event(
        RefundPaid,
        refund=st.just(f"F{name}"),
        of=st.sampled_from(("payment", "payment", "credit_note")),
        credit=st.sampled_from((name, name, "N")),
        currency=currencies,
        amount=_amounts,
    )
    bounced = _event(PaymentReversed, payment=st.just(name))

    @st.composite
    def life(draw: st.DrawFn) -> Source:
        return [draw(each) for each in (refund, bounced) if draw(_seldom)]

    return life()


def _lines(
    amounts: st.SearchStrategy[str | None], *, least: int
) -> st.SearchStrategy[tuple[PaymentLine, ...]]:
    return st.lists(
        st.builds(PaymentLine, document=_items, amount=amounts),
        min_size=least,
        max_size=3,
        unique_by=lambda line: line.document,
    ).map(tuple)


@cache
def _converting(name: str) -> st.SearchStrategy[BillingEvent]:
    """Draw pesos whose lines give the amount in the items' currency, too."""
    lines = st.lists(
        st.builds(
            PaymentLine, document=_items, amount=_amounts, item_amount=_amounts, item_currency=st.just("USD")
        ),
        min_size=1,
        max_size=2,
        unique_by=lambda line: line.document,
    ).map(tuple)
    return _event(
        PaymentReceived,
        payment=st.just(name),
        currency=st.just("CLP"),
        amount=st.just("300"),
        lines=lines,
    )


@cache
def _payment_life(name: str) -> st.SearchStrategy[Source]:
    """Money comes in, for whatever it names."""
    payment = _event(
        PaymentReceived,
        payment=st.just(name),
        currency=_currencies,
        amount=st.integers(1, 25).map(lambda tens: str(10 * tens)),
        lines=st.just(()) | _lines(_maybe_amounts, least=1),
        order_reference=st.sampled_from(("", "", "", "", "order")),
    )

    @st.composite
    def life(draw: st.DrawFn) -> Source:
        received = _converting(name) if draw(_seldom) else payment
        return [draw(received), *draw(_after_payment(name, _currencies))]

    return life()


@cache
def _words(
    payment: str,
    lines: st.SearchStrategy[ReconciliationLine],
    *,
    id_: str,
) -> st.SearchStrategy[BillingEvent]:
    return _event(
        ReconciliationRecorded,
        reconciliation=st.just(id_),
        payment=st.just(payment),
        lines=st.lists(lines, min_size=1, max_size=3).map(tuple),
    )


@cache
def _instructions(*, amounts: st.SearchStrategy[str | None]) -> st.SearchStrategy[ReconciliationLine]:
    return st.one_of(
        st.builds(ReconciliationLine, action=st.just("apply"), document=_items, amount=amounts),
        st.builds(ReconciliationLine, action=st.just("unapply"), document=_items, amount=_maybe_amounts),
    )


@st.composite
def _shuffled(draw: st.DrawFn, lives: Sequence[Source]) -> Source:
    """Mix lives into one source; mostly each life keeps its order."""
    mixed = draw(interleavings(lives))
    return draw(st.permutations(mixed)) if draw(_seldom) else mixed


_strange_lines = _instructions(amounts=_maybe_amounts | st.just("1.005"))
_of_any_payment = st.sampled_from(_PAYMENTS)
_master_data = st.lists(
    _event(
        CustomerUpserted,
        name=st.sampled_from(("One", "Two")),
        payment_terms_days=st.none() | st.integers(0, 40),
    ),
    max_size=2,
)


@st.composite
def histories(draw: st.DrawFn) -> History:
    """Draw anything that may happen, by source."""
    billing = [draw(_item_life(name, _currencies)) for name in _ITEMS]
    billing += [draw(_note_life(name, _currencies)) for name in ("N", "M") if draw(_often)]
    banks = [draw(_payment_life(name)) for name in _PAYMENTS if draw(_often)]
    banks += [draw(_write_off_life("W")) for _ in range(draw(_at_most_once))]
    if draw(_seldom):  # told again with other content, or under another kind: a conflict
        billing.append([draw(_document(draw(_items), _currencies))])
        banks.append(draw(_payment_life("P")))
    words = [
        draw(_words(draw(_of_any_payment), _strange_lines, id_=f"X{number}"))
        for number in range(draw(_at_most_thrice))
    ]
    return [draw(_shuffled(billing)), draw(_shuffled(banks)), words, draw(_master_data)]


@st.composite
def _names_one(draw: st.DrawFn, name: str) -> tuple[Source, Source]:
    """A payment that names one item, and what the bank says of that item."""
    payment, lines = _naming(name, draw(_items))
    said = [draw(_words(name, lines, id_=f"{name}{number}")) for number in range(draw(_at_most_twice))]
    return [draw(payment), *draw(_after_payment(name, _usd))], said


@cache
def _naming(
    name: str, item: str
) -> tuple[st.SearchStrategy[BillingEvent], st.SearchStrategy[ReconciliationLine]]:
    payment = _event(
        PaymentReceived,
        payment=st.just(name),
        currency=_usd,
        amount=_amounts,
        lines=_maybe_amounts.map(lambda amount: (PaymentLine(document=item, amount=amount),)),
    )
    return payment, _instructions(amounts=_maybe_amounts).map(lambda line: replace(line, document=item))


@st.composite
def _converts(draw: st.DrawFn, name: str) -> tuple[Source, Source]:
    """A payment in another currency, which gives both amounts of each line, and what becomes of it."""
    return [draw(_converting(name)), *draw(_after_payment(name, _usd))], []


@st.composite
def _gives_amounts(draw: st.DrawFn, name: str) -> tuple[Source, Source]:
    """A payment that gives amounts, large enough for all that is ever asked of it."""
    lines = _instructions(amounts=_amounts)
    said = [draw(_words(name, lines, id_=f"{name}{number}")) for number in range(draw(_at_most_twice))]
    return [draw(_covering(name)), *draw(_after_payment(name, _usd))], said


@cache
def _covering(name: str) -> st.SearchStrategy[BillingEvent]:
    return _event(
        PaymentReceived,
        payment=st.just(name),
        currency=_usd,
        amount=st.just(_COVERING),
        lines=_lines(_amounts, least=1),
    )


_kinds = st.sampled_from((_names_one, _gives_amounts, _converts))


@st.composite
def definite_histories(draw: st.DrawFn) -> History:
    """Draw a history in which each line names one item or gives amounts that the payment covers (SEMANTICS 2.3)."""
    billing = [draw(_item_life(name, _usd)) for name in _ITEMS]
    billing += [draw(_note_life(name, _usd)) for name in ("N", "M") if draw(_often)]
    banks = [draw(_write_off_life("W")) for _ in range(draw(_at_most_once))]
    words: list[Source] = []
    for payment in _PAYMENTS:
        if draw(_often):
            life, said = draw(draw(_kinds)(payment))
            banks.append(life)
            words.append(said)
    return [draw(_shuffled(billing)), draw(_shuffled(banks)), draw(_shuffled(words)), []]


@st.composite
def interleavings(draw: st.DrawFn, history: Sequence[Source]) -> Source:
    """Draw an order in which a history can be heard: each source keeps its own."""
    turns = [number for number, source in enumerate(history) for _ in source]
    sources = [iter(source) for source in history]
    return [next(sources[turn]) for turn in draw(st.permutations(turns))]
