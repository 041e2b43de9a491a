"""A company's logo in its mails: an https address as it is, or a small image of its template folder as a part of the mail.

No ``data:`` address: several mail programs show none. Mail programs that show
no pictures show the company's name, which is the image's alternative text.
"""

import hashlib
from pathlib import Path
from typing import Final

from notifiers.channel import Attachment
from notifiers.writing.pixels import Pixels, PixelsError, pixels_of
from notifiers.writing.shelf import found_in

__all__ = ["LOGO_BYTES_MAX", "LogoError", "checked_logo", "logo_of"]

LOGO_BYTES_MAX: Final = 200_000


class LogoError(ValueError):
    """The file that the profile names cannot be a logo."""


def logo_of(logo: str, *, folder: Path | None) -> tuple[str, Attachment | None]:
    """Give what an image element shows, and the file that must go along for it.

    Args:
        logo: of the company's profile: '', an https address or a file name.
        folder: the company's templates, None where it has none.

    Raises:
        LogoError: there is no such file, or it is no PNG, JPEG or GIF of at most 200 kB and
            2,000 × 1,000 pixels (`notifiers.writing.pixels`).
    """
    if not logo:
        return "", None
    if "/" in logo:
        return (logo, None) if logo.startswith("https://") else ("", None)
    path = found_in([folder], logo) if folder is not None else None
    if path is None:
        raise LogoError(f"the logo {logo!r} is not in the company's template folder")
    with path.open("rb") as file:
        content = file.read(LOGO_BYTES_MAX + 1)
    pixels = checked_logo(content, name=logo)
    name = f"logo-{hashlib.blake2b(content, digest_size=8).hexdigest()}"
    part = Attachment(
        name=f"{name}.{pixels.extension}",
        media_type=pixels.media_type,
        content=content,
        content_id=f"{name}@cobranza",
    )
    return f"cid:{part.content_id}", part


def checked_logo(content: bytes, *, name: str) -> Pixels:
    """Give the kind and size of a picture that can be a logo; ``name`` is what the fault calls it.

    Raises:
        LogoError: it cannot be one; says what to do.
    """
    if len(content) > LOGO_BYTES_MAX:
        raise LogoError(f"the logo {name!r} is larger than {LOGO_BYTES_MAX:,} bytes: save it smaller")
    try:
        return pixels_of(content)
    except PixelsError as error:
        raise LogoError(f"the logo {name!r} {error}") from error
