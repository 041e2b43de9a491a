"""What each form of the console brings, filled in so that it is carried out: every route that something is sent to.

``{sent}``, ``{proposed}`` and ``{run}`` are put in: a reminder that went out, one that waits, and a what-if under way;
``{dispute}``, ``{promise}`` and ``{payment_plan}``: what was agreed with the first customer.
"""

from typing import Final

from tests.console.inside.desk import PASSWORD

__all__ = ["ALONE", "CHANGES_NOTHING", "FILLED", "STORY"]

STORY: Final = """# one was written to, and two wait for a person
company minimum 10.00
@C1 customer email ana@c1.test name "Almacén Ana"
@C2 customer email ben@c2.test name "Bar Ben"
@C3 customer email carla@c3.test name "Carla Ltda"
plan default
    first      0 email
    second   +20 email
2026-01-02  @C1 invoice INV-1 100.00 due 2026-02-05
2026-01-02  @C2 invoice INV-2 300.00 due 2026-02-05
2026-01-02  @C3 invoice INV-3 200.00 due 2026-02-02
2026-01-05  @C1 payment P-1 10.00
2026-02-03  tick
    expect @C3 reminder first INV-3 by email
2026-02-03  @C1 mode manual
2026-02-03  @C2 mode manual
2026-02-05  tick
    expect @C1 proposal first INV-1 by email because customer
    expect @C2 proposal first INV-2 by email because customer
"""
_PLAN: Final = """id: default
version: 2
steps:
  - {name: first, offset_days: 0, actions: [{channel: email}]}
  - {name: harsh, offset_days: 30, actions: [{channel: letter}]}
"""
_CUSTOMER: Final = "POST /customers/{account:path}"
_COMPANY: Final = "POST /settings/{company}"
_MANY: Final = {
    "accounts": "acme:C1",
    "listed": "acme:C1",
    "seen:acme:C1": "1.0/{proposed}",
    "because": "as we agreed",
    "confirmed": "true",
}
_SEEN: Final = {"revision": "1", "edits": "0"}
_DOUBT: Final = {"reminder": "{sent}", "channel": "email"}

