"""``cobranza replay``: the journal folded again without workers, and compared with what they wrote."""

import sys
import time

import click

from infra.settings import Settings

__all__ = ["replay"]

_SHOWN_MAX = 20
_COUNTED_MAX = 1000


@click.command()
@click.option(
    "--audit", is_flag=True, help="Check instead that each due step was sent once, or was explained."
)
@click.pass_obj
def replay(settings: Settings, *, audit: bool) -> None:
    """Fold the journal with the ledger's own core, and compare rows and facts with the topics.

    With --audit, then: per item and step, from the day it is due, it was consumed
    exactly once or withheld with a reason; never neither, never twice; and in a
    played journal no reminder names an invoice settled before its tick's day.
    Exits with 1 when anything differs or is not so.
    """
    failed = _compare(settings)
    if audit:
        failed = _audit(settings) or failed
    sys.exit(failed)


def _audit(settings: Settings) -> int:
    from console.logs import failures, journal, journal_mode
    from processors.audit import audit_journal

    started_s = time.monotonic()
    report = audit_journal(journal(settings), failures=failures(settings))
    problems = list(report.problems)
    if journal_mode(settings) == "played":
        problems += report.known_late
    elif report.known_late:
        click.echo(f"{len(report.known_late)} reminders named an item whose payment became known later (R30)")
    click.echo(
        f"{report.ticks} ticks (one per partition), {report.items} items, {report.reminders} reminders: "
        f"{report.consumed} steps consumed, {report.withheld} times withheld with a reason"
    )
    _list(problems)
    said = "" if problems else ": each due step was consumed once or explained"
    click.echo(f"Audit in {time.monotonic() - started_s:.1f} s: {len(problems)} problems{said}.")
    return 1 if problems else 0


def _compare(settings: Settings) -> int:
    from itertools import islice

    from console.logs import replayed_ledger, written_ledger
    from console.replaying import COMPARED_TOPICS, differences

    started_s = time.monotonic()
    written = written_ledger(settings)
    replayed = replayed_ledger(settings)
    click.echo(f"{replayed.records} journal records, {len(replayed.rows)} rows")
    for topic in COMPARED_TOPICS:
        click.echo(f"  {replayed.count(topic):>8}  {topic}")
    if replayed.poison:
        click.echo(
            f"{len(replayed.poison)} records left out, which the fold raised on: cobranza dlq", err=True
        )
    found = [str(each) for each in islice(differences(replayed=replayed, written=written), _COUNTED_MAX)]
    _list(found)
    more = "at least " if len(found) == _COUNTED_MAX else ""
    said = f"{more}{len(found)} differences" if found else "no differences"
    click.echo(f"Replayed and compared in {time.monotonic() - started_s:.1f} s: {said}.")
    return 1 if found else 0


def _list(found: list[str]) -> None:
    for each in found[:_SHOWN_MAX]:
        click.echo(each, err=True)
    if len(found) > _SHOWN_MAX:
        click.echo(f"... and {len(found) - _SHOWN_MAX} more", err=True)
