"""Connections of providers' clients that tell a handshake that failed from an exchange that broke: before the first, nothing was said.

The two are told apart by where they happened, not by their words: the same words (a record that is none) come of both.
A connection is made when there is none yet, which is before the request's first byte; once it is there, whatever breaks
has other errors. The way through a proxy, and its tunnel, are part of making it.
"""

from urllib3.connection import HTTPSConnection
from urllib3.exceptions import NewConnectionError, SSLError
from urllib3.util.ssl_match_hostname import CertificateError

__all__ = ["ToldConnection"]


class ToldConnection(HTTPSConnection):
    """Says of a handshake that failed that there was no connection: no request is written before it has ended."""

    def connect(self) -> None:
        """Connect, and shake hands.

        Raises:
            NewConnectionError: nothing was said; with what TLS itself raised, or that time is over.
        """
        try:
            super().connect()
        except (
            OSError,
            CertificateError,
            SSLError,
        ) as error:  # the last one: no file of certificates that can be read
            raise NewConnectionError(self, f"the handshake failed, nothing was said: {error}") from error
