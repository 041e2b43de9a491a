"""``cobranza templates`` and ``cobranza render``: a company's own texts, tried and looked at before a customer reads them."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from console.cli.main import main


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> "Run":
    """Give a command line with a data folder of its own."""
    monkeypatch.setenv("COBRANZA_DATA_DIR", str(tmp_path / "data"))
    return Run(tmp_path)


class Run:
    """Runs commands; knows where a company's texts are."""

    def __init__(self, folder: Path) -> None:
        self.own = folder / "data" / "templates" / "acme"
        self.output = folder / "out"

    def __call__(self, *arguments: str) -> Result:
        return CliRunner().invoke(main, arguments)

    def write(self, name: str, text: str) -> None:
        """Give the company a file."""
        path = self.own / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def faults(self) -> list[tuple[str, int, str]]:
        """Give what the check finds."""
        done = self("templates", "check", "--company", "acme", "--format", "json")
        found = json.loads(done.stdout)
        assert (1 if found else 0) == done.exit_code
        return [(each["file"], each["line"], each["detail"]) for each in found]


def files(done: Result) -> list[Path]:
    """Give the files that a command has named."""
    return [Path(line) for line in done.stdout.splitlines() if line.startswith("/")]


def test_what_ships_is_sound(run: Run) -> None:
    """Each shipped text of each kind in each language can be filled in."""
    done = run("templates", "check", "--format", "json")
    assert (0, []) == (done.exit_code, json.loads(done.stdout))


def test_a_company_begins_with_the_shipped_texts(run: Run) -> None:
    """S2-05: a level's texts are copied, listed as its own, and sound as they are; letters' layouts are not among them."""
    done = run("templates", "copy", "--company", "acme", "first/es", "layout")
    assert 0 == done.exit_code, done.output
    listed = run("templates", "list", "--company", "acme", "--format", "json")
    found = {each["file"]: each["origin"] for each in json.loads(listed.stdout)}
    assert {"instead"} == set(found.values())
    assert {
        "first/es/closing.txt", "first/es/opening.txt", "first/es/sms.txt", "first/es/subject.txt",
        "layout/body.html", "layout/body.txt", "layout/labels.en.toml", "layout/labels.es.toml", "layout/labels.pt.toml",
    } == set(found)  # fmt: skip
    assert [] == run.faults()
    again = run("templates", "copy", "--company", "acme", "first/es/subject.txt")
    assert "is there already" in again.output


@pytest.mark.parametrize("company", ["../other", ".", "..", ".hidden"])
def test_a_company_s_name_leads_nowhere_else(run: Run, company: str) -> None:
    """Files are made below the folder of templates only."""
    assert 0 != run("templates", "copy", "--company", company, "first").exit_code


def test_every_fault_is_told_by_file_and_line(run: Run) -> None:
    """One look tells all: a slip in a subject, a bomb, a missing part, words, a file that nobody asks for, a logo."""
    run.write("first/es/subject.txt", "Aviso\n{{ documnet }}")
    run.write("second/es/opening.txt", "{% for a in items %}{% for a in items %}{{ a * 99 }}")
    run.write("last_call/en/subject.txt", "Last call")
    run.write("layout/labels.pt.toml", 'document = "{x}"')
    run.write("layout/letter.typ", "#while true {}")
    run.write("first/es/openning.txt", "x")
    run.write("first/fr/opening.txt", "x")
    run.write("logo.png", "no picture")
    found = {(file, line): detail for file, line, detail in run.faults()}
    assert {
        ("first/es/subject.txt", 2): "'documnet' is undefined",
        ("second/es/opening.txt", 1): None,
        ("last_call/en/opening.txt", 0): "is missing",
        ("last_call/en/closing.txt", 0): "is missing",
        ("last_call/en/sms.txt", 0): "is missing",
        ("layout/labels.pt.toml", 0): "document has the place {x}",
        ("layout/letter.typ", 0): "letters have no layout",
        ("first/es/openning.txt", 0): "is never used",
        ("first/fr/opening.txt", 0): "is never used",
        ("logo.png", 0): "is neither PNG nor JPEG nor GIF",
    }.keys() == found.keys()
    assert "'documnet' is undefined" in found["first/es/subject.txt", 2]
    assert "{x}" in found["layout/labels.pt.toml", 0]


