"""What was measured, written down: a JSON file per day, a plot, and tables in this folder's README."""

import html
import statistics
from pathlib import Path
from typing import Final

from msgspec import Struct, json

from benchmarks.console_table import console_table, is_of_console
from benchmarks.figures import Figure
from benchmarks.race import Standing
from benchmarks.systems import LEDGERS, PEERS

__all__ = ["Results", "ratios", "write"]

_FOLDER: Final = Path(__file__).parent
_README: Final = _FOLDER / "README.md"
_BEGIN: Final = "<!-- results: written by python -m benchmarks --write -->"
_END: Final = "<!-- end of results -->"
_MEDIAN: Final = ", p50"
_TAIL: Final = ", p99"
_SPEEDS: Final = ("events/s", "rows/s", "decisions/s", "letters/s", "mails/s", "ms", "µs")
_LEDGERS: Final = {system.name for system in LEDGERS}
_ON_DISK: Final = {system.name for system in (*LEDGERS, *PEERS) if system.on_disk}
_GOALS: Final = {system.name: system.goal for system in (*LEDGERS, *PEERS) if system.goal}
_WIDTH, _BAR, _LEFT, _RIGHT = 900, 26, 430, 150


class Results(Struct, kw_only=True):
    """All of one `make bench`; ``later``: parts that were measured again by themselves, when and of which commit."""

    environment: dict[str, str]
    quick: bool
    standings: list[Standing]
    figures: list[Figure]
    later: dict[str, str] = {}


def ratios(standings: list[Standing]) -> list[str]:
    """Give ``ledger/PEER RATIO`` of medians, a line for each peer that ran.

    A peer is held to the ledger with as many workers as it has, and with its rows where the peer has them. What
    has most workers comes last: a worker for each core is what this machine can do.
    """
    ran = [each for each in standings if each.rates]
    ledgers = {_kind(each): each for each in ran if each.name in _LEDGERS}
    return [
        f"ledger/{each.name} {statistics.median(ledger.rates) / statistics.median(each.rates):.2f}"
        for each in sorted(ran, key=lambda each: each.workers)
        if each.name not in _LEDGERS and (ledger := ledgers.get(_kind(each))) is not None
    ]


def _kind(standing: Standing) -> tuple[int, bool]:
    """Say what may be compared: how many workers, and whether rows are on disk."""
    return standing.workers, standing.name in _ON_DISK


def write(results: Results, *, date: str) -> None:
    """Write JSON, plot and the README's part between its markers."""
    folder = _FOLDER / "results"
    folder.mkdir(exist_ok=True)
    (folder / f"{date}.json").write_bytes(json.format(json.encode(results), indent=2) + b"\n")
    (folder / f"{date}.svg").write_text(_plot(results.standings), encoding="utf-8")
    text = _README.read_text(encoding="utf-8")
    before, _, rest = text.partition(_BEGIN)
    _, _, after = rest.partition(_END)
    part = f"{_BEGIN}\n\n{_tables(results, date=date)}\n{_END}"
    _README.write_text(f"{before}{part}{after}", encoding="utf-8")


def _tables(results: Results, *, date: str) -> str:
    lines = [
        f"Measured on {date}{' (quick sizes)' if results.quick else ''}; all values: [results/{date}.json](results/{date}.json).",
        "",
        *(f"- {name}: {value}" for name, value in results.environment.items()),
        *(f"- {part}, measured by itself: {when}" for part, when in sorted(results.later.items())),
        "",
        f"![events per second of each system](results/{date}.svg)",
        "",
        "| one worker each where nothing else is said, same machine, same run | events/s: median (min–max; runs × events) | the ledger has, of its goal | processor µs per event | records / bytes written per event | accounts at the end |",
        "|---|---|---|---|---|---|",
        *map(_standing_line, results.standings, _factors(results.standings)),
        "",
        *_ledgers_topics(results.standings),
        *_figure_tables([each for each in results.figures if not is_of_console(each)]),
        *console_table(results.figures),
    ]
    return "\n".join([*lines, ""])


def _ledgers_topics(standings: list[Standing]) -> list[str]:
    written = next((each.written for each in standings if each.name == "ledger"), {})
    if not written:
        return []
    return [
        "Records of one run of the ledger: "
        + ", ".join(f"`{name}` {count:,}" for name, count in written.items())
        + ".",
        "",
    ]


def _factors(standings: list[Standing]) -> list[str]:
    ratio = dict(line.removeprefix("ledger/").split(" ") for line in ratios(standings))
    return [ratio.get(each.name, "") for each in standings]


