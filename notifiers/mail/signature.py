"""DKIM signatures (RFC 6376): relaxed/relaxed, rsa-sha256, over what a mail says and to whom.

Made with OpenSSL's keys: a pure Python signature with a usual key takes longer than all the rest of a
mail. The key stays inside; no message and no error shows it. It refuses keys that not every
verifier takes: RSA under 1024 bits, and other kinds.
"""

import base64
import hashlib
import re
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from infra.errors import OperatorError

__all__ = ["DkimError", "DkimSigner"]

_RSA_BITS_MIN: Final = 1_024
# Signed once more than they are there: nobody can add another one on the way (RFC 6376, 8.15).
_OVERSIGNED: Final = (b"from", b"to", b"subject", b"reply-to", b"date")
# RFC 8058 wants both fields of unsubscribing signed.
_SIGNED: Final = (
    b"cc",
    b"message-id",
    b"mime-version",
    b"content-type",
    b"content-transfer-encoding",
    b"content-language",
    b"auto-submitted",
    b"list-unsubscribe",
    b"list-unsubscribe-post",
    b"x-cobranza-reminder",
)
_SPACES: Final = re.compile(rb"[ \t]+")
_SPACE_AT_END: Final = re.compile(rb"[ \t]+(?=\r\n|$)")
_LINES_AT_END: Final = re.compile(rb"(?:\r\n)+$")
_FIELD: Final = re.compile(rb"([^:\r\n]+):((?:[^\r\n]|\r\n[ \t])*)\r\n")
_VALUE_LINE_MAX: Final = 70


class DkimError(OperatorError):
    """The key cannot be used; says which file and why, never what is in it."""


class DkimSigner:
    """Signs mails of one domain. Thread-safe.

    Args:
        domain, selector: ``<selector>._domainkey.<domain>`` has the public key.
        key: the private key, PEM.

    Raises:
        DkimError: that is no key, or none that verifiers take.
    """

    def __init__(self, *, domain: str, selector: str, key: bytes) -> None:
        try:
            loaded = load_pem_private_key(key, password=None)
        except (ValueError, TypeError) as error:
            raise DkimError("the DKIM key is no private key in PEM without a password") from error
        if not isinstance(loaded, RSAPrivateKey):
            raise DkimError("the DKIM key is no RSA key")
        if loaded.key_size < _RSA_BITS_MIN:
            raise DkimError(f"the DKIM key has {loaded.key_size} bits: {_RSA_BITS_MIN} are needed")
        self._key = loaded
        try:
            self._domain, self._selector = domain.encode("idna"), selector.encode("idna")
        except UnicodeError as error:
            raise DkimError(f"no DNS holds {selector}._domainkey.{domain}") from error

    @classmethod
    def from_file(cls, path: Path, *, domain: str, selector: str) -> "DkimSigner":
        """Read the key.

        Raises:
            DkimError: there is no such file, or no key in it.
        """
        try:
            return cls(domain=domain, selector=selector, key=path.read_bytes())
        except OSError as error:
            raise DkimError(f"the DKIM key {path} cannot be read: {error.strerror}") from None
        except DkimError as error:
            raise DkimError(f"{path}: {error}") from None

    def signed(self, content: bytes, *, at_s: int) -> bytes:
        """Give a mail with its signature in front.

        Args:
            content: fields and body, lines ending in CRLF.
            at_s: when it is signed, seconds since 1970.
        """
        head, _, body = content.partition(b"\r\n\r\n")
        fields = [(name.strip().lower(), value) for name, value in _FIELD.findall(head + b"\r\n")]
        names = [name for name, _ in fields]
        listed = [name for name in (*_OVERSIGNED, *_SIGNED) for _ in range(names.count(name))]
        listed += _OVERSIGNED
        body_hash = base64.b64encode(hashlib.sha256(_relaxed_body(body)).digest())
        value = b"v=1; a=rsa-sha256; c=relaxed/relaxed; d=%b;\r\n s=%b; t=%d; bh=%b;\r\n h=%b;\r\n b=" % (
            self._domain,
            self._selector,
            at_s,
            body_hash,
            _folded(listed),
        )
        # Of a name that is there more than once, the last one comes first (RFC 6376, 5.4.2).
        left = {name: [each for own, each in fields if own == name] for name in listed}
        hashed = [_relaxed_field(name, left[name].pop()) for name in listed if left[name]]
        hashed.append(_relaxed_field(b"dkim-signature", b" " + value))
        signature = base64.b64encode(self._key.sign(b"\r\n".join(hashed), PKCS1v15(), hashes.SHA256()))
        at = range(0, len(signature), _VALUE_LINE_MAX)
        lines = b"\r\n ".join(signature[start : start + _VALUE_LINE_MAX] for start in at)
        return b"DKIM-Signature: " + value + lines + b"\r\n" + content


def _relaxed_field(name: bytes, value: bytes) -> bytes:
    return name + b":" + _SPACES.sub(b" ", value.replace(b"\r\n", b"")).strip(b" \t")


def _relaxed_body(body: bytes) -> bytes:
    tidy = _SPACES.sub(b" ", _SPACE_AT_END.sub(b"", body))
    tidy = _LINES_AT_END.sub(b"", tidy)
    return tidy + b"\r\n" if tidy else b""


def _folded(names: list[bytes]) -> bytes:
    lines = [b""]
    for name in names:
        if len(lines[-1]) + len(name) > _VALUE_LINE_MAX:
            lines.append(b"")
        lines[-1] += name + b":"
    return b"\r\n  ".join(lines).rstrip(b":")
