"""``cobranza deliveries list|resolve``: what became of each delivery, and a person's word where nobody knows."""

from typing import TYPE_CHECKING, Literal, cast, get_args

import click

from console.cli.formats import OutputFormat, format_option, print_rows
from infra.errors import OperatorError
from schemas.fields import Channel

if TYPE_CHECKING:
    from infra.settings import Settings

__all__ = ["deliveries"]

Said = Literal["accepted", "failed", "resend"]
_STATES = ("scheduled", "sending", "accepted", "failed", "superseded", "unknown")
_COLUMNS = ("tick", "reminder", "channel", "account", "state", "recipient", "subject", "error_type")
_MORE = ("not_before", "attempts", "retry_at", "provider_id", "detail")


class NotUnknownError(OperatorError):
    """There is nothing to resolve: says what the delivery is instead."""


@click.group()
def deliveries() -> None:
    """Deliveries: one for each reminder and channel."""


@deliveries.command("list")
@click.option("--state", type=click.Choice(_STATES), default=None, help="In this state only.")
@click.option("--channel", type=click.Choice(get_args(Channel)), default=None, help="Over this channel only.")
@click.option("--account", default="", help="Of this account only: COMPANY:CUSTOMER.")
@click.option(
    "--limit", type=click.IntRange(1, 100_000), default=200, show_default=True, help="The newest so many."
)
@format_option
@click.pass_obj
def list_(
    settings: "Settings",
    *,
    state: str | None,
    channel: str | None,
    account: str,
    limit: int,
    output_format: OutputFormat,
) -> None:
    """Show the newest deliveries; json and csv say more of each."""
    from msgspec import structs

    from console.read_model import open_read_model
    from infra.database.queries.sending import delivery_lines

    with open_read_model(settings) as connection:
        found = delivery_lines(
            connection, state=state or "", channel=channel or "", account=account, lines_max=limit
        )
    rows = [
        structs.asdict(one)
        | {
            "tick": one.tick.isoformat(timespec="minutes"),
            "retry_at": one.retry_at.isoformat(timespec="seconds") if one.retry_at else "",
        }
        for one in found
    ]
    print_rows(
        rows, columns=_COLUMNS if output_format == "table" else _COLUMNS + _MORE, output_format=output_format
    )


@deliveries.command()
@click.argument("reminder")
@click.argument("channel", type=click.Choice(get_args(Channel)))
@click.argument("said", type=click.Choice(get_args(Said)), metavar="accepted|failed|resend")
@click.pass_obj
def resolve(settings: "Settings", *, reminder: str, channel: str, said: str) -> None:
    """Say what became of an unknown delivery, so that its account goes on (R19).

    `accepted`: it went out. `failed`: it did not, and shall not. `resend`: it did
    not; send it now. The channel's notifier publishes the outcome.
    """
    from infra.database.engine import open_engine
    from infra.database.migrate import require_current
    from infra.database.send_ledger import SendLedger
    from notifiers.assembly import utc_now
    from notifiers.outcomes import occurred_at
    from notifiers.settings import SendSettings

    engine = open_engine(settings.database)
    try:
        require_current(engine)
        ledger = SendLedger(
            engine,
            channel=cast("Channel", channel),
            owner="",
            reader_age_s_max=SendSettings().reader_age_s_max,
        )
        job = ledger.job(reminder)
        if job is None:
            raise NotUnknownError(f"There is no delivery of reminder {reminder} over {channel}.")
        when = occurred_at(job, now=utc_now())
        if not ledger.resolve(reminder, status=cast("Said", said), occurred_at=when):
            raise NotUnknownError(
                f"The delivery is {job.state}, which stands: only unknown ones are resolved."
            )
    finally:
        engine.dispose()
