"""Letters as PDF files in a folder, from where they are printed; a letter there counts as printed."""

from pathlib import Path

from notifiers.channel import Message, PermanentError, Receipt, Traits
from notifiers.folders import path_of, write_whole

__all__ = ["LetterFolder"]


class LetterFolder:
    """Writes one PDF per letter, and one per enclosure; the receipt names the letter, relative to the folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @property
    def traits(self) -> Traits:
        """A letter that is written again is the same file."""
        return Traits(provider="folder", endpoint=str(self._folder), is_repeatable=True)

    def send(self, message: Message) -> Receipt:
        """Put the letter into the folder, safe on the disk.

        Raises:
            PermanentError: there is no postal address.
            TemporaryError: the disk does not take it.
        """
        if not any(line.strip() for line in message.contact.address):
            raise PermanentError(
                error_type="address_missing", detail=f"customer {message.customer} has no postal address"
            )
        for place, each in enumerate(message.attachments, start=1):
            enclosed = path_of(message, suffix=f"-{place:02d}.pdf")
            write_whole(self._folder / enclosed, each.content, durable=True)
        path = path_of(message, suffix=".pdf")  # the last: where it is, all is there
        write_whole(self._folder / path, message.pdf, durable=True)
        return Receipt(provider_id=path.as_posix())

    def find(self, message: Message) -> Receipt | None:
        """Say whether the letter is there."""
        path = path_of(message, suffix=".pdf")
        return Receipt(provider_id=path.as_posix()) if (self._folder / path).exists() else None
