"""What one call asks for: jobs, from the files, options and pipeline it names."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from renderkiln.domain.errors import UsageError

if TYPE_CHECKING:
    from renderkiln.app import Renderkiln
    from renderkiln.domain.job import Job

F = TypeVar("F", bound=Callable[..., Any])

# Pipelines with a form of their own; all others have one made from their Params.
_FORMS = {name: f"renderkiln.cli.{name}" for name in ("narration", "scenes", "variations", "visualizer")}


@dataclass(frozen=True)
class Order:
    """One job that a call asks for. `format` is the last part of its id, and stands in its label.

    Where the file at `path` is not `needed` any more, all that was in it is in `params`.
    """

    path: Path
    params: Mapping[str, Any]
    item_id: str
    format: str | None = None
    needed: bool = True

    @property
    def label(self) -> str:
        return f"{self.path.name} {self.format}" if self.format else self.path.name


@dataclass(frozen=True)
class Form:
    """How a call orders from a pipeline: `options` adds arguments and options to a command, among them
    `files`; `orders` turns what was given into orders, and raises UsageError.
    """

    pipeline: str
    help: str
    options: Callable[[F], F]
    orders: Callable[..., list[Order]]


class PipelineGroup(click.Group):
    """A command for each installed pipeline, made by `command` from its form when it is used."""

    def __init__(self, *args: Any, command: Callable[[Form], click.Command], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._command = command

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        from renderkiln.pipelines import catalog

        return list(catalog.names(catalog.PIPELINES))

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in self.list_commands(ctx) and ":" not in name:
            return None
        return self._command(form_of(name))

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        rows = [(name, self._command(form_of(name)).get_short_help_str()) for name in self.list_commands(ctx)]
        with formatter.section("Pipelines"):
            formatter.write_dl(rows)


def form_of(pipeline: str) -> Form:
    """The form of an installed pipeline, or of the one at `module:Attr`. Raises UsageError."""
    from importlib import import_module

    if pipeline in _FORMS:
        form: Form = import_module(_FORMS[pipeline]).FORM
        return form
    return _made_from_params(pipeline)


def jobs_of(kiln: Renderkiln, pipeline: str, orders: Sequence[Order], **facts: Any) -> list[Job]:
    """The jobs of one batch. Raises UsageError if an order is wrong."""
    batch = kiln.new_batch()
    return [
        kiln.job(
            pipeline,
            order.path if order.needed else None,
            order.params,
            batch_id=batch,
            item_id=order.item_id,
            format=order.format,
            label=order.label,
            **facts,
        )
        for order in orders
    ]


def pair(text: str) -> tuple[str, Any]:
    """`count=3` → ("count", 3); a value that is no JSON is a text."""
    key, equals, value = text.partition("=")
    if not equals or not key:
        raise UsageError(f"--set takes KEY=VALUE, not {text!r}")
    try:
        return key.strip(), json.loads(value)
    except ValueError:
        return key.strip(), value


def _made_from_params(name: str) -> Form:
    from renderkiln.cli.options import options_of
    from renderkiln.pipelines import catalog

    pipeline = catalog.load(catalog.PIPELINES, name)
    fields = {
        field: spec
        for field, spec in pipeline.Params.model_json_schema().get("properties", {}).items()
        if _is_simple(spec)
    }

    def options(command: F) -> F:
        file = click.Path(path_type=Path, readable=False)
        command = click.option(
            "--set", "more", multiple=True, metavar="KEY=VALUE", help="Any parameter, as JSON; repeatable."
        )(command)
        command = options_of(pipeline.Params, fields)(command)
        return click.argument("files", nargs=-1, required=True, metavar="FILE...", type=file)(command)

    def orders(files: Sequence[Path], more: Sequence[str], **given: Any) -> list[Order]:
        params = {key: value for key, value in given.items() if value is not None}
        params |= dict(pair(each) for each in more)
        plain = {key: str(value) if isinstance(value, Path) else value for key, value in params.items()}
        return [Order(file, plain, str(number)) for number, file in enumerate(files, 1)]

    summary = (pipeline.__doc__ or f"The pipeline {name}.").strip()
    return Form(name, summary, options, orders)


def _is_simple(field: Mapping[str, Any]) -> bool:
    """Whether one option can hold it."""
    kinds = [field, *field.get("anyOf", ())]
    return any(kind.get("type") in {"string", "integer", "number", "boolean"} for kind in kinds)
