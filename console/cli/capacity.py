"""``cobranza capacity``: what an installation of your size needs, with every formula and what binds."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

if TYPE_CHECKING:
    from console.sizing.measured import Constant
    from console.sizing.model import Estimate

__all__ = ["capacity"]

_ABOVE_ZERO = click.FloatRange(min=0, min_open=True)
_SHARE = click.FloatRange(0, 1, min_open=True)


@click.command()
@click.option(
    "--accounts", type=_ABOVE_ZERO, default=1e6, show_default=True, help="Customers of all companies."
)
@click.option(
    "--events-per-second",
    "events_per_s",
    type=_ABOVE_ZERO,
    default=1e3,
    show_default=True,
    help="At the peak.",
)
@click.option(
    "--items-per-account",
    type=click.FloatRange(min=0),
    default=3.0,
    show_default=True,
    help="Open ones, and settled ones that are still remembered.",
)
@click.option(
    "--replication", type=click.IntRange(1, 15), default=3, show_default=True, help="Copies of every topic."
)
@click.option(
    "--retention",
    "retention_days",
    type=_ABOVE_ZERO,
    default=365.0,
    show_default=True,
    help="Days of journal and movements, which are what can be replayed.",
)
@click.option(
    "--average-share", type=_SHARE, default=0.25, show_default=True, help="Of the peak, over the retention."
)
@click.option("--reminders-per-account-year", type=click.FloatRange(min=0), default=6.0, show_default=True)
@click.option(
    "--decision-window",
    "decision_window_s",
    type=_ABOVE_ZERO,
    default=3600.0,
    show_default=True,
    help="Seconds in which a day's reminders must be decided.",
)
@click.option(
    "--standbys",
    type=click.IntRange(0, 5),
    default=0,
    show_default=True,
    help="Warm copies of each partition.",
)
@click.option(
    "--takeover",
    "takeover_s",
    type=_ABOVE_ZERO,
    default=60.0,
    show_default=True,
    help="Seconds in which a partition must be read back from the changelog.",
)
@click.option(
    "--utilisation", type=_SHARE, default=0.6, show_default=True, help="Of cores and disks at the peak."
)
@click.option(
    "--price-core", type=click.FloatRange(min=0), help="A month, in your currency; all three or none."
)
@click.option("--price-memory-gib", type=click.FloatRange(min=0))
@click.option("--price-disk-gib", type=click.FloatRange(min=0))
@click.option(
    "--constants",
    "own",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Your own measurements (TOML, as console/sizing/constants.toml).",
)
@click.option("--json", "as_json", is_flag=True, help="Write one JSON object.")
def capacity(
    *,
    price_core: float | None,
    price_memory_gib: float | None,
    price_disk_gib: float | None,
    own: Path | None,
    as_json: bool,
    **demand: Any,
) -> None:
    """Compute workers, partitions, takeover time, brokers, disk and memory for your numbers.

    Every line says its formula, and where several needs meet, which one binds. Constants are
    measured ones (the command that prints each is named) or marked as assumed; no price is.
    """
    from console.sizing.measured import read_constants
    from console.sizing.model import Demand, Prices, estimate

    given = (price_core, price_memory_gib, price_disk_gib)
    prices = None
    if price_core is not None and price_memory_gib is not None and price_disk_gib is not None:
        prices = Prices(core=price_core, memory_gib=price_memory_gib, disk_gib=price_disk_gib)
    elif any(each is not None for each in given):
        raise click.UsageError(
            "Give all three prices, or none: --price-core, --price-memory-gib, --price-disk-gib"
        )
    constants, sources = read_constants(own)
    wanted = Demand(**demand)
    said = estimate(wanted, constants=constants, prices=prices)
    if as_json:
        whole = {
            "demand": wanted,
            "lines": list(said.lines.values()),
            "warnings": said.warnings,
            "constants": sources,
        }
        click.echo(msgspec.json.format(msgspec.json.encode(whole), indent=2).decode())
    else:
        _say(said, sources=sources)


def _say(said: "Estimate", *, sources: "dict[str, Constant]") -> None:
    for section in dict.fromkeys(line.section for line in said.lines.values()):
        click.echo(f"\n{section}")
        for line in said.lines.values():
            if line.section == section:
                binds = f"; {line.binds} binds" if line.binds else ""
                click.echo(f"  {line.name:<18} {_plain(line.value):>16} {line.unit}{binds}")
                click.echo(f"  {'':<18} {'':>16} = {line.formula}")
    click.echo("\nconstants")
    for name, constant in sources.items():
        source = constant.measured or f"assumed: {constant.assumed}"
        click.echo(f"  {name:<24} {_plain(constant.value):>10} {constant.unit} ({source})")
    for warning in said.warnings:
        click.echo(f"\nnote: {warning}")


def _plain(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:,.3g}"
