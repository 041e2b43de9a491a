"""A company's logo: in the mail's HTML and as a part of the mail, or by https; never anything else."""

import email
import email.policy
from pathlib import Path

import msgspec
import pytest
from structlog.testing import capture_logs

from notifiers.mail.mime import MailSender, mail_of
from notifiers.recorder import Recorder
from notifiers.writing.logo import LOGO_BYTES_MAX
from notifiers.writing.render import Renderer
from notifiers.writing.samples import sample_reminder
from tests.notifiers.pictures import png

PNG = png()


def folder(tmp_path: Path, content: bytes = PNG) -> Path:
    """Give a folder of templates with a logo of the company 'sample'."""
    (tmp_path / "sample").mkdir()
    (tmp_path / "sample" / "logo.png").write_bytes(content)
    return tmp_path


def test_a_file_goes_along_as_a_part(tmp_path: Path) -> None:
    """S4-18: the HTML names the part, the part is beside it, the company's name stands for it without pictures."""
    made = msgspec.structs.replace(sample_reminder(kind="first", language="es"), logo="logo.png")
    written = Renderer(own=folder(tmp_path)).message(made, "email")
    (part,) = written.attachments
    assert f'src="cid:{part.content_id}" alt="Muestras y Señales S.A."' in written.html
    assert "Adjuntos" not in written.text
    mail = email.message_from_bytes(
        mail_of(written, sender=MailSender(), dated=made.tick).content, policy=email.policy.default
    )
    related = next(each for each in mail.walk() if each.get_content_type() == "multipart/related")
    page, picture = related.iter_parts()
    assert ("text/html", "image/png", f"<{part.content_id}>", "inline", PNG) == (
        page.get_content_type(),
        picture.get_content_type(),
        picture["Content-ID"],
        picture.get_content_disposition(),
        picture.get_content(),
    )


def test_the_recorder_s_page_shows_it(tmp_path: Path) -> None:
    """What is written to files can be opened in a browser as it is."""
    made = msgspec.structs.replace(sample_reminder(kind="first", language="es"), logo="logo.png")
    written = Renderer(own=folder(tmp_path)).message(made, "email")
    path = tmp_path / "out" / Recorder(tmp_path / "out").send(written).provider_id
    assert 'src="data:image/png;base64,iVBOR' in path.with_suffix(".html").read_text()


def test_an_address_is_shown_as_it_is() -> None:
    """A logo on the web is left there."""
    made = msgspec.structs.replace(
        sample_reminder(kind="first", language="es"), logo="https://example.com/l.png?a=1&b=2"
    )
    written = Renderer().message(made, "email")
    assert ((), True) == (written.attachments, 'src="https://example.com/l.png?a=1&amp;b=2"' in written.html)


@pytest.mark.parametrize(
    ("logo", "content", "detail"),
    [
        ("other.png", PNG, "is not in the company's template folder"),
        ("logo.png", b"<svg onload='x'/>", "is an SVG"),
        ("logo.png", png(said=(10_000, 10_000)), "has 10,000 × 10,000 pixels"),
        ("logo.png", PNG + b"x" * LOGO_BYTES_MAX, "is larger than"),
    ],
)
def test_what_is_no_logo(tmp_path: Path, logo: str, content: bytes, detail: str) -> None:
    """A wrong or missing file keeps no reminder back: the company's name stands there, and the log says why."""
    made = msgspec.structs.replace(sample_reminder(kind="first", language="es"), logo=logo)
    with capture_logs() as logged:
        written = Renderer(own=folder(tmp_path, content)).message(made, "email")
    assert ((), False) == (written.attachments, "<img" in written.html)
    (line,) = logged
    assert ("logo_left_out", True) == (line["event"], detail in line["detail"])


@pytest.mark.parametrize("logo", ["http://example.com/l.png", "javascript:alert(1)//x.png", "../../logo.png"])
def test_nothing_else_is_shown(logo: str) -> None:
    """What validation would have refused is not shown either."""
    made = msgspec.structs.replace(sample_reminder(kind="first", language="es"), logo=logo)
    written = Renderer().message(made, "email")
    assert "<img" not in written.html
