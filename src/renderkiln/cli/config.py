"""`renderkiln config`."""

from __future__ import annotations

import click


@click.group("config")
def config() -> None:
    """Show the settings and where they come from."""


@config.command("show")
@click.option(
    "-o", "--output", "shape", type=click.Choice(["json", "table"]), default="table", help="How to print it."
)
def show(shape: str) -> None:
    """Print every setting as it counts here and now, and the variable that sets it."""
    from renderkiln.cli.words import put_json, put_table
    from renderkiln.settings import Settings

    values = Settings.load().shown()
    if shape == "json":
        put_json(values)
        return
    put_table(
        [
            {"setting": name, "value": value, "variable": Settings.environment_names(name)[0]}
            for name, value in values.items()
        ]
    )
