"""``cobranza ledger verify``: the audit of chain, position, money, rows and facts."""

import sys
import time
from typing import TYPE_CHECKING

import click
import msgspec

from console.cli.formats import printable
from infra.settings import Settings

if TYPE_CHECKING:
    from console.verify.findings import PartitionReport

__all__ = ["ledger"]

_SHOWN_MAX = 20


@click.group()
def ledger() -> None:
    """Audit what the ledger's workers wrote."""


@ledger.command()
@click.option("--partition", type=click.IntRange(min=0), help="Only this journal partition.")
@click.option("--account", default="", help="Only this account (company:customer), in its partition.")
@click.option("--from", "since", default="", metavar="PLACE", help="Judge facts and links from here on.")
@click.option("--to", "until", default="", metavar="PLACE", help="... and up to here.")
@click.option("--json", "as_json", is_flag=True, help="Write one JSON object; all findings, up to 1000 each.")
@click.option(
    "--patience",
    "patience_s",
    type=click.FloatRange(0, 600),
    default=10.0,
    show_default=True,
    help="Seconds in which what one transaction wrote must be readable everywhere.",
)
@click.pass_obj
def verify(
    settings: Settings,
    *,
    partition: int | None,
    account: str,
    since: str,
    until: str,
    as_json: bool,
    patience_s: float,
) -> None:
    """Check every partition, while workers run or not; exits with 1 when anything is not as it must be.

    \b
    chain         each link begins where the last one ended; one first link, at the journal's start
    position      changelog, chain and group offset name the same newest link
    conservation  movements, summed, are the rows' open amounts, credits and balances
    rows, facts   as a replay of the journal by the ledger's own core gives them, facts in order

    A PLACE is a journal position (1200) or a day or time (2026-01-31, 2026-01-31T18:00Z; log time, UTC).
    Rows and facts are compared where one fold version, this program's, has folded all of it;
    where not, the report says so.
    """
    from console.verifying import verify_ledger

    started_s = time.monotonic()
    reports = []
    for report in verify_ledger(
        settings, partition=partition, account=account, since=since, until=until, patience_s=patience_s
    ):
        reports.append(report)
        if not as_json:
            _say(report)
    found = sum(len(report.findings) + report.overflow for report in reports)
    if as_json:
        content = msgspec.json.encode({"ok": not found, "partitions": reports})
        click.echo(msgspec.json.format(content, indent=2).decode())
    else:
        said = f"{found} findings" if found else "nothing is amiss"
        partial = sum(not report.compared for report in reports)
        more = f"; {partial} partitions were not compared with a replay, see above" if partial else ""
        click.echo(
            f"Verified {len(reports)} partitions in {time.monotonic() - started_s:.1f} s: {said}{more}."
        )
    sys.exit(1 if found else 0)


def _say(report: "PartitionReport") -> None:
    at = "nowhere" if report.position is None else str(report.position)
    within = f", slice {report.cursor} of its tick" if report.cursor else ""
    click.echo(f"partition {report.partition} at journal position {at}{within}")
    click.echo(f"  {report.links:>10,} links, fold version {report.fold_version}")
    click.echo(f"  {report.movements:>10,} movements of {report.accounts:,} accounts")
    if report.compared:
        click.echo(
            f"  {report.records:>10,} records replayed: {report.rows:,} rows, {report.facts:,} facts"
            + (f"; the fold refused {report.refused}, here as there" if report.refused else "")
        )
    for note in report.notes:
        click.echo(f"  note: {note}")
    for finding in report.findings[:_SHOWN_MAX]:
        click.echo(f"  {printable(str(finding))}", err=True)
    hidden = len(report.findings) + report.overflow - _SHOWN_MAX
    if hidden > 0:
        click.echo(f"  ... and {hidden} more (--json shows the first 1000)", err=True)
