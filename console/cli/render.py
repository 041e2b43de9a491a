"""``cobranza render``: a look at the templates with made-up data; nothing is sent."""

from pathlib import Path

import click

__all__ = ["render"]


@click.command()
@click.option("--kind", required=True, help="The template: courtesy, first, second, third.")
@click.option("--language", default="en", show_default=True, help="es or en, with a region or without.")
@click.option(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("preview"),
    show_default=True,
    help="The folder to write to.",
)
def render(*, kind: str, language: str, output: Path) -> None:
    """Write a sample reminder as a mail (.eml, .txt, .html), an SMS and a letter (.pdf).

    Of the SMS it says how many segments are paid for, and what makes it dearer than it need be.
    """
    from console.money import in_segments
    from notifiers.channel import PermanentError
    from notifiers.paper.folder import LetterFolder
    from notifiers.recorder import Recorder
    from notifiers.writing.render import Renderer
    from notifiers.writing.samples import sample_reminder

    reminder = sample_reminder(kind=kind, language=language)
    renderer = Renderer()
    recorder, letters = Recorder(output), LetterFolder(output)
    try:
        for message in (renderer.message(reminder, "email"), renderer.message(reminder, "sms")):
            click.echo(output / recorder.send(message).provider_id)
            if message.channel == "sms":
                click.echo(in_segments(message.text))
        click.echo(output / letters.send(renderer.message(reminder, "letter")).provider_id)
    except PermanentError as error:
        raise click.ClickException(error.detail) from error
