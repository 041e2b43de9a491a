"""What is missing before a company's reminders can go out by themselves (S4-24), each point in a sentence.

``missing`` keeps automatic sending from working as its people expect;
``look`` is worth a look, and hinders nothing.
"""

import datetime
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

from msgspec import Struct

from infra.database.queries.debtors import Debtor
from notifiers.settings import SendSettings
from notifiers.writing.checking import check_texts
from notifiers.writing.library import PARTS, Library, Room
from notifiers.writing.logo import LogoError, logo_of
from notifiers.writing.shared_texts import UNREADABLE
from notifiers.writing.shelf import found_in
from notifiers.writing.words import LANGUAGES
from processors.company import Company
from processors.law.rate_tables import speaks_through
from schemas.fields import Channel as ChannelName
from schemas.plans import Plan

__all__ = ["Point", "link_point", "places_points", "ready_points"]

Verdict = Literal["ok", "look", "missing"]


class Point(Struct, frozen=True, kw_only=True):
    """One thing that was looked at; ``said`` with ``values`` is what ``detail`` says, for other languages."""

    point: str
    verdict: Verdict
    detail: str
    said: str
    values: dict[str, str]


def link_point(missing: str) -> Point:
    """Say whether messages have links (S4-17); ``missing`` is what keeps them from it."""
    if missing:
        return _point(
            "links", "look", f"readers cannot answer by a link: {missing}", "links_none", missing=missing
        )
    return _point("links", "ok", "messages have signed links", "links_ok")


def places_points(seen: Mapping[str, str], *, own: str, not_brought: str = "") -> list[Point]:
    """Say whether whoever writes messages sees the company's own texts as they stand here.

    Args:
        seen: what each place that was heard of lately sees, as a digest; '' none of its own, ``UNREADABLE`` unknown.
        own: what stands here.
        not_brought: why what was saved in the console could not be written into this machine's folder; "" where it was.
    """
    if not_brought:
        # The only word of it where there is one machine: nobody else's texts differ from these.
        detail = (
            f"messages are written with older texts, what was saved cannot be written here: {not_brought}"
        )
        return [_point("text places", "missing", detail, "places_not_brought", error=not_brought)]
    unread = ", ".join(sorted(place for place, digest in seen.items() if digest == UNREADABLE))
    if unread or own == UNREADABLE:
        detail = f"a file of the company cannot be read: {unread or 'here'} (its log names it)"
        return [_point("text places", "missing", detail, "places_unreadable", places=unread or "–")]
    others = sorted(place for place, digest in seen.items() if digest != own)
    if others:
        named = ", ".join(others)
        detail = f"{named} has other texts than stand here: share these (cobranza templates share)"
        return [_point("text places", "missing", detail, "places_differ", places=named)]
    if seen and own:
        detail = f"{len(seen)} places that write messages see them as they stand here"
        return [_point("text places", "ok", detail, "places_ok", count=len(seen))]
    if own:
        detail = "no notifier has said lately which texts it sees"
        return [_point("text places", "look", detail, "places_silent")]
    return []


def ready_points(
    company: Company | None,
    *,
    debtors: Sequence[Debtor],
    enrolled: int,
    newest_tick: datetime.datetime | None,
    send: SendSettings,
    faults: Mapping[ChannelName, str],
    texts: Library,
) -> list[Point]:
    """Look at a company, as the ledger knows it, at all who owe it something, and at who carries its messages.

    ``faults`` says of which channels the carrier cannot be opened, and why; ``texts`` are those of messages.
    """
    if company is None or company.row.profile is None:
        return [
            _point(
                "profile", "missing", "the company was never configured: publish its profile", "profile_none"
            )
        ]
    found = [
        _point(
            "profile",
            "ok",
            f"{company.profile.name}, {company.profile.time_zone}",
            "value",
            value=f"{company.profile.name}, {company.profile.time_zone}",
        )
    ]
    found += _clock(newest_tick)
    found += _switches(company, enrolled=enrolled, debtors=debtors)
    found += _plans(company, debtors=debtors, texts=texts)
    found += _own_texts(texts, company=company.id)
    found += _logo(texts, company=company)
    found += _sender(company)
    found += _carriers(company, send=send, faults=faults)
    found += _addresses(debtors)
    on = newest_tick.date() if newest_tick is not None else datetime.date.max
    on = min(on, datetime.date(2199, 1, 1))
    found += _law(company, debtors=debtors, on=on)
    found += _interest(company, debtors=debtors, on=on)
    found += _bank_gate(company, newest_tick=newest_tick)
    return found


