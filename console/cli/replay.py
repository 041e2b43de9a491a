"""``cobranza replay``: the journal folded again without workers, and compared with what they wrote."""

import sys
import time

import click

from infra.settings import Settings

__all__ = ["replay"]

_SHOWN_MAX = 20


@click.command()
@click.pass_obj
def replay(settings: Settings) -> None:
    """Fold the journal with the ledger's own core, and compare rows and facts with the topics.

    Exits with 1 when anything differs.
    """
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
        click.echo(f"{len(replayed.poison)} records were refused by the fold", err=True)
    found = list(islice(differences(replayed=replayed, written=written), _SHOWN_MAX + 1))
    for each in found[:_SHOWN_MAX]:
        click.echo(str(each), err=True)
    said = (
        "no differences"
        if not found
        else f"{'more than ' if len(found) > _SHOWN_MAX else ''}{len(found[:_SHOWN_MAX])} differences"
    )
    click.echo(f"Replayed and compared in {time.monotonic() - started_s:.1f} s: {said}.")
    sys.exit(1 if found else 0)
