"""An account as a machine that hypothesis drives: whatever happens in whatever order, what must hold does.

``pytest tests/processors/test_account_machine.py --hypothesis-profile=long`` drives it for minutes.
"""

import datetime
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, precondition, rule

from processors.invariants import check
from schemas import commands, events
from schemas.facts import LedgerFact, Movement, ReminderDecided, ReminderEnded
from schemas.fields import Channel
from schemas.journal import SourceEvent, TickPassed
from schemas.outcomes import OutcomeReported
from schemas.plans import Action, Plan, Step
from tests.scenarios.law import free_law
from tests.scenarios.on_core import Stage

COMPANY, CUSTOMER = "acme", "C1"
ACCOUNT = f"{COMPANY}:{CUSTOMER}"
START = datetime.date(2026, 1, 5)
GAP_DAYS = 3
HOLDS: tuple[commands.HoldKind, ...] = ("legal_hold", "do_not_contact", "blocked")
PLAN = Plan(
    id="default",
    version=1,
    steps=(
        Step(name="courtesy", offset_days=-3, actions=(Action(channel="email"),)),
        Step(name="first", offset_days=0, actions=(Action(channel="email"), Action(channel="letter"))),
        Step(name="second", offset_days=10, actions=(Action(channel="email"),)),
        Step(name="third", offset_days=25, actions=(Action(channel="letter"), Action(channel="task"))),
    ),
)
_amounts = st.integers(1, 20).map(lambda tens: f"{10 * tens}.00")
_days = st.integers(0, 12)