def _point(point: str, verdict: Verdict, detail: str, said: str, **values: object) -> Point:
    texts = {name: str(value) for name, value in values.items()}
    return Point(point=point, verdict=verdict, detail=detail, said=said, values=texts)


def _clock(newest_tick: datetime.datetime | None) -> Iterator[Point]:
    if newest_tick is None:
        yield _point(
            "clock", "missing", "no tick has come yet: nothing is decided without (cobranza up)", "clock_none"
        )
    else:
        yield _point(
            "clock",
            "ok",
            f"the newest tick is of {newest_tick:%Y-%m-%d %H:%M} UTC",
            "clock_ok",
            at=f"{newest_tick:%Y-%m-%d %H:%M}",
        )


def _switches(company: Company, *, enrolled: int, debtors: Sequence[Debtor]) -> Iterator[Point]:
    profile = company.profile
    if not profile.automatic:
        yield _point(
            "automatic",
            "missing",
            "the company is in manual mode: reminders are proposed only",
            "automatic_off",
        )
    else:
        yield _point("automatic", "ok", "reminders go out by themselves", "automatic_on")
    if profile.enrolment == "selected" and not enrolled:
        yield _point(
            "enrolment",
            "missing",
            "only selected customers are followed up, and none is enrolled",
            "enrolment_none",
        )
    elif profile.enrolment == "selected":
        yield _point("enrolment", "ok", f"{enrolled} customers are enrolled", "enrolment_ok", count=enrolled)
    go_live = company.row.go_live
    if profile.past_from is None and profile.new_from is None and debtors and not (go_live and go_live.days):
        oldest = min(each.oldest_due_on for each in debtors)
        yield _point(
            "first run",
            "look",
            f"all debts since {oldest} are chased at once: set start dates, or daily portions (cobranza preview)",
            "first_run",
            oldest=oldest,
        )


def _plans(company: Company, *, debtors: Sequence[Debtor], texts: Library) -> Iterator[Point]:
    room = texts.room(company.id)
    names = {company.profile.plan, *company.profile.group_plans.values()}
    names |= {each.customer.customer.plan for each in debtors if each.customer is not None} - {""}
    languages = {company.profile.language} | {
        each.customer.customer.language.partition("-")[0] for each in debtors if each.customer is not None
    }
    for name in sorted(names):
        versions = company.plans.get(name)
        if not versions:
            yield _point(
                "plan",
                "missing",
                f"plan {name!r} was never published: cobranza plan publish",
                "plan_none",
                plan=name,
            )
            continue
        plan = versions[max(versions)]
        wanted = languages & set(LANGUAGES)
        lacking = sorted(_lacking_templates(plan, room=room, languages=wanted))
        if lacking:
            yield _point(
                "templates",
                "missing",
                f"plan {name!r} has no texts {', '.join(lacking)}",
                "templates_lack",
                plan=name,
                lacking=", ".join(lacking),
            )
        else:
            yield _point(
                "plan",
                "ok",
                f"{name!r} version {plan.version}, texts in {', '.join(sorted(wanted))}",
                "plan_ok",
                plan=name,
                version=plan.version,
                languages=", ".join(sorted(wanted)),
            )


