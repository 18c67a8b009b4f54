"""`renderkiln templates`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from renderkiln.cli.words import put_json, put_table, say, shown


@click.group("templates")
def templates() -> None:
    """List and preview the looks of a film."""


@templates.command("list")
@click.option(
    "-o", "--output", "shape", type=click.Choice(["json", "table"]), default="table", help="How to print it."
)
def list_(shape: str) -> None:
    """List the installed templates with their palettes."""
    from renderkiln.pipelines import catalog

    wrong = catalog.broken(catalog.TEMPLATES)
    for why in wrong.values():
        say(why)
    names = [name for name in catalog.names(catalog.TEMPLATES) if name not in wrong]
    found = [catalog.load(catalog.TEMPLATES, name)() for name in names]
    if shape == "json":
        put_json([_facts(each) | {"params": each.Params.model_json_schema()["properties"]} for each in found])
    else:
        put_table([_facts(each) | {"palettes": ", ".join(each.palettes)} for each in found])


@templates.command("preview")
@click.argument("name")
@click.option(
    "-o",
    "--output",
    "target",
    type=click.Path(path_type=Path, dir_okay=False, readable=False),
    required=True,
    help="The picture: .png, .jpg or .webp",
)
@click.option("--palette", help="One of the template's palettes.")
@click.option("--intensity", type=float, help="How strongly the picture answers the music.")
@click.option("--title", default=None, help="Title on the picture.")
@click.option("--artist", default=None, help="Artist on the picture.")
@click.option("--set", "more", multiple=True, metavar="KEY=VALUE", help="A parameter of its own.")
@click.option("--size", "dimensions", default="1280x720", help="Width x height [default: 1280x720].")
@click.option("--at", "seconds", type=click.FloatRange(0, 19.9), default=9.2, help="Second of the track.")
@click.option("--seed", type=click.IntRange(0, 2**31 - 1), default=1, help="Another seed, another picture.")
def preview(name: str, target: Path, dimensions: str, seconds: float, seed: int, **look: Any) -> None:
    """Draw one frame of template NAME, as it answers the built-in demo track, into a PNG, JPEG or WebP."""
    from renderkiln.cli.orders import pair
    from renderkiln.cli.preview import canvas_of, draw
    from renderkiln.cli.visualizer import checked_look

    more = dict(pair(each) for each in look.pop("more"))
    given = {key: value for key, value in look.items() if value is not None} | more
    canvas = canvas_of(dimensions)
    draw(name, checked_look(name, given), canvas, seconds, seed, target)
    say(f"{shown(target)}: {name}, {canvas.width}×{canvas.height}, {seconds:g} s into the demo track")


def _facts(template: Any) -> dict[str, Any]:
    return {"name": template.name, "palettes": list(template.palettes), "summary": template.summary}
