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
    from renderkiln.pipelines import speakers
    from renderkiln.services import speech_settings
    from renderkiln.settings import Settings

    known = speakers.voices(speech_settings(Settings.load()), provider)
    for name, problem in {each.reference.partition(":")[0]: each.problem for each in known}.items():
        if problem:
            say(f"{name}: {problem}")
    rows = [
        {"voice": each.reference, "language": each.language or "all", "name": each.name}
        for each in known
        if ":" in each.reference and _speaks(each.language, language)  # not those that are broken
    ]
    if shape == "json":
        put_json(rows)
    else:
        put_table(rows)


def _speaks(spoken: str, wanted: str | None) -> bool:
    """Whether a voice of the language `spoken` (empty: of all) is one of those wanted."""
    return not wanted or not spoken or f"{spoken.lower()}-".startswith(f"{wanted.lower()}-")