def _lacking_templates(plan: Plan, *, room: Room, languages: set[str]) -> Iterator[str]:
    for step in plan.steps:
        if any(action.channel != "task" or not action.summary for action in step.actions):
            kind = step.template or step.name
            for language in languages:
                if not all(found_in(room.folders, f"{kind}/{language}/{part}.txt") for part in PARTS):
                    yield f"{kind}/{language}"


def _logo(texts: Library, *, company: Company) -> Iterator[Point]:
    """Say where mails show the company's name because its logo is not there."""
    try:
        logo_of(company.profile.logo, folder=texts.room(company.id).own)
    except LogoError as error:
        yield _point("logo", "look", f"mails go without it: {error}", "logo", error=error)


def _own_texts(texts: Library, *, company: str) -> Iterator[Point]:
    """Say what is wrong with a company's own texts before a customer's message fails on it."""
    faults = list(check_texts(texts, company=company)) if texts.room(company).own is not None else []
    if faults:
        first = faults[0]
        where = f"{first.file}, line {first.line}" if first.line else first.file
        yield _point(
            "texts",
            "missing",
            f"{len(faults)} faults: {where}: {first.detail} (cobranza templates check --company {company})",
            "texts_faults",
            count=len(faults),
            where=where,
            error=first.detail,
        )


def _sender(company: Company) -> Iterator[Point]:
    profile = company.profile
    for point, value, detail in (
        ("sender", profile.sender_email, "no sender_email: customers cannot answer"),
        (
            "payment",
            profile.payment_instructions,
            "no payment_instructions: nobody is told how to pay (S4-06)",
        ),
    ):
        if value:
            yield _point(point, "ok", value.splitlines()[0], "value", value=value.splitlines()[0])
        else:
            yield _point(point, "missing", detail, f"{point}_none")
    if profile.answers_to:
        yield _point(
            "answers",
            "ok",
            f"what readers answer goes to {', '.join(profile.answers_to)}",
            "value",
            value=", ".join(profile.answers_to),
        )
    else:
        yield _point(
            "answers",
            "look",
            "no answers_to: what readers answer is a task, and mailed to nobody (S4-17)",
            "answers_none",
        )


def _carriers(company: Company, *, send: SendSettings, faults: Mapping[ChannelName, str]) -> Iterator[Point]:
    """Say how mail goes out, and whatever else the company's plans use."""
    used = {
        action.channel
        for versions in company.plans.values()
        for step in versions[max(versions)].steps
        for action in step.actions
    }
    carried: tuple[tuple[ChannelName, str, str], ...] = (
        ("email", "mail", "mail is written to files: COBRANZA_SEND_EMAIL=smtp, or ses, sends it"),
        ("sms", "sms", "SMS are written to files: COBRANZA_SEND_SMS=twilio sends them"),
        ("letter", "letter", "letters are PDF files in a folder: somebody has to print and post them"),
    )
    for channel, point, files in carried:
        if channel != "email" and channel not in used:
            continue
        if channel in faults:
            yield _point(point, "missing", faults[channel], "carrier_fault", carrier=faults[channel])
        elif not send.is_real(channel):
            yield _point(point, "ok" if channel == "letter" else "look", files, f"{point}_files")
        elif send.sandbox.covers(channel):
            yield _point(
                point,
                "look",
                f"by {send.provider(channel)}, to the sandbox only: no customer is written to",
                "sandbox",
                provider=send.provider(channel),
            )
        else:
            yield _point(
                point, "ok", f"by {send.provider(channel)}", "carried", provider=send.provider(channel)
            )


def _addresses(debtors: Sequence[Debtor]) -> Iterator[Point]:
    unknown = [each.account for each in debtors if each.customer is None]
    mute = [each.account for each in debtors if each.customer is not None and not _reachable(each)]
    if unknown:
        yield _point(
            "customers",
            "missing",
            f"{_some(unknown)} owe and have no master data",
            "customers_unknown",
            **_named(unknown),
        )
    if mute:
        yield _point(
            "addresses",
            "missing",
            f"{_some(mute)} have neither mail, phone nor address",
            "addresses_none",
            **_named(mute),
        )
    if debtors and not unknown and not mute:
        yield _point(
            "addresses",
            "ok",
            f"all {len(debtors)} debtors can be reached",
            "addresses_ok",
            count=len(debtors),
        )


