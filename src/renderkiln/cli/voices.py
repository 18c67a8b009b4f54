"""`renderkiln voices`."""

from __future__ import annotations

import click


@click.group("voices")
def voices() -> None:
    """List the voices that narrations can be spoken by."""


@voices.command("list")
@click.option("--provider", help="Only those of this provider.")
@click.option("--language", help="Only those of this language, as en or pt-BR; voices of all languages stay.")
@click.option(
    "-o", "--output", "shape", type=click.Choice(["json", "table"]), default="table", help="How to print it."
)
def list_(provider: str | None, language: str | None, shape: str) -> None:
    """List the voices that are known without asking anyone; services may have more."""
    from renderkiln.cli.words import put_json, put_table, say
    from renderkiln.media.errors import MediaError
    from renderkiln.pipelines import catalog
    from renderkiln.services import speech_settings
    from renderkiln.settings import Settings

    settings = speech_settings(Settings.load())
    rows = []
    for name in [provider] if provider else catalog.names(catalog.SPEECH):
        speaker = catalog.load(catalog.SPEECH, name)(settings)
        known = [each for each in speaker.voices() if _speaks(each.language, language)]
        rows += [
            {"voice": f"{name}:{each.id}", "language": each.language or "all", "name": each.name}
            for each in known
        ]
        try:
            if known:
                speaker.check(known[0].id)
        except MediaError as error:
            say(f"{name}: {error}")
    if shape == "json":
        put_json(rows)
    else:
        put_table(rows)


def _speaks(spoken: str, wanted: str | None) -> bool:
    """Whether a voice of the language `spoken` (empty: of all) is one of those wanted."""
    return not wanted or not spoken or f"{spoken.lower()}-".startswith(f"{wanted.lower()}-")
