"""Processing: one customer or many at once (S0-06, S0-16, S0-18, S0-20, S0-24, S1-09, S2-16, S2-17, S2-23, S3-07).

The page shows whom it would mean and what each would get; one form for one thing that is asked of all of them.
Who was reminded a few days ago is an alert: it goes only with a confirmation and a reason (R5).
"""

import hashlib
import re
from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from typing import Annotated, NamedTuple

from fastapi import Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from msgspec import Struct
from sqlalchemy import Connection
from starlette.background import BackgroundTask
from starlette.datastructures import FormData

from console.batching import Seen, Verb, planned
from console.web.inside.access import Person, needs, require_own_form
from console.web.inside.asking import WrongRequestError
from console.web.inside.given import Collector
from console.web.inside.ordering import (
    ROLE_OF_VERB,
    VERBS,
    Order,
    Wrong,
    carry_out,
    keep_batch,
    kept_batch,
    lines_of,
    order_of,
)
from console.web.inside.parts import InsideParts
from console.web.inside.selecting import Chosen, chosen_of, filter_of
from console.web.inside.showing import page, words_of
from console.web.inside.template_choice import TemplateChoice
from console.web.routing import Routes
from infra.database.engine import reading
from infra.database.queries.statements import Statement, recently_contacted, statements, walk_statements
from infra.database.queries.worklist_page import walk_worklist
from schemas.facts import ReminderDecided

__all__ = ["router"]

_SHOWN_MAX = 50
_AT_ONCE = 500  # accounts that are looked at together
_FIELDS = (
    "because",
    "confirmed",
    "text",
    "template",
    "attach",
    "next_on",
    "approve",
    "kind",
    "responsible",
)


class Meant(Struct, frozen=True, kw_only=True):
    """Whom a page means: the statements that it shows, and how many others the filter has.

    ``others_seal`` stands for who they are; ``others_too_soon`` counts those whose minimum gap has not ended (R5).
    """

    shown: list[Statement]
    others: int = 0
    others_seal: str = ""
    others_too_soon: int = 0

    def too_soon(self) -> list[Statement]:
        """List those shown whose minimum gap has not ended (R5)."""
        return [each for each in self.shown if each.too_soon_until is not None]


class Filled(NamedTuple):
    """A form as it was sent."""

    chosen: Chosen
    typed: dict[str, str]
    channels: list[str]
    seen: dict[str, Seen]
    listed: list[str]
    others: str
    csrf: str
    nonce: str


async def filled(request: Request) -> FormData:
    """Read the form of a request: what was typed is given back where something is wrong with it."""
    return await request.form()


def router(parts: InsideParts) -> Routes:
    """Make the routes: each thing that can be asked has its own, for the role that it needs."""
    routes = Routes()
    texts = TemplateChoice(parts)

    @routes.get("/process", response_model=None)
    def show(*, request: Request, person: Collector, verb: str = "") -> HTMLResponse:
        chosen = chosen_of(request.query_params, person=person)
        meant = _meant(parts, person, chosen)
        may = [each for each in VERBS if person.may(ROLE_OF_VERB[each])]
        verb_shown = next((each for each in may if each == verb), _usual(may, meant))
        templates = _templates(texts, meant.shown) if verb_shown == "edit" else []
        return _form(person, chosen, meant, verb=verb_shown, templates=templates)

    for verb in VERBS:
        routes.add_api_route(
            f"/process/{verb}", _asking(parts, texts, verb), methods=["POST"], response_model=None
        )
    return routes


def _usual(may: Sequence[Verb], meant: Meant) -> Verb:
    """Give what is shown first: letting proposals go where some wait, else the next date."""
    has_proposals = any(each.proposal is not None for each in meant.shown)
    return "approve" if "approve" in may and has_proposals else "next-date"


def _asking(parts: InsideParts, texts: TemplateChoice, verb: Verb) -> Callable[..., Response]:
    def ask_many(
        *,
        request: Request,
        person: Annotated[Person, Depends(needs(ROLE_OF_VERB[verb]))],
        sent: Annotated[FormData, Depends(filled)],
    ) -> Response:
        form = _filled(sent, person=person)
        require_own_form(request, person, csrf=form.csrf)
        if (kept := kept_batch(parts, person, given=form.nonce)) is not None:
            return RedirectResponse(f"/batches/{kept}", status_code=303)  # a double click: it is asked once
        template = form.typed["template"].strip() if verb == "edit" else ""
        # One moment for all of it: what is refused, what is told and what is asked for are of the same state.
        with reading(parts.engine) as connection:
            named = _named(connection, person, form)
            order, wrong = _order(connection, verb, form, named=named, author=person.user)
            templated = _languages(walk_statements(connection, named=named)) if template else []
            lines = []
            if order is not None:
                found = walk_statements(connection, named=named)
                plan = planned(found, asked=order.asked, seen=form.seen)
                lines = lines_of(connection, plan, person=person, given=form.nonce, wall=parts.clock())
        if template and template not in texts.of(templated):
            wrong = [*wrong, Wrong("template", "no_template")]
        if wrong or order is None:
            words = words_of(person.language)["wrong_orders"]
            raise WrongRequestError(
                [words[each.word] for each in wrong], fields=[each.field for each in wrong]
            )
        name = keep_batch(parts, person, lines, asked=order.asked, given=form.nonce)
        return RedirectResponse(
            f"/batches/{name}",
            status_code=303,
            background=BackgroundTask(carry_out, parts, name, person=person),
        )

    ask_many.__name__ = f"ask_{verb.replace('-', '_')}"
    return ask_many


