"""`renderkiln effects`."""

from __future__ import annotations

from typing import Any

import click


@click.group("effects")
def effects() -> None:
    """List what can be done to clips in their variations."""


@effects.command("list")
@click.option(
    "-o", "--output", "shape", type=click.Choice(["json", "table"]), default="table", help="How to print it."
)
def list_(shape: str) -> None:
    """List the installed effects with the values that each intensity draws from."""
    from renderkiln.cli.words import put_json, put_table
    from renderkiln.pipelines.variations.params import installed

    if shape == "json":
        put_json([_facts(each) for each in installed()])
    else:
        put_table([_row(each) for each in installed()])


def _facts(effect: Any) -> dict[str, Any]:
    return {
        "name": effect.name,
        "summary": effect.summary,
        "unit": effect.unit,
        "drawn": effect.chance > 0,
        "group": effect.group or None,
        "range": [effect.lowest, effect.highest],
        "step": effect.step,
        "values": {name: list(values) for name, values in effect.ladder.items()},
        "cpuMsPerFrame": effect.cost,
    }


def _row(effect: Any) -> dict[str, Any]:
    ladder = effect.ladder["medium"]
    return {
        "name": effect.name,
        "medium": f"{ladder[0]:g} … {ladder[-1]:g} {effect.unit}".strip(),
        "possible": f"{effect.lowest:g} … {effect.highest:g} {effect.unit}".strip(),
        "drawn": "yes" if effect.chance > 0 else f"--with {effect.name}",
        "cost": f"{effect.cost:.1f} ms",
        "what it does": effect.summary,
    }
