"""Header fields of a mail as bytes on the wire: folded, and seven bits whatever they say (RFC 5322, 2047, 2231).

Written here and not by the standard library, whose folding has joined encoded words without a
space, lost the quotes of names with a comma, and takes most of the time of a mail. It refuses
nothing: whoever calls has checked addresses, and a line break in a text is a space.
"""

import base64
import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Final
from urllib.parse import quote

__all__ = [
    "Mailbox",
    "mailbox_field",
    "mailboxes_field",
    "one_line",
    "parameter",
    "plain_field",
    "text_field",
]

_LINE_MAX: Final = 78
_WORD_LINE_MAX: Final = 76  # RFC 2047, section 2: of each line that holds an encoded word
_WORD_MAX: Final = 75
_UNFOLDED_MAX: Final = 900  # RFC 5322, 2.1.1 allows 998
_B, _Q, _END = "=?utf-8?b?", "=?utf-8?q?", "?="
# What stands for itself in a "Q" word, in a display name too (RFC 2047, 5 (3)).
_SAFE: Final = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!*+-/")
_PLAIN: Final = re.compile(r"[ -~]*")
_ATOMS: Final = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]+")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_PART_MAX: Final = 60  # of a parameter's value, percent-encoded
Mailbox = tuple[str, str]  # what is shown, and the address


def plain_field(name: str, value: str) -> str:
    """Write a field whose value is ASCII already, folded at spaces where it is long."""
    first, *words = value.split(" ")
    lines = [f"{name}: {first}"]
    for word in words:
        if len(lines[-1]) + 1 + len(word) > _LINE_MAX:
            lines.append(f" {word}")
        else:
            lines[-1] += f" {word}"
    return "\r\n".join(lines) + "\r\n"


def text_field(name: str, text: str) -> str:
    """Write a field of free text (Subject): as it is where it can be, else in encoded words."""
    text = one_line(text)
    long = max(map(len, text.split(" "))) > _UNFOLDED_MAX
    if _PLAIN.fullmatch(text) and "=?" not in text and not long:
        return plain_field(name, text)
    return f"{name}: {_encoded(text, taken=len(name) + 2)}\r\n"


def mailbox_field(name: str, *, display: str, address: str) -> str:
    """Write a field that holds one mailbox (From, To, Reply-To). An address beyond ASCII stays as it is (RFC 6532)."""
    display = one_line(display)
    if not display:
        return f"{name}: {address}\r\n"
    if not _PLAIN.fullmatch(display) or "=?" in display or len(display) > _UNFOLDED_MAX:
        phrase = _encoded(display, taken=len(name) + 2)
    elif _ATOMS.fullmatch(display):
        phrase = display
    else:
        phrase = '"' + display.replace("\\", "\\\\").replace('"', '\\"') + '"'
    last = len(phrase.rpartition("\r\n")[2])
    fold = "\r\n" if last + len(name) + len(address) + 5 > _WORD_LINE_MAX else ""
    return f"{name}: {phrase}{fold} <{address}>\r\n"


def mailboxes_field(name: str, mailboxes: Sequence[Mailbox]) -> str:
    """Write a field that holds several mailboxes (Cc), one to a line; without any there is no field."""
    written = [
        mailbox_field(name, display=display, address=address).removeprefix(f"{name}: ").removesuffix("\r\n")
        for display, address in mailboxes
    ]
    return f"{name}: " + ",\r\n ".join(written) + "\r\n" if written else ""


def parameter(name: str, value: str) -> str:
    """Write a parameter, folded in front, with its semicolon (``;\\r\\n filename="..."``); RFC 2231 beyond ASCII."""
    value = one_line(value)
    if _PLAIN.fullmatch(value) and len(value) <= _PART_MAX:
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        return f';\r\n {name}="{escaped}"'
    parts = list(_percent_parts(value))
    if len(parts) == 1:
        return f";\r\n {name}*=utf-8''{parts[0]}"
    first = f";\r\n {name}*0*=utf-8''{parts[0]}"
    return first + "".join(f";\r\n {name}*{at}*={part}" for at, part in enumerate(parts[1:], start=1))


def one_line(text: str) -> str:
    """Make a text one line without control characters: what no header may hold."""
    return " ".join(_CONTROL.sub(" ", text).split())


@lru_cache(maxsize=1_024)  # a company's name stands in all of its mails
def _encoded(text: str, *, taken: int) -> str:
    """Write a text as encoded words: none is over 75 characters, none ends inside of a character."""
    octets = text.encode()
    safe = sum(octet in _SAFE or octet == 0x20 for octet in octets)
    # A "Q" octet takes three, a "b" octet four thirds.
    words = _q_words if safe + 3 * (len(octets) - safe) <= len(octets) * 4 / 3 else _b_words
    return "\r\n ".join(words(text, first=_WORD_LINE_MAX - taken))


def _q_words(text: str, *, first: int) -> Iterator[str]:
    room, word = min(first, _WORD_MAX) - len(_Q) - len(_END), ""
    for character in text:
        octets = character.encode()
        if character == " ":
            part = "_"
        elif len(octets) == 1 and octets[0] in _SAFE:
            part = character
        else:
            part = "".join(f"={octet:02X}" for octet in octets)
        if len(word) + len(part) > room:
            yield f"{_Q}{word}{_END}"
            room, word = _WORD_MAX - len(_Q) - len(_END), ""
        word += part
    yield f"{_Q}{word}{_END}"


def _b_words(text: str, *, first: int) -> Iterator[str]:
    room = (min(first, _WORD_MAX) - len(_B) - len(_END)) // 4 * 3
    octets = b""
    for character in text:
        more = character.encode()
        if len(octets) + len(more) > room:
            yield f"{_B}{base64.b64encode(octets).decode()}{_END}"
            room, octets = (_WORD_MAX - len(_B) - len(_END)) // 4 * 3, b""
        octets += more
    yield f"{_B}{base64.b64encode(octets).decode()}{_END}"


def _percent_parts(value: str) -> Iterator[str]:
    part = ""
    for character in value:
        escaped = quote(character, safe="")
        if len(part) + len(escaped) > _PART_MAX:
            yield part
            part = ""
        part += escaped
    yield part
