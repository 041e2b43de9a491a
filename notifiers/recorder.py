"""The channel that sends nothing: what would go out becomes files that a person can open.

It is the default for mail and SMS, so that a new installation writes to nobody.
"""

import base64
from pathlib import Path
from typing import Final

from notifiers.channel import Message, PermanentError, Receipt, Traits
from notifiers.folders import path_of, write_whole
from notifiers.mail.mime import MailSender, mail_of

__all__ = ["Recorder"]

_NO_SENDER: Final = MailSender(address="no-sender@invalid.example")


class Recorder:
    """Writes mails as ``.eml`` (with ``.txt`` and ``.html`` beside it) and SMS as ``.sms.txt``.

    The receipt names the file, relative to the folder. The ``.eml`` comes last:
    where it is, the message was taken whole. Nothing is forced to the disk: after
    a power cut the outbox may miss what the ledger calls accepted, and nobody
    misses a mail.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @property
    def traits(self) -> Traits:
        """A file that is written again is the same file."""
        return Traits(provider="recorder", endpoint=str(self._folder), is_repeatable=True)

    def send(self, message: Message) -> Receipt:
        """Write the files; writing them again gives the same ones.

        Raises:
            PermanentError: there is no address, or it cannot be one.
            TemporaryError: the disk does not take them.
        """
        files = _sms(message) if message.channel == "sms" else _mail(message)
        for suffix, content in files:
            write_whole(self._folder / path_of(message, suffix=suffix), content, durable=False)
        return self._receipt(message)

    def find(self, message: Message) -> Receipt | None:
        """Say whether the files are there."""
        receipt = self._receipt(message)
        return receipt if (self._folder / receipt.provider_id).exists() else None

    def _receipt(self, message: Message) -> Receipt:
        suffix = ".sms.txt" if message.channel == "sms" else ".eml"
        return Receipt(provider_id=path_of(message, suffix=suffix).as_posix())


def _page(message: Message) -> str:
    """Give the HTML as a browser shows it, with its pictures in it: a file beside it has no parts."""
    page = message.html
    for each in message.attachments:
        if each.content_id:
            data = base64.b64encode(each.content).decode()
            page = page.replace(f"cid:{each.content_id}", f"data:{each.media_type};base64,{data}")
    return page


def _sms(message: Message) -> list[tuple[str, bytes]]:
    phone = message.contact.phone.strip()
    if not phone:
        raise PermanentError(
            error_type="address_missing", detail=f"customer {message.customer} has no phone number"
        )
    return [(".sms.txt", f"{phone}\n\n{message.text}\n".encode())]


def _mail(message: Message) -> list[tuple[str, bytes]]:
    mail = mail_of(message, sender=_NO_SENDER, dated=message.at)
    return [
        (".txt", message.text.encode()),
        (".html", _page(message).encode()),
        (".eml", mail.content),
    ]
