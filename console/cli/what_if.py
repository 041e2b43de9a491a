"""``cobranza what-if`` and ``cobranza shadow``: what other rules would send; nothing is ever sent by them."""

import datetime
import signal
import sys
import threading
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

import click
import msgspec

from console.cli.formats import Cell, OutputFormat, format_option, print_rows
from console.read_model import DAY, amount

if TYPE_CHECKING:
    from console.comparing import ChannelPrice, Side
    from console.law_windows import LawWindow
    from console.shadowing import DayDifference
    from infra.settings import Settings
    from processors.alternative import Contact

__all__ = ["shadow", "what_if"]

_LINES = ("sign", "day", "account", "level", "channel", "fate", "items", "amount")
_SHOWN = 200

_plan = click.option("--plan", help="A plan file (or one that ships), in the place of the plan of its id.")
_profile = click.option(
    "--profile", default="", help="A law that ships, for all debtors: strict, cl_consumer, ..."
)
_company = click.option("--company", default="", help="Of this company only.")


@click.command("what-if")
@_plan
@_profile
@_company
@click.option("--from", "first_on", type=DAY, required=True, help="First day that is compared: YYYY-MM-DD.")
@click.option("--to", "last_on", type=DAY, required=True, help="Last day.")
@click.option(
    "--price",
    "prices",
    multiple=True,
    help="Of a delivery over a channel, such as letter=1.20; the installation's own prices when left out.",
)
@click.option("--lines", is_flag=True, help="List what only one set of rules sends, instead of the sums.")
@format_option
@click.pass_obj
def what_if(
    settings: "Settings",
    *,
    plan: str | None,
    profile: str,
    company: str,
    first_on: datetime.datetime,
    last_on: datetime.datetime,
    prices: tuple[str, ...],
    lines: bool,
    output_format: OutputFormat,
) -> None:
    """Fold the journal again under another plan or law, from its beginning, and compare what would be sent.

    Both sides are answered alike: a delivery is accepted when it may go out, unless the log says that the
    address failed; a proposal is approved as it stands.
    """
    from console.what_if import compare, rules_of

    found = compare(
        settings,
        rules=rules_of(plan=plan, profile=profile, company=company),
        first_on=first_on.date(),
        last_on=last_on.date(),
        prices=_prices(prices) if prices else _own_prices(settings),
    )
    if lines:
        shown = found.lines if output_format != "table" else found.lines[:_SHOWN]
        print_rows(
            (_line(each, sign=sign) for sign, each in shown), columns=_LINES, output_format=output_format
        )
        if len(found.lines) > len(shown):
            click.echo(f"The first {len(shown)} of {len(found.lines)}; --format csv has all.", err=True)
        return
    rows: list[dict[str, Cell]] = [
        {"what": name, "now": now, "other": other}
        for (name, now), (_, other) in zip(_sums(found.now), _sums(found.other), strict=True)
    ]
    rows += [
        {"what": f"{each.step} by {each.channel}", "now": each.now, "other": each.other}
        for each in found.sums
    ]
    print_rows(rows, columns=("what", "now", "other"), output_format=output_format)


def _own_prices(settings: "Settings") -> "dict[str, ChannelPrice]":
    """Take what the installation pays, for as many segments and pages as its deliveries usually have had."""
    from console.costing import usual_prices

    return usual_prices(settings)


def _prices(given: tuple[str, ...]) -> "dict[str, ChannelPrice]":
    from console.comparing import ChannelPrice

    prices = {}
    for each in given:
        channel, _, price = each.partition("=")
        try:
            prices[channel] = ChannelPrice(amount=Decimal(price))
        except InvalidOperation as error:
            raise click.BadParameter(
                f"{each!r} is no price such as letter=1.20", param_hint="--price"
            ) from error
    return prices


def _sums(side: "Side") -> list[tuple[str, Cell]]:
    weeks = ", ".join(f"{count}: {accounts}" for count, accounts in side.weeks.items())
    return [
        ("reminders", side.reminders),
        ("of these, let go by a person", side.asked_reminders),
        ("accounts written to by themselves", side.accounts),
        ("accounts only where a person lets go", side.asked_accounts),
        ("contacts", side.contacts),
        ("failed", side.failed),
        ("cost", " + ".join(f"{currency} {amount}".strip() for currency, amount in side.cost.items()) or "0"),
        ("most contacts in 7 days", side.worst_week),
        ("accounts by their most contacts in 7 days", weeks),
        ("needless: paid by that day, as known now", side.needless),
        *(cell for each in side.windows for cell in _window(each)),
    ]


def _window(each: "LawWindow") -> list[tuple[str, Cell]]:
    """Say of one limit of a law how near to it the persons come, and how many are above it."""
    what = "channels" if each.of_channels else " and ".join(f"{way}s" for way in each.ways)
    days = "1 day" if each.within_days == 1 else f"{each.within_days} days"
    return [
        (f"law {each.law}: most {what} in {days}, {each.at_most} allowed", each.worst),
        (f"law {each.law}: persons above {each.at_most} {what} in {days}", each.above),
    ]


def _line(one: "Contact", *, sign: str) -> dict[str, Cell]:
    money = (f"{currency} {amount(minor, currency=currency):,}" for currency, minor in one.amounts)
    return {
        "sign": sign,
        "day": one.on,
        "account": one.account,
        "level": one.step,
        "channel": one.channel,
        "fate": one.fate,
        "items": ", ".join(one.items),
        "amount": " + ".join(money),
    }


@click.command()
@_plan
@_profile
@_company
@click.option("--from", "first_on", type=DAY, help="Write from this day on; all when left out.")
@click.option("--once", is_flag=True, help="End when all that there is now has been read.")
@click.option(
    "--name",
    default="",
    help="Keep its state in the data folder, go on where it was, and tell by day what differs.",
)
@click.pass_obj
def shadow(
    settings: "Settings",
    *,
    plan: str | None,
    profile: str,
    company: str,
    first_on: datetime.datetime | None,
    once: bool,
    name: str,
) -> None:
    """Follow the live journal under another plan or law, and write what would be sent, a JSON object a line.

    It only reads: no group, no producer, no table. Started again it says the same again (R26), from
    the journal's beginning. With --name it goes on where it was stopped, folds the log under its own rules, too, and
    writes a line for each day that is over: how many contacts each side came to, and those that only one has. The lines are kept
    in shadows/NAME.jsonl of the data folder.
    """
    from console.what_if import follow, follow_days, rules_of

    stop = threading.Event()
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
    rules = rules_of(plan=plan, profile=profile, company=company)

    def is_over(is_read: bool) -> bool:
        return stop.is_set() or (once and is_read)

    if name:
        for day in follow_days(settings, rules=rules, name=name, is_over=is_over):
            if first_on is None or day.on >= first_on.date():
                _write(day)
        return
    for each in follow(settings, rules=rules, is_over=is_over):
        if (first_on is None or each.on >= first_on.date()) and rules.concern(each.account.partition(":")[0]):
            _write(each)


def _write(each: "Contact | DayDifference") -> None:
    sys.stdout.write(msgspec.json.encode(each).decode() + "\n")
    sys.stdout.flush()
