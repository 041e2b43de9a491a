"""The console's pages as links lead to them: of which route an address is, and one page of each kind after the other.

Who walks says how a page is had (an application, a server): nothing here is a browser.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from html.parser import HTMLParser
from typing import Final, NamedTuple
from urllib.parse import parse_qsl, unquote, urlsplit

from httpx import Response
from starlette.routing import compile_path

from infra.database.people import ROLES, Role
from tests.console.inside.who_may import WHO_MAY

__all__ = ["FILES_ONLY", "PARTS", "Seen", "is_file", "kind_of", "pages_of", "place_of", "route_of", "walk"]

# No pages of their own: what scripts ask for, to be put into the page that asks.
PARTS: Final = ("/batches/{batch}/progress", "/reports/{report}/sums")
# What they give is to be saved, or looks as a mail does.
FILES_ONLY: Final = ("/customers/{account:path}/message/file",)
_KINDS_MAX: Final = 300
# Of these a value is another kind of page; of other fields only that they are given.
_TELLING: Final = ("verb", "tab", "form", "show", "kind", "by", "part")
_WITHOUT_CONTENT: Final = frozenset({"area", "br", "col", "hr", "img", "input", "link", "meta"})
_PATTERNS: Final = [
    (method, len(re.sub(r"{.*?}", "", pattern)), compile_path(pattern)[0], pattern)
    for role in ROLES
    for method, _, pattern in (said.partition(" ") for said in WHO_MAY[role])
]


class Seen(NamedTuple):
    """A page: ``kind`` tells it from others by what was asked, ``place`` by what it is a page of.

    ``made_of`` is what stands on it, whatever its texts are: elements with class, role and type, empty or not.
    """

    path: str
    route: str
    kind: str
    place: str
    text: str
    made_of: frozenset[str]


def pages_of(role: Role) -> set[str]:
    """Give the routes of the pages that a role may open."""
    may = [said for each in ROLES[: ROLES.index(role) + 1] for said in WHO_MAY[each]]
    every = {said.removeprefix("GET ") for said in may if said.startswith("GET ")}
    return every - {*PARTS, *FILES_ONLY}


@cache
def route_of(path: str, *, method: str = "GET") -> str:
    """Give the route that answers an address: of several that could, the one that says most."""
    place = unquote(urlsplit(path).path)
    found = [
        (said, pattern)
        for answers, said, regex, pattern in _PATTERNS
        if answers == method and regex.match(place)
    ]
    assert found, f"{path} is of no route"
    return max(found)[1]


def place_of(path: str) -> str:
    """Tell what an address is a page of, whatever of it is asked for: the route, and which report or layout."""
    known = _names_in(path)
    # Texts of a kind are alike, in whatever language; each layout is another thing.
    told = [known["name"]] if known.get("kind") == "layout" else [known.get("report", "")]
    return f"{route_of(path)} {told[0]}".strip()


def kind_of(path: str) -> str:
    """Tell pages of one kind apart from others: names of companies, customers and documents are left out."""
    asked = {
        f"{name}={value}" if name in _TELLING else name for name, value in parse_qsl(urlsplit(path).query)
    }
    return f"{place_of(path)} {_names_in(path).get('kind', '')}?{'&'.join(sorted(asked))}"


@cache
def _names_in(path: str) -> dict[str, str]:
    found = compile_path(route_of(path))[0].match(unquote(urlsplit(path).path))
    return found.groupdict() if found else {}


def is_file(path: str) -> bool:
    """Say whether a link leads to a file, or to a mail as it goes out: those are no pages of ours."""
    return bool(re.search(r"[?&](form=(?!page)|show=)", path)) or route_of(path) in FILES_ONLY


def walk(
    get: Callable[[str], Response], *, also: Sequence[str] = (), with_files: bool = True
) -> Iterator[Seen]:
    """Have one page of each kind that links lead to, from the first one and ``also`` from others; files are had, and not given.

    Each link leads somewhere: who may not go there has none. Parts that a page asks for are had as it would.
    """
    known: set[str] = set()
    waiting = ["/", *also]
    count = 0
    while waiting:
        path = waiting.pop(0)
        kind, place = kind_of(path), place_of(path)
        name = path if path in also else kind
        if name in known:
            continue
        known.add(name)
        if is_file(path) and not with_files:
            continue
        assert len(known) < _KINDS_MAX, "there are more kinds of pages than are walked"
        answer = get(path)
        assert 200 == answer.status_code, f"{path}: {answer.status_code}"
        if is_file(path):
            continue
        read = _Page()
        read.feed(answer.text)
        read.close()
        waiting += read.links
        if route_of(path) not in PARTS:
            count += 1
            yield Seen(path, route_of(path), kind, place, answer.text, frozenset(read.made_of()))
    assert count > 10, "they were walked: a page without links would have passed"


class _Page(HTMLParser):
    """Reads where a page leads to, and what it is made of."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.links: list[str] = []
        self._open: list[int] = []
        self._elements: list[tuple[str, bool]] = []

    def made_of(self) -> Iterable[str]:
        """Give each element as it is written without texts, once."""
        return {f"{text}{' with content' if filled else ''}" for text, filled in self._elements}

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        """Take an element that begins."""
        said = {name: value or "" for name, value in attrs}
        for name in ("href", "hx-get"):
            link = said.get(name, "").partition("#")[0]
            if tag != "link" and link.startswith("/"):
                self.links.append(link)
        self._fill()
        # Names of attributes too: one that the policy forbids would make it another page.
        names = " ".join(sorted(set(said) - {"href", "value", "checked", "selected"}))
        kept = " ".join(said.get(each, "") for each in ("class", "role", "type"))
        self._elements.append((f"{tag} {names}: {kept}", False))
        if tag not in _WITHOUT_CONTENT:
            self._open.append(len(self._elements) - 1)

    def handle_data(self, data: str) -> None:
        """Take text: what it stands in is not empty."""
        if data.strip():
            self._fill()

    def handle_endtag(self, tag: str) -> None:
        """Take an element that ends, with those in it that nobody has ended."""
        for place in reversed(range(len(self._open))):
            if self._elements[self._open[place]][0].partition(" ")[0] == tag:
                del self._open[place:]
                return

    def _fill(self) -> None:
        if self._open:
            text, _ = self._elements[self._open[-1]]
            self._elements[self._open[-1]] = (text, True)