def _reachable(debtor: Debtor) -> bool:
    contacts = () if debtor.customer is None else debtor.customer.customer.contacts
    return any(each.email or each.phone or any(each.address) for each in contacts)


def _law(company: Company, *, debtors: Sequence[Debtor], on: datetime.date) -> Iterator[Point]:
    """Say which laws the debtors are under; who is of unknown kind or country is treated strictly."""
    laws = Counter(company.law.named_edition(each.customer, on=on)[0] for each in debtors)
    unsure = [
        each.account
        for each in debtors
        if each.customer is None
        or each.customer.customer.kind == "unknown"
        or not each.customer.customer.country
    ]
    said = ", ".join(f"{name} ({count})" for name, count in sorted(laws.items()))
    if unsure:
        yield _point(
            "law",
            "look",
            f"{_some(unsure)} are of unknown kind or country; debtors by law: {said}",
            "law_unsure",
            laws=said,
            **_named(unsure),
        )
    elif laws:
        yield _point("law", "ok", f"debtors by law: {said}", "law_ok", laws=said)


def _interest(company: Company, *, debtors: Sequence[Debtor], on: datetime.date) -> Iterator[Point]:
    """Say which rates of late interest are in use, and which table has ended (R22): its newest rate is used for later days, too.

    A company that claims by a table that has ended may claim what no law gives: that is missing, not merely worth a look.
    """
    if company.profile.late_charges == "off":
        return
    editions = dict(company.law.named_edition(each.customer, on=on) for each in debtors)
    for name in sorted(editions):
        for terms in editions[name].interest:
            what = f"interest by law {name}, {terms.currency or 'any currency'}"
            through = speaks_through(terms.rates)
            if through is None:
                detail = f"{what}: it has no rates, publish the company's own: cobranza law publish"
                yield _point(
                    "interest", "look", detail, "interest_none", law=name, currency=terms.currency or "*"
                )
            else:
                newest = terms.rates[-1]
                is_over = on > through
                detail = f"{what}: {newest.percent} % a year since {newest.start_on}"
                detail += (
                    f"; the table ended on {through}, and this rate is used for later days, too: cobranza law add-rate"
                    if is_over
                    else f", as its table says through {through}"
                )
                claims = company.profile.late_charges == "claim"
                yield _point(
                    "interest",
                    ("missing" if claims else "look") if is_over else "ok",
                    detail,
                    "interest_old" if is_over else "interest_ok",
                    law=name,
                    currency=terms.currency or "*",
                    percent=newest.percent,
                    newest=newest.start_on,
                    through=through,
                )


def _bank_gate(company: Company, *, newest_tick: datetime.datetime | None) -> Iterator[Point]:
    if not company.profile.bank_accounts:
        yield _point("bank gate", "look", "off: reminders do not wait for the bank's word (R21)", "banks_off")
    elif newest_tick is not None:
        stale = company.banks.stale(company.profile, day=company.day_of(newest_tick))
        if stale:
            yield _point(
                "bank gate",
                "missing",
                f"not reconciled: {', '.join(sorted(stale))}",
                "banks_stale",
                banks=", ".join(sorted(stale)),
            )
        else:
            yield _point(
                "bank gate",
                "ok",
                f"{len(company.profile.bank_accounts)} accounts are reconciled",
                "banks_ok",
                count=len(company.profile.bank_accounts),
            )


def _named(accounts: Sequence[str]) -> dict[str, object]:
    return {"count": len(accounts), "some": ", ".join(accounts[:3]) + (", …" if len(accounts) > 3 else "")}


def _some(accounts: Sequence[str]) -> str:
    shown = ", ".join(accounts[:3])
    return f"{len(accounts)} accounts ({shown}{', …' if len(accounts) > 3 else ''})"
