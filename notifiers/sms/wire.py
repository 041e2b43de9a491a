"""What Twilio's client says over HTTP: nothing twice, nothing into logs, and of what broke whether anything was said.

::

    name, connection, tunnel, handshake     not there, refused, broken off, a certificate that is not trusted: nothing was said
    from the first byte of the request on   whatever breaks, TLS included: nobody knows

What tells the two apart is ``notifiers.handshake``'s.
"""

import threading
from collections.abc import Mapping
from typing import Any, Final

import requests
from requests.adapters import HTTPAdapter
from twilio.http import HttpClient
from twilio.http.response import Response
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, ProxyManager
from urllib3.exceptions import (
    ConnectTimeoutError,
    MaxRetryError,
    NameResolutionError,
    NewConnectionError,
    ProxyError,
)

from notifiers.handshake import ToldConnection
from notifiers.retry_after import asked_wait_s
from notifiers.second_look import Look, Outgoing
from notifiers.sms.account import API, TwilioAccount

__all__ = ["Wire", "broke_before_a_word"]

_CONNECT_S_MAX: Final = 10.0
_NOT_CONNECTED: Final = (ConnectTimeoutError, NewConnectionError, NameResolutionError)


class Wire(HttpClient):  # type: ignore[misc]  # twilio's classes have no types
    """Carries the client's requests: nothing is tried twice, nothing is logged, time has an end."""

    def __init__(self, account: TwilioAccount, *, look: Look) -> None:
        self._look = look
        super().__init__(logger=None, is_async=False, timeout=account.timeout_s)
        self._url = account.url.rstrip("/")
        self._timeout_s = (min(_CONNECT_S_MAX, account.timeout_s), account.timeout_s)
        self._of_thread = threading.local()

    @property
    def asked_wait_s(self) -> float:
        """Give how long the last answer to this thread asked to wait: the client's errors have no headers."""
        return float(getattr(self._of_thread, "asked_wait_s", 0.0))

    def request(  # noqa: PLR0917 - twilio's signature
        self,
        method: str,
        uri: str,
        params: Mapping[str, Any] | None = None,
        data: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        timeout: float | None = None,  # noqa: ARG002 - ours is set once
        allow_redirects: bool = False,
    ) -> Response:
        """Make one request; it may raise what requests raises, and what the look does."""
        self._of_thread.asked_wait_s = 0.0
        if method == "POST" and data is not None:
            said = str(data.get("StatusCallback", ""))
            self._look(
                Outgoing(channel="sms", reminder=said.rpartition("=")[2], recipients=(str(data["To"]),))
            )
        answered = self._session().request(
            method,
            self._url + uri.removeprefix(API),
            params=params,
            data=data,
            headers=headers,
            auth=auth,
            timeout=self._timeout_s,
            allow_redirects=allow_redirects,
        )
        self._of_thread.asked_wait_s = asked_wait_s(answered.headers.items())
        return Response(answered.status_code, answered.text)

    def _session(self) -> requests.Session:
        """Give this thread's connection: requests promises nothing for one that several use."""
        session: requests.Session | None = getattr(self._of_thread, "session", None)
        if session is None:
            session = self._of_thread.session = requests.Session()
            for scheme in ("https://", "http://"):
                session.mount(scheme, _Adapter(max_retries=0))
        return session


def broke_before_a_word(error: requests.RequestException) -> bool:
    """Say whether a request surely said nothing before it failed: it may go again."""
    reason: Any = error.args[0] if error.args else None
    if isinstance(reason, MaxRetryError):
        reason = reason.reason
    if isinstance(reason, ProxyError):
        # A proxy that is not there, or lets nothing through. But a connection that broke is told in the same way
        # when the proxy had the whole message already: http.client has closed it by then.
        return not isinstance(reason.original_error, ConnectionError)
    return isinstance(error, requests.exceptions.ConnectTimeout) or isinstance(reason, _NOT_CONNECTED)


class _Pool(HTTPSConnectionPool):
    ConnectionCls = ToldConnection


_POOLS: Final = {"http": HTTPConnectionPool, "https": _Pool}


class _Adapter(HTTPAdapter):
    """Connects by ours, directly and by a proxy; behind a SOCKS proxy what broke is nobody knows."""

    def init_poolmanager(
        self, connections: int, maxsize: int, block: bool = False, **pool_kwargs: Any
    ) -> None:
        super().init_poolmanager(connections, maxsize, block=block, **pool_kwargs)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def cert_verify(self, conn: Any, url: str, verify: bool | str, cert: Any) -> None:
        """Set up what is trusted, before there is a connection; a file that is not there (``REQUESTS_CA_BUNDLE``) says nothing to anybody."""
        try:
            super().cert_verify(conn, url, verify, cert)
        except OSError as error:
            raise requests.ConnectionError(NewConnectionError(conn, str(error))) from error

    def proxy_manager_for(self, proxy: str, **proxy_kwargs: Any) -> Any:
        manager = super().proxy_manager_for(proxy, **proxy_kwargs)
        if isinstance(manager, ProxyManager):
            manager.pool_classes_by_scheme = _POOLS
        return manager
