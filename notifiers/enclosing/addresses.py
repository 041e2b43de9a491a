"""Which addresses on the network a document may be fetched from: those of the allowed hosts, and none of our own network.

An allowed name can be made to point inside (a forged answer, a name that changes its mind):
so the addresses are looked at after the name was resolved, and the one that was looked at is connected to.
"""

import ipaddress
import socket
from collections.abc import Callable, Sequence
from typing import Final
from urllib.parse import SplitResult, urlsplit

__all__ = ["AddressRefusedError", "Resolver", "checked_address", "checked_url", "resolved"]

_HTTPS_PORT: Final = 443
_NAT64: Final = ipaddress.ip_network("64:ff9b::/96")
Resolver = Callable[[str, int], Sequence[str]]
_Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class AddressRefusedError(Exception):
    """Nothing may be fetched from there."""


def resolved(host: str, port: int) -> Sequence[str]:
    """Ask the system for a host's addresses.

    Raises:
        OSError: it has none at present.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(each[4][0]) for each in found]


def checked_url(url: str, *, hosts: Sequence[str]) -> SplitResult:
    """Give the parts of an address that may be fetched from.

    Raises:
        AddressRefusedError: it is not https, or its host or port is not allowed.
    """
    if not (url.isascii() and url.isprintable()) or " " in url or "\\" in url:
        raise AddressRefusedError("the address has characters that it may not have")
    try:
        parts = urlsplit(url)
        port = parts.port or _HTTPS_PORT
    except ValueError as error:
        raise AddressRefusedError(f"it is no address: {error}") from error
    host = (parts.hostname or "").rstrip(".")
    if parts.scheme != "https" or not host or "@" in parts.netloc:
        raise AddressRefusedError("only https addresses without a user name are fetched")
    if not any(_fits(host, port, allowed=each) for each in hosts):
        raise AddressRefusedError(f"{host}:{port} is not among the allowed hosts")
    return parts


def _fits(host: str, port: int, *, allowed: str) -> bool:
    name, _, allowed_port = allowed.partition(":")
    if port != int(allowed_port or _HTTPS_PORT):
        return False
    return host == name or (name.startswith(".") and host.endswith(name))


def checked_address(host: str, port: int, *, private: bool, resolve: Resolver) -> str:
    """Give the address to connect to.

    Raises:
        AddressRefusedError: one of the host's addresses is not in public.
        OSError: it has none at present.
    """
    addresses = resolve(host, port)
    if not addresses:
        raise OSError(f"{host} has no address")
    for address in addresses:
        if not _is_allowed(ipaddress.ip_address(address.partition("%")[0]), private=private):
            raise AddressRefusedError(f"{host} leads to {address}, which is not in public")
    return addresses[0]


def _is_allowed(address: _Address, *, private: bool) -> bool:
    address = _inner(address)
    if address.is_link_local or address.is_multicast or address.is_unspecified:
        return False
    if private:
        return True
    if isinstance(address, ipaddress.IPv6Address) and address.is_site_local:
        return False
    return address.is_global and not address.is_reserved


def _inner(address: _Address) -> _Address:
    """Give the IPv4 address that an IPv6 one stands for, where it does."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
    if address.teredo is not None:
        return address.teredo[1]
    return address.ipv4_mapped or address.sixtofour or address
