"""``cobranza templates``: a company's own texts: listed, begun from the shipped ones, tried before anybody reads them."""

import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from console.cli.formats import OutputFormat, format_option, print_rows

if TYPE_CHECKING:
    from infra.settings import Settings
    from notifiers.writing.library import Library

__all__ = ["templates"]

_COMPANY = click.option("--company", required=True, help="Whose texts.")


@click.group()
def templates() -> None:
    """List, copy and check the texts of messages; a company's own stand before those that ship."""


@templates.command("list")
@_COMPANY
@click.option("--all", "all_", is_flag=True, help="The shipped ones that it has not replaced, too.")
@format_option
@click.pass_obj
def list_(settings: "Settings", *, company: str, all_: bool, output_format: OutputFormat) -> None:
    """Show a company's own files; `instead` ones stand before a shipped one."""
    from msgspec import structs

    from notifiers.writing.checking import text_files
    from notifiers.writing.render import templates_folder

    found = text_files(_library(settings), shipped=templates_folder(), company=company)
    rows = [structs.asdict(each) for each in found if all_ or each.origin != "shipped"]
    print_rows(rows, columns=("file", "origin"), output_format=output_format)


@templates.command()
@_COMPANY
@click.argument("names", nargs=-1, required=True)
@click.option("--force", is_flag=True, help="Replace files that are there.")
@click.pass_obj
def copy(settings: "Settings", *, company: str, names: tuple[str, ...], force: bool) -> None:
    """Begin texts of a company's own from shipped ones: `first`, `first/es`, `first/es/subject.txt`, `layout/body.html`."""
    from notifiers.writing.checking import is_text_file
    from notifiers.writing.render import templates_folder

    shipped, own = templates_folder(), _folder(settings) / company
    if own.parent != _folder(settings) or company.startswith("."):
        raise click.BadParameter(f"{company!r} is no company", param_hint="--company")
    for name in names:
        found = [
            each.relative_to(shipped)
            for each in sorted(shipped.rglob("*"))
            if _is_within(relative := each.relative_to(shipped).as_posix(), name) and is_text_file(relative)
        ]
        if not found:
            raise click.BadParameter(
                f"there is no {name!r}: cobranza templates list --all", param_hint="NAMES"
            )
        for each in found:
            target = own / each
            if target.exists() and not force:
                raise click.ClickException(f"{target} is there already: --force replaces it")
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(shipped / each, target)
            click.echo(target)


@templates.command()
@click.option("--company", default="", help="Of this company only; all that have texts when left out.")
@format_option
@click.pass_obj
def check(settings: "Settings", *, company: str, output_format: OutputFormat) -> None:
    """Try each text with made-up messages in each language; exit with 1 when one is wrong, by file and line."""
    from msgspec import structs

    from notifiers.settings import SendSettings, read_settings
    from notifiers.writing.checking import check_texts
    from notifiers.writing.render import Renderer

    library, folder = _library(settings), _folder(settings)
    companies = [company] if company else ["", *_companies(folder)]
    write = Renderer(own=folder, fonts=read_settings(SendSettings).letter_fonts).message
    faults = [fault for each in companies for fault in check_texts(library, company=each, write=write)]
    rows = [structs.asdict(each) | {"company": each.company or "(shipped)"} for each in sorted(faults)]
    print_rows(rows, columns=("company", "file", "line", "detail"), output_format=output_format)
    if output_format == "table":
        click.echo(
            f"{len(faults)} faults in the texts of {len(companies) - (not company)} companies.", err=True
        )
    sys.exit(1 if faults else 0)


@templates.command()
@_COMPANY
@click.pass_obj
def share(settings: "Settings", *, company: str) -> None:
    """Save a company's texts and pictures, as this machine's folder has them, for all machines that write messages."""
    from infra.database.engine import open_engine
    from infra.database.migrate import require_current
    from notifiers.assembly import open_texts

    engine = open_engine(settings.database)
    try:
        require_current(engine)
        count = open_texts(settings, engine=engine).share(company)
    finally:
        engine.dispose()
    click.echo(f"{count} files of {company} are shared; what others had beside them is given back.")


def _is_within(file: str, name: str) -> bool:
    return file == name or file.startswith(name.rstrip("/") + "/")


def _companies(folder: Path) -> list[str]:
    if not folder.is_dir():
        return []
    return sorted(each.name for each in folder.iterdir() if each.is_dir() and not each.name.startswith("."))


def _folder(settings: "Settings") -> Path:
    from notifiers.assembly import TEMPLATES

    return settings.data_dir / TEMPLATES


def _library(settings: "Settings") -> "Library":
    from notifiers.writing.library import Library
    from notifiers.writing.render import templates_folder

    return Library(templates_folder(), own=_folder(settings))