def _standing_line(standing: Standing, factor: str) -> str:
    if not standing.rates:
        reason = standing.left_out.splitlines()[0] if standing.left_out else "not run"
        return f"| {standing.title} | left out: {reason} | | | | |"
    low, high = min(standing.rates), max(standing.rates)
    rate = f"{statistics.median(standing.rates):,.0f} ({low:,.0f}–{high:,.0f}; {len(standing.rates)} × {standing.events:,})"
    written = f"{standing.records:.2f} / {standing.octets:,.0f}" if standing.records else "–"
    used = f"{statistics.median(standing.processor_us):.1f}" if standing.processor_us else "–"
    end = standing.accounts or "–"
    if standing.left_out:
        end += f"; then {standing.left_out.splitlines()[0]}"
    goal = _GOALS.get(standing.name, 0)
    asked = f" of {goal:g} ×" if factor and goal else f"of {goal:,.0f} events/s" if goal else ""
    return f"| {standing.title} | {rate} | {f'{factor} ×' if factor else ''}{asked} | {used} | {written} | {end} |"


def _figure_tables(measured: list[Figure]) -> list[str]:
    """Give three tables: speeds, latencies with both percentiles in a row, and what things weigh."""
    latencies = [each for each in measured if each.name.endswith((_MEDIAN, _TAIL))]
    speeds = [each for each in measured if each.unit in _SPEEDS and each not in latencies]
    weights = [each for each in measured if each not in speeds and each not in latencies]
    tails = {each.name.removesuffix(_TAIL): each for each in latencies if each.name.endswith(_TAIL)}
    medians = [each for each in latencies if each.name.endswith(_MEDIAN)]
    return [
        *("| what | measured | budget | of what |", "|---|---|---|---|"),
        *map(_figure_line, speeds),
        *("", "| from event to … | p50 | p99 | budget of p99 | of what |", "|---|---|---|---|---|"),
        *(_latency_line(each, tails[each.name.removesuffix(_MEDIAN)]) for each in medians),
        *("", "| what an event, an account and a worker weigh | measured | of what |", "|---|---|---|"),
        *(f"| {each.name} | {_text(each)} | {each.note} |" for each in weights),
    ]


def _figure_line(figure: Figure) -> str:
    return f"| {figure.name} | {_text(figure)} | {_budget(figure)} | {figure.note} |"


def _latency_line(median: Figure, tail: Figure) -> str:
    name = median.name.removesuffix(_MEDIAN)
    return f"| {name} | {_text(median)} | {_text(tail)} | {_budget(tail)} | {tail.note} |"


def _text(figure: Figure) -> str:
    value = f"{figure.median:,.0f}" if figure.median >= 100 else f"{figure.median:.3g}"
    several = f" ({min(figure.values):,.0f}–{max(figure.values):,.0f})" if len(figure.values) > 1 else ""
    return f"{value} {figure.unit}{several}"


def _budget(figure: Figure) -> str:
    return f"{'≤' if figure.at_most else '≥'} {figure.budget:,.0f}" if figure.budget else ""


def _plot(standings: list[Standing]) -> str:
    """Draw a bar per system that accounts: its median, with a whisker from the slowest run to the fastest."""
    drawn = [each for each in standings if each.rates and each.accounts]
    longest = max((max(each.rates) for each in drawn), default=1.0)
    scale = (_WIDTH - _LEFT - _RIGHT) / longest
    height = (len(drawn) + 1) * _BAR + 20
    bars = [_bar(standing, top=10 + place * _BAR, scale=scale) for place, standing in enumerate(drawn)]
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" font-family="sans-serif" font-size="13">',
            f'<rect width="{_WIDTH}" height="{height}" fill="white"/>',
            *bars,
            f'<text x="{_LEFT}" y="{height - 12}" fill="#555">events/s: median, slowest and fastest run</text>',
            "</svg>\n",
        ]
    )


def _bar(standing: Standing, *, top: int, scale: float) -> str:
    low, median, high = (
        _LEFT + scale * each
        for each in (min(standing.rates), statistics.median(standing.rates), max(standing.rates))
    )
    middle = top + _BAR / 2 - 2
    colour = "#2a6f97" if standing.name in _LEDGERS else "#a9b4bd"
    return (
        f'<text x="{_LEFT - 8}" y="{middle + 4:.0f}" text-anchor="end">{html.escape(standing.title)}</text>'
        f'<rect x="{_LEFT}" y="{top}" width="{median - _LEFT:.1f}" height="{_BAR - 6}" fill="{colour}"/>'
        f'<line x1="{low:.1f}" x2="{high:.1f}" y1="{middle:.0f}" y2="{middle:.0f}" stroke="#222" stroke-width="2"/>'
        f'<text x="{high + 8:.1f}" y="{middle + 4:.0f}">{statistics.median(standing.rates):,.0f}</text>'
    )
