"""What a call can ask of the visualizer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click
from pydantic import ValidationError

from renderkiln.cli.options import options_of
from renderkiln.cli.orders import Form, Order, pair
from renderkiln.domain.errors import UsageError
from renderkiln.pipelines.catalog import TEMPLATES, load
from renderkiln.pipelines.visualizer.params import VisualizerParams
from renderkiln.pipelines.visualizer.template import TemplateParams

F = TypeVar("F", bound=Callable[..., Any])

LOOK = tuple(TemplateParams.model_fields)
FILM = ("template", "format", "fps", "quality", "codec", "seed")


HELP = """Turn songs into audio-reactive films.

SONGS are any audio, or the sound of a video. Every song is rendered in every --format. The films' paths go to
stdout when it is not a terminal. A name that begins with a dash goes after `--`.
"""


def _options(command: F) -> F:
    song = click.Path(path_type=Path, readable=False)
    more = "A parameter of the template's own; repeatable."
    command = options_of(VisualizerParams, ["report"])(command)
    command = click.option("--set", "more", multiple=True, metavar="KEY=VALUE", help=more)(command)
    command = options_of(TemplateParams, LOOK)(command)
    command = options_of(VisualizerParams, FILM, multiple=frozenset({"format"}))(command)
    return click.argument("files", nargs=-1, required=True, metavar="SONG...", type=song)(command)


def _orders(files: Sequence[Path], format: Sequence[str], more: Sequence[str], **given: Any) -> list[Order]:
    film = {key: given[key] for key in (*FILM, "report") if given.get(key) is not None}
    look = {key: given[key] for key in LOOK if given[key] is not None} | dict(pair(each) for each in more)
    film["look"] = checked_look(film.get("template", "flame"), look)
    return [
        Order(song, film | {"format": each}, item_id=str(number), format=each)
        for number, song in enumerate(files, 1)
        for each in dict.fromkeys(format or ["1080p"])
    ]


FORM = Form("visualizer", HELP, _options, _orders)


def checked_look(template: str, look: Mapping[str, Any]) -> dict[str, Any]:
    """What was given of the template's parameters, as JSON values. Raises UsageError naming the option."""
    params: type[TemplateParams] = load(TEMPLATES, template).Params
    unknown = [key for key in look if key not in params.model_fields]
    if unknown:
        known = ", ".join(params.model_fields)
        raise UsageError(f"template {template} has no parameter {unknown[0]!r}; it has {known}")
    try:
        valid = params.model_validate(dict(look))
        VisualizerParams.model_validate({"template": template, "look": dict(look)})
    except ValidationError as error:
        first = error.errors()[0]
        option = first["loc"][0] if first["loc"] else "look"
        where = "" if option == "look" else f"--{option}: "  # of all of it: the palette
        raise UsageError(where + first["msg"].removeprefix("Value error, ")) from error
    return {key: value for key, value in valid.model_dump(mode="json").items() if key in look}