def _order(
    connection: Connection, verb: Verb, form: Filled, *, named: Sequence[str], author: str
) -> tuple[Order | None, list[Wrong]]:
    """Read what a form asks for of these accounts; and what is wrong with it, or with whom it means."""
    order = order_of(verb, form.typed, form.channels, author=author)
    wrong = order if isinstance(order, list) else []
    if next(walk_statements(connection, named=named), None) is None:
        wrong = [*wrong, Wrong("accounts", "nobody")]
    if isinstance(order, Order):
        wrong = [*wrong, *_too_soon(order, walk_statements(connection, named=named))]
    return (order if isinstance(order, Order) and not wrong else None), wrong


def _too_soon(order: Order, found: Iterable[Statement]) -> list[Wrong]:
    """Say what is missing where somebody was reminded a few days ago (R5, S0-16): a reason, and the word that it is meant."""
    asked = order.asked
    is_now = asked.verb == "send-now" or (bool(asked.because) and (asked.verb == "approve" or asked.approve))
    if not is_now or not any(each.too_soon_until is not None for each in found):
        return []
    wrong = [] if asked.because else [Wrong("because", "no_reason")]
    return wrong if order.is_confirmed else [*wrong, Wrong("confirmed", "not_confirmed")]


def _filled(sent: FormData, *, person: Person) -> Filled:
    def text(name: str) -> str:
        value = sent.get(name)
        return value if isinstance(value, str) else ""

    listed = [each for each in sent.getlist("listed") if isinstance(each, str)]
    seen: dict[str, Seen] = {}
    for account in listed:
        said = re.fullmatch(r"(\d{1,9})\.(\d{1,9})/(.*)", text(f"seen:{account}"), re.DOTALL)
        if said is not None:
            seen[account] = (said[3], int(said[1]), int(said[2]))
    return Filled(
        chosen=chosen_of(sent, person=person),
        typed={name: text(name) for name in _FIELDS},
        channels=[each for each in sent.getlist("channels") if isinstance(each, str)],
        seen=seen,
        others=text("others"),
        listed=[each for each in listed if person.sees(each.partition(":")[0])],
        csrf=text("csrf"),
        nonce=text("nonce"),
    )


def _named(connection: Connection, person: Person, form: Filled) -> list[str]:
    """Name all whom a form means: those that are ticked, and the others that its filter has beside those that its page listed.

    Raises:
        WrongRequestError: the filter has others by now than the page has counted.
    """
    if not form.chosen.is_whole:
        return list(form.chosen.accounts)
    known = {*form.listed, *form.chosen.accounts}
    wanted = filter_of(form.chosen.given, person=person)
    others = [each for each in walk_worklist(connection, asked=wanted) if each not in known]
    if f"{_sealed(others):x}" != form.others:
        said = str(words_of(person.language)["process"]["others_changed"])
        raise WrongRequestError([said.format(count=len(others))], fields=["whole"])
    return [*form.chosen.accounts, *others]


def _sealed(others: Iterable[str]) -> int:
    """Give a short number for these accounts, in whatever order: a form carries it instead of thousands of names.

    The number of all is the sum of those of its parts.
    """
    digests = (hashlib.blake2s(each.encode(), digest_size=12).digest() for each in others)
    return sum(int.from_bytes(each) for each in digests)


def _meant(parts: InsideParts, person: Person, chosen: Chosen) -> Meant:
    names, count, seal, too_soon = list(chosen.accounts), 0, 0, 0
    with reading(parts.engine) as connection:
        if chosen.is_whole:
            every = walk_worklist(connection, asked=filter_of(chosen.given, person=person))
            names = names or list(islice(every, _SHOWN_MAX))
            shown = frozenset(names)
            others = (each for each in every if each not in shown)
            while some := list(islice(others, _AT_ONCE)):
                count, seal = count + len(some), seal + _sealed(some)
                too_soon += len(recently_contacted(connection, among=some))
        found = {each.account: each for each in statements(connection, named=names)}
    return Meant(
        shown=[found[each] for each in names if each in found],
        others=count,
        others_seal=f"{seal:x}",
        others_too_soon=too_soon,
    )


def _templates(texts: TemplateChoice, found: Iterable[Statement]) -> list[str]:
    """Give the templates that all that waits of these can be written with."""
    return texts.of(each.proposal.content for each in found if each.proposal is not None)


def _languages(found: Iterable[Statement]) -> list[ReminderDecided]:
    """Give one of what waits of each company and language: the templates of all of them are those of these."""
    contents = (each.proposal.content for each in found if each.proposal is not None)
    return list({(each.company, each.language): each for each in contents}.values())


def _form(
    person: Person, chosen: Chosen, meant: Meant, *, verb: Verb, templates: Sequence[str]
) -> HTMLResponse:
    return page(
        "process.html",
        person=person,
        chosen=chosen,
        meant=meant,
        verb=verb,
        templates=templates,
        verbs=[each for each in VERBS if person.may(ROLE_OF_VERB[each])],
        text=_proposed_text(meant, verb=verb),
    )


def _proposed_text(meant: Meant, *, verb: Verb) -> str:
    """Give what stands in the text of a new form: of one customer the text that waits."""
    one = meant.shown[0].proposal if len(meant.shown) == 1 and not meant.others else None
    return one.content.text if one is not None and verb == "edit" else ""
