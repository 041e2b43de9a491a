"""A logo's size is known before it is unpacked: what is small as a file and enormous as a picture is refused, with what to do."""

import os
import time
import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifiers.writing.logo import LOGO_BYTES_MAX, LogoError, logo_of
from notifiers.writing.pixels import Pixels, PixelsError, pixels_of
from tests.notifiers.pictures import chunk, gif, jpeg, png

DRAWN = (
    b"<?xml version='1.0'?><!DOCTYPE svg [<!ENTITY x SYSTEM 'file:///etc/passwd'>]>"
    b"<svg xmlns='http://www.w3.org/2000/svg'><text>&x;</text></svg>"
)


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (png(40, 12), ("image/png", "png")),
        (png(40, 12, colour=0), ("image/png", "png")),
        (png(40, 12, beside=chunk(b"iTXt", b"k\0\0\0\0\0text")), ("image/png", "png")),
        (png(40, 12, beside=chunk(b"iCCP", b"k\0\0" + zlib.compress(b"x" * 3000))), ("image/png", "png")),
        (jpeg(40, 12), ("image/jpeg", "jpg")),
        (jpeg(40, 12, frame=0xC2, scans=10), ("image/jpeg", "jpg")),
        (gif(40, 12), ("image/gif", "gif")),
    ],
)
def test_what_a_logo_is(content: bytes, kind: tuple[str, str]) -> None:
    """PNG, JPEG, also in several layers, and GIF are known by what is in them."""
    expected = Pixels(media_type=kind[0], extension=kind[1], width=40, height=12)
    assert expected == pixels_of(content)


@pytest.mark.parametrize(("width", "height"), [(1, 1), (7, 5), (8, 8), (9, 17), (33, 2)])
def test_an_interlaced_picture_has_its_passes(width: int, height: int) -> None:
    """The data of PNG's seven passes are counted as its standard says: one byte more or less is a broken file."""
    passes = [
        (0, 0, 8, 8),
        (4, 0, 8, 8),
        (0, 4, 4, 8),
        (2, 0, 4, 4),
        (0, 2, 2, 4),
        (1, 0, 2, 2),
        (0, 1, 1, 2),
    ]
    sizes = [(len(range(x, width, dx)), len(range(y, height, dy))) for x, y, dx, dy in passes]
    needed = sum(rows * (1 + columns) for columns, rows in sizes if columns)
    whole = png(width, height, colour=0, is_interlaced=True, data=bytes(needed))
    assert (width, height) == (pixels_of(whole).width, pixels_of(whole).height)
    for wrong in (needed - 1, needed + 1):
        with pytest.raises(PixelsError):
            pixels_of(png(width, height, colour=0, is_interlaced=True, data=bytes(wrong)))


BOMBS = {
    "100 million pixels": (png(said=(10_000, 10_000), colour=0, data=bytes(10_001 * 10_000)), "pixels"),
    "a long line": (png(said=(2_001, 1)), "2,001 × 1 pixels"),
    "too many in all": (png(said=(2_000, 2_000)), "2,000,000 in all"),
    "four thousand million": (png(said=(2**31 - 1, 2**31 - 1)), "pixels"),
    "none": (png(said=(0, 10)), "pixels"),
    "more data than pixels": (png(data=bytes(100_000_000)), "unpacks to more than it says"),
    "fewer data than pixels": (png(data=b"\0"), "its data are not of its size"),
    "a profile that unpacks": (
        png(beside=chunk(b"iCCP", b"k\0\0" + zlib.compress(bytes(100_000_000), 9))),
        "without profile and texts",
    ),
    "texts that unpack": (
        png(beside=chunk(b"zTXt", b"k\0\0" + zlib.compress(bytes(1_000_000), 9)) * 50),
        "without profile and texts",
    ),
    "an international text that unpacks": (
        png(beside=chunk(b"iTXt", b"k\0\1\0en\0k\0" + zlib.compress(bytes(100_000_000), 9))),
        "without profile and texts",
    ),
    "many parts": (png(beside=chunk(b"tEXt", b"k\0v") * 3000), "more than 2,000 parts"),
    "a film of PNG": (png(beside=chunk(b"acTL", b"\0\0\1\0" * 2)), "moves"),
    "a changed byte": (png().replace(b"IEND", b"IENE"), "broken PNG"),
    "a cut PNG": (png()[:-20], "broken PNG"),
    "a large JPEG": (jpeg(10_000, 10_000), "10,000 × 10,000 pixels"),
    "a second, larger JPEG within": (jpeg(frames=2), "few programs read"),
    "a JPEG without loss": (jpeg(frame=0xC3), "few programs read"),
    "ten thousand layers": (jpeg(frame=0xC2, scans=10_000), "10,000 layers"),
    "no layer": (jpeg(scans=0), "0 layers"),
    "a cut JPEG": (jpeg()[:-2], "cut off"),
    "a JPEG of beginnings": (b"\xff\xd8" + b"\xff" * 150_000, "JPEG"),
    "a scan of beginnings": (jpeg()[:-2] + b"\xff" * 150_000 + b"\0", "cut off"),
    "a large GIF": (gif(65_535, 65_535), "65,535 × 65,535 pixels"),
    "a GIF larger than it says": (gif(frame=(65_535, 65_535)), "larger than it says"),
    "a film of GIF": (gif(frames=3), "moves"),
    "an endless GIF": (gif()[:-1], "broken GIF"),
    "a drawing that reads a file": (DRAWN, "save it as PNG"),
    "a PDF": (b"%PDF-1.7", "neither PNG nor JPEG nor GIF"),
    "nothing": (b"", "neither PNG nor JPEG nor GIF"),
}


@pytest.mark.parametrize(("content", "detail"), BOMBS.values(), ids=BOMBS.keys())
def test_picture_bombs_do_not_go_off(tmp_path: Path, content: bytes, detail: str) -> None:
    """Each is small enough to be taken as a file; it is refused at once, and the fault says which file and what to do."""
    assert len(content) <= LOGO_BYTES_MAX
    (tmp_path / "logo.png").write_bytes(content)
    started_s = time.process_time()
    with pytest.raises(LogoError) as caught:
        logo_of("logo.png", folder=tmp_path)
    assert 2 > time.process_time() - started_s
    assert str(caught.value).startswith("the logo 'logo.png' ")
    assert detail in str(caught.value)


@given(
    st.binary(max_size=200), st.sampled_from([png(), jpeg(), gif()]), st.integers(0, 200), st.integers(0, 40)
)
def test_whatever_a_file_holds_is_a_size_or_a_refusal(junk: bytes, whole: bytes, at: int, cut: int) -> None:
    """No file ends the notifier: cut, overwritten and made up ones have one kind of error."""
    try:
        found = pixels_of(whole[:at] + junk + whole[at + cut :])
    except PixelsError:
        return
    assert found.width * found.height <= 2_000_000


def test_what_is_large_is_not_even_read(tmp_path: Path) -> None:
    """A file of many gigabytes costs the bytes that a logo may have."""
    (tmp_path / "logo.png").write_bytes(png())
    os.truncate(tmp_path / "logo.png", 50_000_000_000)
    with pytest.raises(LogoError, match="larger than 200,000 bytes"):
        logo_of("logo.png", folder=tmp_path)
