"""Command-line options from the JSON schema of a pydantic model: names, help, choices and ranges."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import click
from pydantic import BaseModel, create_model

F = TypeVar("F", bound=Callable[..., Any])

# What cannot be read is the job's to say, not a bad call: the other files are rendered all the same.
FILE = click.Path(path_type=Path, readable=False)
FOLDER = click.Path(path_type=Path, file_okay=False, readable=False)


def options_of(
    model: type[BaseModel], names: Iterable[str], *, multiple: frozenset[str] = frozenset()
) -> Callable[[F], F]:
    """A decorator that adds an option for each of the fields `names`; those in `multiple` may be repeated.

    An option that is not given is None (or empty), so that defaults stay in one place, the model.
    """
    chosen = list(names)
    # Of these fields only: the schema of a whole project document would take a quarter of a second.
    given = {name: model.model_fields[name] for name in chosen}
    fields: dict[str, Any] = {name: (field.annotation, field) for name, field in given.items()}
    schema = create_model("Options", **fields).model_json_schema()["properties"]

    def decorate(command: F) -> F:
        for name in reversed(chosen):
            command = _option(name, schema[name], repeated=name in multiple)(command)
        return command

    return decorate


def _option(name: str, field: Mapping[str, Any], *, repeated: bool) -> Callable[[F], F]:
    flag = "--" + name.replace("_", "-")
    help_text = field.get("description", "")
    default = field.get("default")
    if default not in (None, "", False):
        help_text += f" [default: {default}]"
    if field.get("type") == "boolean":
        flags = f"{flag}/--no-{name.replace('_', '-')}" if default else flag
        return click.option(flags, name, default=None, is_flag=True, help=help_text)
    kind = kind_of(field)
    return click.option(flag, name, type=kind, default=None, multiple=repeated, help=help_text)


def kind_of(field: Mapping[str, Any]) -> click.ParamType[Any]:
    """The click type for a field of a JSON schema."""
    for choice in field.get("anyOf", ()):  # X or None
        if choice.get("type") != "null":
            return kind_of(choice)
    if "enum" in field:
        values = field["enum"]
        if all(isinstance(value, int) for value in values):
            return Numbers(values)
        return click.Choice([str(value) for value in values])
    match field.get("type"), field.get("format"):
        case "integer", _:
            return click.IntRange(field.get("minimum"), _below(field))
        case "number", _:
            return click.FloatRange(field.get("minimum"), field.get("maximum"))
        case "string", "path":
            return click.Path(exists=True, dir_okay=False, readable=True, path_type=Path, resolve_path=True)
        case _:
            return click.STRING


class Numbers(click.Choice[str]):
    """One of some numbers."""

    def __init__(self, values: Iterable[int]) -> None:
        super().__init__([str(value) for value in values])

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        return int(super().convert(str(value), param, ctx))


def _below(field: Mapping[str, Any]) -> int | None:
    if "exclusiveMaximum" in field:
        return int(field["exclusiveMaximum"]) - 1
    return field.get("maximum")
