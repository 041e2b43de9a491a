"""Pages of a PDF drawn as a printer would (PDFium), and the codes on them read as a telephone would (zxing-cpp)."""

import pypdfium2
import zxingcpp
from msgspec import Struct

__all__ = ["Read", "codes_on"]

_POINTS_PER_INCH = 72


class Read(Struct, frozen=True, kw_only=True):
    """A code that was read: what it says, on which page (from 1), and the length of its upper side in millimetres."""

    text: str
    page: int
    side_mm: float


def codes_on(pdf: bytes, *, dpi: int) -> list[Read]:
    """Read all QR codes of a PDF drawn at so many points an inch: page by page, from the left."""
    found = []
    document = pypdfium2.PdfDocument(pdf)
    for number, page in enumerate(document, start=1):
        bitmap = page.render(scale=dpi / _POINTS_PER_INCH, grayscale=True)
        pixels = memoryview(bytes(bitmap.buffer)).cast("B", shape=[bitmap.height, bitmap.stride])
        for each in zxingcpp.read_barcodes(
            pixels, formats=zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode)
        ):
            side = each.position.top_right.x - each.position.top_left.x
            found.append(
                (
                    number,
                    each.position.top_left.x,
                    Read(text=each.text, page=number, side_mm=side / dpi * 25.4),
                )
            )
    return [read for _, _, read in sorted(found, key=lambda each: each[:2])]
