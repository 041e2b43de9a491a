"""A company's payment link: an https URL with places that are filled in per customer and document.

What is filled in is encoded whole, so that no name or number can lead elsewhere.
"""

import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import quote, urlsplit

__all__ = ["PLACES", "fill_payment_link", "https_problem", "payment_link_problem", "places_of"]

PLACES: Final = ("reminder", "customer", "document", "amount", "currency")
_PLACE = re.compile(r"\{([^{}]*)\}")


def places_of(link: str) -> frozenset[str]:
    """Give the names in braces."""
    return frozenset(_PLACE.findall(link))


def payment_link_problem(link: str) -> str:
    """Say what is wrong with a link, '' when nothing is."""
    unknown = sorted(places_of(link) - set(PLACES))
    if unknown:
        return f"has the place {unknown[0]!r}; there are: {', '.join(PLACES)}"
    plain = _PLACE.sub("x", link)
    if "{" in plain or "}" in plain:
        return "has a brace without its other one"
    if problem := https_problem(plain):
        return problem
    if "{" in link.split("/")[2]:
        return "has a place in its host"
    return ""


def https_problem(url: str) -> str:
    """Say why this is no https address that a message may lead to, '' when it is."""
    if not (url.isascii() and url.isprintable()) or any(each in url for each in ' "<>\\^`|'):
        return "has characters that an address cannot hold"
    try:
        parts = urlsplit(url)
        named = bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError as error:
        return f"is no address: {error}"
    if parts.scheme != "https" or not named:
        return "does not begin with https:// and a host"
    if "@" in parts.netloc:
        return "has a user name in its host"
    return ""


def fill_payment_link(link: str, values: Mapping[str, str]) -> str:
    """Fill a link without problems in; ``values`` has every place."""
    return _PLACE.sub(lambda found: quote(values[found[1]], safe=""), link)
