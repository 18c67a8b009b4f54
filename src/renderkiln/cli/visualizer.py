"""`renderkiln render visualizer`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click
from pydantic import ValidationError

from renderkiln.cli.options import options_of
from renderkiln.cli.rendering import Order, render_all
from renderkiln.domain.errors import UsageError
from renderkiln.pipelines.visualizer.params import VisualizerParams
from renderkiln.pipelines.visualizer.template import TemplateParams

LOOK = tuple(TemplateParams.model_fields)
FILM = ("template", "format", "fps", "quality", "codec", "seed")


@click.command("visualizer", short_help="Turn songs into audio-reactive films.")
@click.argument(
    "songs", nargs=-1, required=True, metavar="SONG...", type=click.Path(path_type=Path, readable=False)
)
@options_of(VisualizerParams, FILM, multiple=frozenset({"format"}))
@options_of(TemplateParams, LOOK)
@click.option(
    "--set", "more", multiple=True, metavar="KEY=VALUE", help="A parameter of the template's own; repeatable."
)
@options_of(VisualizerParams, ["report"])
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False, readable=False),
    help="Folder for finished files.",
)
@click.option("--no-cache", is_flag=True, help="Begin anew instead of continuing what was interrupted.")
@click.option(
    "-o", "--output", "shape", type=click.Choice(["json", "jsonl", "table"]), help="How to print the results."
)
@click.option("-q", "--quiet", is_flag=True, help="Say only what went wrong.")
def visualizer(
    songs: Sequence[Path],
    format: Sequence[str],
    more: Sequence[str],
    out: Path | None,
    shape: str | None,
    *,
    no_cache: bool,
    quiet: bool,
    **given: Any,
) -> int:
    """Turn SONGs (any audio, or the sound of a video) into audio-reactive films.

    Every song is rendered in every --format. The films' paths go to stdout when it is not a terminal. A name
    that begins with a dash goes after `--`.
    """
    film = {key: given[key] for key in (*FILM, "report") if given.get(key) is not None}
    look = {key: given[key] for key in LOOK if given[key] is not None} | dict(pair(each) for each in more)
    film["look"] = checked_look(film.get("template", "flame"), look)
    orders = [
        Order(song, film | {"format": each}, item_id=str(number), format=each)
        for number, song in enumerate(songs, 1)
        for each in dict.fromkeys(format or ["1080p"])
    ]
    return render_all("visualizer", orders, out=out, shape=shape, quiet=quiet, reuse=not no_cache)


def checked_look(template: str, look: Mapping[str, Any]) -> dict[str, Any]:
    """What was given of the template's parameters, as JSON values. Raises UsageError naming the option."""
    params = VisualizerParams.model_validate({"template": template}).load_template().Params
    unknown = [key for key in look if key not in params.model_fields]
    if unknown:
        known = ", ".join(params.model_fields)
        raise UsageError(f"template {template} has no parameter {unknown[0]!r}; it has {known}")
    try:
        valid = params.model_validate(dict(look))
        VisualizerParams.model_validate({"template": template, "look": dict(look)})
    except ValidationError as error:
        first = error.errors()[0]
        where = f"--{first['loc'][0]}: " if first["loc"] else ""
        raise UsageError(where + first["msg"].removeprefix("Value error, ")) from error
    return {key: value for key, value in valid.model_dump(mode="json").items() if key in look}


def pair(text: str) -> tuple[str, Any]:
    """`count=3` → ("count", 3); a value that is no JSON is a text."""
    key, equals, value = text.partition("=")
    if not equals or not key:
        raise UsageError(f"--set takes KEY=VALUE, not {text!r}")
    try:
        return key.strip(), json.loads(value)
    except ValueError:
        return key.strip(), value