class AccountMachine(RuleBasedStateMachine):
    """One account twice: kept alive, and built from its rows after each record; both must say the same.

    Attributes:
        excluded, held: what a person took out or held, as this machine told it.
        contacts: the days on which the customer was contacted.
        open: deliveries that have no outcome yet, by reminder.
    """

    items: Bundle[str] = Bundle("items")
    payments: Bundle[str] = Bundle("payments")

    def __init__(self) -> None:
        super().__init__()
        self.live, self.rebuilt = Stage(), Stage(restores=True)
        self.now = datetime.datetime.combine(START, datetime.time(9), tzinfo=datetime.UTC)
        self.number = 0
        self.excluded: set[str] = set()
        self.held: set[str] = set()
        self.contacts: list[datetime.date] = []
        self.open: dict[str, set[Channel]] = {}
        self.consumed: dict[str, int] = {}
        self.moved: dict[str, int] = {}

    # -- telling ------------------------------------------------------------------

    def tell(self, event: SourceEvent | TickPassed) -> list[LedgerFact]:
        """Fold an event in both, and check what it led to."""
        facts = self.live.fold(event)
        assert facts == self.rebuilt.fold(event), "the rows alone are not the state"
        for fact in facts:
            self._see(fact)
        return facts

    def _see(self, fact: LedgerFact) -> None:
        match fact:
            case Movement():
                name = f"item {fact.item}" if fact.item else f"credit {fact.credit}"
                self.moved[name] = self.moved.get(name, 0) + fact.amount_minor
            case ReminderDecided():
                self._judge(fact)
            case ReminderEnded(status="sent"):
                self.contacts.append(fact.on)
                steps = {each.name: index for index, each in enumerate(PLAN.steps)}
                for item, step in fact.consumed:
                    assert steps[step] > self.consumed.get(item, -1), f"{item}: {step} was consumed before"
                    self.consumed[item] = steps[step]

    def _judge(self, fact: ReminderDecided) -> None:
        """A reminder keeps the gap, and names nothing that is held, settled, or consumed already."""
        day = fact.tick.date()
        assert not self.held, f"written to while {self.held}"
        assert not self.open, "another reminder is on its way"
        # A date by hand on which no step is due is a task for a person, who is not kept from it by the gap (R20).
        assert not fact.items or all((day - contact).days >= GAP_DAYS for contact in self.contacts), (
            f"{day} after {self.contacts}"
        )
        account = self.live.partition.account(ACCOUNT)
        for each in fact.items:
            assert each.item not in self.excluded, f"{each.item} was excluded"
            assert account.items[each.item].open_minor == each.open_minor > 0
            assert each.step_index > self.consumed.get(each.item, -1)
        self.open[fact.id] = {delivery.channel for delivery in fact.deliveries}

    def whose(self, **more: Any) -> dict[str, Any]:
        """Give what each event of the account has."""
        occurred_at = self.now.isoformat()
        return {"company": COMPANY, "customer": CUSTOMER, "occurred_at": occurred_at, **more}

    def asked(self, **more: Any) -> dict[str, Any]:
        """The same for a request of a person."""
        self.number += 1
        return self.whose(command=f"command-{self.number}", author="controller", **more)

    # -- what happens -------------------------------------------------------------

    @initialize()
    def begin(self) -> None:
        """A company with a plan and no law of contact; a customer with two addresses."""
        told: Any = {"company": COMPANY, "occurred_at": "2025-01-01"}
        for event in (
            commands.ConfigureCompany(
                **told, command="profile", name="Acme", time_zone="UTC", currency="USD"
            ),
            free_law(COMPANY),
            commands.PublishPlan(**told, command="plan", plan=PLAN),
            events.CustomerUpserted(
                **self.whose(name="Ana"),
                contacts=(events.Contact(email="ana@c1.test", address=("Calle 1", "Santiago")),),
            ),
        ):
            self.tell(event)

    @rule(target=items, amount=_amounts, due=_days, currency=st.sampled_from(("USD", "USD", "USD", "CLP")))
    def invoice(self, amount: str, due: int, currency: str) -> str:
        """An invoice, due soon or some days ago."""
        self.number += 1
        name = f"INV-{self.number}"
        due_date = self.now.date() + datetime.timedelta(days=due - 4)
        amount = amount if currency == "USD" else amount.partition(".")[0]
        self.tell(
            events.InvoiceIssued(
                **self.whose(document=name, currency=currency, amount=amount, due_date=due_date)
            )
        )
        return name

    @rule(target=payments, amount=_amounts, named=st.lists(items, max_size=2, unique=True))
    def pay(self, amount: str, named: list[str]) -> str:
        """Money comes in, for what it names or for the oldest."""
        self.number += 1
        name = f"P-{self.number}"
        lines = tuple(events.PaymentLine(document=each) for each in named)
        self.tell(
            events.PaymentReceived(**self.whose(payment=name, currency="USD", amount=amount, lines=lines))
        )
        return name

    @rule(payment=payments)
    def bounce(self, payment: str) -> None:
        """A payment bounces; a second time it says nothing new."""
        self.tell(events.PaymentReversed(**self.whose(payment=payment)))

    @rule(item=items, amount=st.none() | _amounts, due=st.none() | _days)
    def amend(self, item: str, amount: str | None, due: int | None) -> None:
        """An invoice is amended."""
        self.number += 1
        due_date = None if due is None else self.now.date() + datetime.timedelta(days=due)
        row = self.live.partition.account(ACCOUNT).items[item]
        amount = amount if amount is None or row.currency == "USD" else amount.partition(".")[0]
        self.tell(
            events.InvoiceAmended(
                **self.whose(document=item, revision=self.number, amount=amount, due_date=due_date)
            )
        )

    @rule(item=items)
    def cancel(self, item: str) -> None:
        """An invoice is cancelled."""
        self.tell(events.InvoiceCancelled(**self.whose(document=item)))

    @rule(amount=_amounts, invoice=st.none() | items)
    def credit_note(self, amount: str, invoice: str | None) -> None:
        """A credit note, for an invoice or for whatever."""
        self.number += 1
        note = f"N-{self.number}"
        self.tell(
            events.CreditNoteIssued(
                **self.whose(document=note, currency="USD", amount=amount, invoice=invoice)
            )
        )

    @rule(item=items)
    def exclude(self, item: str) -> None:
        """A person takes an item out of dunning."""
        self.tell(commands.ExcludeItem(**self.asked(document=item, reason="wrong goods")))
        self.excluded.add(item)

    @rule(item=items)
    def include(self, item: str) -> None:
        """And back."""
        self.tell(commands.IncludeItem(**self.asked(document=item)))
        self.excluded.discard(item)

    @rule(kind=st.sampled_from(HOLDS))
    def hold(self, kind: commands.HoldKind) -> None:
        """The account is held."""
        self.tell(commands.PlaceHold(**self.asked(kind=kind, reason="asked for")))
        self.held.add(kind)

    @rule()
    def release(self) -> None:
        """All holds of the account end."""
        for kind in HOLDS:
            self.tell(commands.ReleaseHold(**self.asked(kind=kind)))
        self.held.clear()

    @rule(days=_days)
    def next_date(self, days: int) -> None:
        """The next date is set by hand."""
        self.tell(commands.SetNextDate(**self.asked(next_on=self.now.date() + datetime.timedelta(days=days))))

    @rule(days=_days, amount=st.none() | _amounts)
    def promise(self, days: int, amount: str | None) -> None:
        """The customer promises to pay."""
        due_on = self.now.date() + datetime.timedelta(days=days)
        self.tell(commands.MakePromise(**self.asked(due_on=due_on, amount=amount)))

    @rule(kind=st.sampled_from(("note", "conversation", "call_attempt")))
    def note(self, kind: Any) -> None:
        """Somebody writes down a note, or talks to the customer."""
        self.tell(commands.AddNote(**self.asked(kind=kind, text="said")))
        if kind == "conversation":
            self.contacts.append(self.now.date())

    # -- time and answers -----------------------------------------------------------

    @rule(days=st.sampled_from((1, 1, 1, 2, 5, 11)))
    def tick(self, days: int) -> None:
        """Days pass; the last is looked at, twice (R26)."""
        self.now += datetime.timedelta(days=days)
        tick = TickPassed(at=self.now, mode="played")
        self.tell(tick)
        assert [] == self.tell(tick), "a second look at one instant decided something"

    @precondition(lambda self: self.open)
    @rule(status=st.sampled_from(("accepted", "accepted", "accepted", "failed", "superseded", "unknown")))
    def answer(self, status: Any) -> None:
        """A notifier reports the next delivery."""
        (reminder, channels), *_ = self.open.items()
        channel = min(channels)
        error = "address_refused" if status == "failed" else ""
        self.tell(
            OutcomeReported(**self.whose(reminder=reminder, channel=channel, status=status, error_type=error))
        )
        if status != "unknown":
            channels.discard(channel)
            if not channels:
                del self.open[reminder]

    # -- what must hold ---------------------------------------------------------------

    @invariant()
    def money_is_conserved(self) -> None:
        """Section 3: sums are those of rows and of movements, for each item, credit and currency."""
        if ACCOUNT not in {key.decode().split('"')[1] for key in self.live.partition.rows()}:
            return
        account = self.live.partition.account(ACCOUNT)
        check(account)
        kept = {f"item {name}": row.open_minor for name, row in account.items.items()}
        kept |= {f"credit {name}": row.rest_minor for name, row in account.credits.items()}
        assert {name: minor for name, minor in self.moved.items() if minor} == {
            name: minor for name, minor in kept.items() if minor
        }

    @invariant()
    def rows_are_the_state(self) -> None:
        """What a worker would take over is what the other has."""
        assert self.live.partition.rows() == self.rebuilt.partition.rows()


TestAccount = AccountMachine.TestCase
TestAccount.settings = settings(
    max_examples=settings.default.max_examples // 4 if settings.default else 25,
    stateful_step_count=25,
    deadline=None,
)