FILLED: Final[dict[str, dict[str, str]]] = {
    "POST /filters": {"name": "mine", "query": "why=task"},
    "POST /filters/delete": {"name": "mine"},
    "POST /language": {"language": "es"},
    "POST /logout": {},
    "POST /me": {"password": PASSWORD, "chosen": "another long word", "again": "another long word"},
    "POST /reports/{report}/kept": {"name": "mine", "query": "currency=USD"},
    "POST /reports/{report}/kept/forget": {"name": "mine"},
    "POST /batches/{batch}/go-on": {},
    f"{_CUSTOMER}/disputes": {"item": "INV-1", "reason": "two loaves short", "amount": "10"},
    f"{_CUSTOMER}/disputes/rule": {"dispute": "{dispute}", "ruling": "rejected", "text": "all was there"},
    f"{_CUSTOMER}/enrolment": {"enrolled": "false"},
    f"{_CUSTOMER}/exclusions": {"item": "INV-1", "reason": "at court"},
    f"{_CUSTOMER}/holds": {"kind": "blocked", "reason": "asked for time", "until": "2026-03-01"},
    f"{_CUSTOMER}/holds/release": {"kind": "blocked"},
    f"{_CUSTOMER}/inclusions": {"item": "INV-1", "reason": "the court has decided"},
    f"{_CUSTOMER}/mode": {"mode": "automatic"},
    f"{_CUSTOMER}/next-date": {"on": "2026-02-20"},
    f"{_CUSTOMER}/notes": {"kind": "note", "text": "reached at ana@c1.test"},
    f"{_CUSTOMER}/opt-ins": {"channel": "sms"},
    f"{_CUSTOMER}/opt-outs": {"channel": "sms", "reason": "asked us"},
    f"{_CUSTOMER}/payment-exclusions": {"payment": "P-1", "reason": "not theirs"},
    f"{_CUSTOMER}/payment-inclusions": {"payment": "P-1", "reason": "theirs after all"},
    f"{_CUSTOMER}/payment-plans": {"item": "INV-1", "count": "3", "first_on": "2026-03-01"},
    f"{_CUSTOMER}/payment-plans/cancel": {"payment_plan": "{payment_plan}", "reason": "paid at once"},
    f"{_CUSTOMER}/promises": {"due_on": "2026-02-20", "amount": "50", "currency": "USD", "by": "Ana"},
    f"{_CUSTOMER}/promises/withdraw": {"promise": "{promise}"},
    f"{_CUSTOMER}/quarantine/release": {},
    f"{_CUSTOMER}/receipts": {
        "total": "20",
        "currency": "USD",
        "on": "2026-02-05",
        "number": "R-1",
        "means": "cheque",
        "state": "received",
    },
    f"{_CUSTOMER}/receipts/state": {"payment": "P-1", "state": "returned", "on": "2026-02-05"},
    f"{_CUSTOMER}/responsible": {"responsible": "bea"},
    f"{_CUSTOMER}/trust": {"trust": "bad"},
    "POST /doubts/ask": _DOUBT,
    "POST /doubts/end": {**_DOUBT, "said": "accepted", "because": "she has it"},
    "POST /letters/again": {"reminder": "r2"},
    "POST /letters/give-up": {"reminder": "r2", "because": "no copy"},
    "POST /process/log": {**_MANY, "kind": "note", "text": "called all of them"},
    "POST /process/next-date": {**_MANY, "next_on": "2026-02-25"},
    "POST /process/approve": _MANY,
    "POST /process/drop": _MANY,
    "POST /process/edit": {**_MANY, "text": "Dear customer"},
    "POST /process/send-now": _MANY,
    "POST /reminders/{reminder}/call-back": {"account": "acme:C3", "reason": "was paid"},
    "POST /reports/mail/again": {"mailing": "m", "recipient": "boss@acme.test"},
    "POST /reports/mail/end": {"schedule": "s"},
    "POST /reports/mail/recipients": {"pattern": "@other.test", "what": "allow"},
    "POST /reports/{report}/mail": {"to": "boss@acme.test", "query": "currency=USD", "form": "pdf"},
    "POST /reports/{report}/schedules": {"to": "boss@acme.test", "every": "week", "hour": "7"},
    "POST /review/{reminder}/approve": _SEEN,
    "POST /review/{reminder}/drop": {**_SEEN, "reason": "settled"},
    "POST /review/{reminder}/edit": {**_SEEN, "text": "Dear customer", "next_on": "2026-02-10"},
    "POST /review/{reminder}/undo": {"account": "acme:C1", "what": "approval"},
    "POST /suppressions": {"channel": "email", "address": "x@c9.test", "company": "acme", "reason": "wrong"},
    "POST /suppressions/remove": {
        "channel": "email",
        "address": "no@c1.test",
        "company": "acme",
        "reason": "it was the mailbox",
    },
    "POST /tasks/end": {"account": "acme:C1", "task": "call", "outcome": "done", "text": "called"},
    f"{_COMPANY}/banks/match": {"line": "L-1", "what": "settled", "reason": "interest"},
    f"{_COMPANY}/banks/override": {"reason": "the bank is closed"},
    f"{_COMPANY}/enrolment": {"account": "acme:C1", "enrolled": "true"},
    f"{_COMPANY}/enrolment/portions": {"per_day": "1", "first_on": "2026-02-10"},
    f"{_COMPANY}/logo": {},
    f"{_COMPANY}/plans/{{plan}}/migration": {"to_version": "1"},
    f"{_COMPANY}/plans/{{plan}}/publish": {"text": _PLAN},
    f"{_COMPANY}/profile": {"footer": "Thank you"},
    f"{_COMPANY}/texts/{{kind}}/{{name}}": {"what": "save", "first/es/opening.txt": "Estimados:"},
    f"{_COMPANY}/texts/{{kind}}/{{name}}/give-back": {},
    f"{_COMPANY}/what-if": {
        "plan": "default/1",
        "first_on": "2026-02-05",
        "last_on": "2026-02-20",
        "profile": "",
    },
    f"{_COMPANY}/what-if/stop": {"run": "{run}"},
    "POST /users": {"user": "carl", "role": "viewer", "language": "en", "companies": "acme"},
    "POST /users/change": {"user": "dora", "role": "approver", "language": "es"},
    "POST /users/password": {"user": "dora"},
}
# Sent, and nothing is any different afterwards: the audit has no line of it.
CHANGES_NOTHING: Final = {
    "POST /messages/{account}": "tries a text out, and shows it",
    "POST /settings/{company}/plans/{plan}/check": "looks at a text, and says what is wrong with it",
}
# What ends, or changes, what another form is about: a proposal, the session, the language of the page.
ALONE: Final = frozenset(
    {
        "POST /letters/again",
        "POST /letters/give-up",
        "POST /logout",
        "POST /me",
        "POST /process/approve",
        "POST /process/drop",
        "POST /process/edit",
        "POST /process/send-now",
        "POST /review/{reminder}/approve",
        "POST /review/{reminder}/drop",
        "POST /review/{reminder}/edit",
        "POST /settings/{company}/texts/{kind}/{name}/give-back",
    }
)