def test_a_branch_that_is_seldom_taken_is_tried_too(run: Run) -> None:
    """A text that fails only without a phone, or for one item, is found before that customer comes."""
    run.write("first/es/closing.txt", "{% if not company.phone %}{{ company.fone }}{% endif %}")
    run.write("first/en/closing.txt", "{% if one %}\n{{ company.fone }}{% endif %}")
    assert [("first/en/closing.txt", 2), ("first/es/closing.txt", 1)] == [each[:2] for each in run.faults()]


def test_a_look_at_a_company_s_text(run: Run) -> None:
    """Without broker and database: its own subject, in files that a browser opens."""
    run.write("first/pt/subject.txt", "Aviso da Acme")
    given = ("--kind", "first", "--language", "pt", "--company", "acme", "--output", str(run.output))
    done = run("render", *given)
    assert 0 == done.exit_code, done.output
    paths = files(done)
    assert [".html", ".txt", ".pdf"] == [each.suffix for each in paths]
    assert "<title>Aviso da Acme</title>" in paths[0].read_text()


def test_a_look_at_everything(run: Run) -> None:
    """Every kind in every language by every channel, with a page that leads to each."""
    done = run("render", "--all", "--channel", "sms", "--output", str(run.output))
    assert 0 == done.exit_code, done.output
    index = run.output / "index.html"
    assert len(files(done)) - 1 == index.read_text().count("<a href=") >= 24


def test_a_text_is_tried_before_it_is_said(run: Run) -> None:
    """S0-05: a person's words as the customer would see them, in mail, SMS and letter: text, not a template."""
    given = (
        "--kind",
        "first",
        "--language",
        "es",
        "--text",
        "Estimado <b>: {{ x }}",
        "--output",
        str(run.output),
    )
    done = run("render", *given)
    page, message, _letter = files(done)
    assert "Estimado &lt;b&gt;: {{ x }}" in page.read_text()
    assert "Estimado <b>: {{ x }}" in message.read_text()


@pytest.mark.parametrize("given", [(), ("--kind", "first", "--all"), ("--kind", "first", "--reminder", "x")])
def test_one_thing_is_looked_at(run: Run, given: tuple[str, ...]) -> None:
    """What to show is said once."""
    assert 2 == run("render", *given).exit_code


def test_a_character_that_no_letter_can_hold_is_found(run: Run) -> None:
    """A picture sign in a text is fine in a mail and stops a letter: it is told before the first one."""
    run.write("first/es/closing.txt", "Gracias \U0001f64f")
    (fault,) = run.faults()
    assert ("first/es (letter)", 0) == fault[:2]


def test_a_kind_of_one_s_own_is_looked_at_too(run: Run) -> None:
    """`--all` with a company shows the kinds that it has made up itself, in the languages that it has them in."""
    for part in ("subject", "opening", "closing", "sms"):
        run.write(f"last_call/es/{part}.txt", "Última llamada")
    done = run("render", "--all", "--company", "acme", "--channel", "sms", "--output", str(run.output))
    assert 1 == sum("last_call" in each.name for each in files(done))


def test_texts_are_shared_by_a_machine_that_has_them(run: Run) -> None:
    """The command refuses an empty folder, and says how many files all machines have from now on."""
    assert 0 == run("db", "upgrade").exit_code
    refused = run("templates", "share", "--company", "acme")
    assert (1, True) == (refused.exit_code, "nothing is shared" in refused.stderr), refused.output
    run.write("first/es/subject.txt", "Factura pendiente\n")
    done = run("templates", "share", "--company", "acme")
    assert 0 == done.exit_code, done.output
    assert done.stdout.startswith("1 files of acme are shared")
