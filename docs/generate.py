"""Writes docs/reference from the code: `make docs`. A test fails when a page lags behind."""

from __future__ import annotations

import json
import re
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import click
from fastapi import FastAPI
from pydantic.fields import FieldInfo

from renderkiln.api.app import create_app
from renderkiln.app import Renderkiln
from renderkiln.cli.app import renderkiln
from renderkiln.pipelines import catalog
from renderkiln.pipelines.narration.bands import BANDS, SOLFEGGIO
from renderkiln.pipelines.narration.params import NarrationParams
from renderkiln.pipelines.scenes.document.layers import Layer
from renderkiln.pipelines.scenes.document.schema import project_schema
from renderkiln.pipelines.scenes.document.style import STYLES, TextStyle
from renderkiln.pipelines.scenes.document.units import COLOR, PERCENT
from renderkiln.pipelines.variations.effects import EFFECTS
from renderkiln.pipelines.variations.params import VariationsParams
from renderkiln.pipelines.visualizer.formats import FORMATS
from renderkiln.settings import FILE, Settings

FOLDER = Path(__file__).parent / "reference"
DOCUMENT = Path(__file__).parents[1] / "dashboard/openapi.json"
NOTE = "<!-- Written by docs/generate.py from the code: change the code, then run `make docs`. -->"
MACHINE = {"home": "the platform's user data folder", "cores": "all that this process may use"}
BUILT_IN = ("flame", "particles", "spectrum", "waveform")  # whatever else is installed where this runs


def pages() -> dict[str, str]:
    """The content of every page by its file name."""
    return {
        name: "\n".join([NOTE, "", *lines]).rstrip() + "\n"
        for name, lines in (
            ("commands.md", commands()),
            ("settings.md", settings()),
            ("templates.md", templates()),
            ("narration.md", narration()),
            ("variations.md", variations()),
            ("projects.md", projects()),
            ("http.md", http()),
        )
    }


def commands() -> Iterator[str]:
    """Every command with its arguments and options."""
    yield "# Commands"
    yield ""
    yield "Words go to stderr, data to stdout. Exit status: 0 all files were made, 1 a job failed or"
    yield "something is broken, 2 wrong usage, 130 interrupted (143 by SIGTERM)."
    for command, context in walk(renderkiln, click.Context(renderkiln, info_name="renderkiln")):
        yield ""
        yield f"## `{context.command_path}`"
        yield ""
        yield " ".join((command.help or command.short_help or "").split())
        if isinstance(command, click.Group):
            continue
        yield ""
        yield "```"
        yield f"{context.command_path} {' '.join(command.collect_usage_pieces(context))}"
        yield "```"
        yield ""
        rows = [(f"`{'`, `'.join(names(each))}`", value(each), each.help or "") for each in options(command)]
        yield from table(("option", "value", "what it does"), rows)


def walk(command: click.Command, context: click.Context) -> Iterator[tuple[click.Command, click.Context]]:
    """Every command with the context that knows its path, from the root down."""
    if context.parent is not None:
        yield command, context
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            child = command.get_command(context, name)
            if child is not None:
                yield from walk(child, click.Context(child, parent=context, info_name=name))


def options(command: click.Command) -> list[click.Option]:
    return [each for each in command.params if isinstance(each, click.Option) and not each.hidden]


def names(option: click.Option) -> list[str]:
    return [*option.opts, *option.secondary_opts]


def value(option: click.Option) -> str:
    """What the option takes."""
    if option.is_flag:
        return ""
    match option.type:
        case click.Choice(choices=choices):
            return ", ".join(f"`{choice}`" for choice in choices)
        case click.IntRange(min=low, max=high) | click.FloatRange(min=low, max=high):
            return f"{low} … {high}"
    return option.metavar or option.type.name


def settings() -> Iterator[str]:
    """Every setting with its default, variable and help."""
    yield "# Settings"
    yield ""
    yield "A setting is taken from the first of these that has it: an option of the command, the environment,"
    yield f"`{FILE}` in the current folder, `{FILE}` in the home folder, its default."
    yield "`renderkiln config show` prints what counts here and now."
    yield ""
    rows = [
        (
            f"`{name}`",
            ", ".join(f"`{each}`" for each in Settings.environment_names(name)),
            default(name, field),
            field.description or "",
        )
        for name, field in Settings.model_fields.items()
    ]
    yield from table(("setting", "environment", "default", "what it is"), rows)


def default(name: str, field: FieldInfo) -> str:
    if name in MACHINE:
        return MACHINE[name]
    return "none" if field.default in (None, ()) else f"`{field.default}`"


def api() -> FastAPI:
    """The API, of a room without anything in it."""
    with tempfile.TemporaryDirectory() as home:
        return create_app(Renderkiln(Settings(home=Path(home))))


def openapi() -> str:
    """The document that the dashboard's client is typed by."""
    return json.dumps(api().openapi(), indent=1) + "\n"


def http() -> Iterator[str]:
    """Every request that is answered."""
    yield "# HTTP requests"
    yield ""
    yield "What each takes and gives, field by field, is in `GET /openapi.json` of a running service."
    yield "A key of a scope does what those before it do: read, submit, admin."
    app = api()
    described = app.openapi()["paths"]
    scopes = dict(scopes_of(app.routes))
    for tag in dict.fromkeys(each["tags"][0] for path in described.values() for each in path.values()):
        yield ""
        yield f"## {tag.capitalize()}"
        yield ""
        yield from table(
            ("request", "key", "takes", "what it does"),
            [
                (
                    f"`{method.upper()} {path}`",
                    scopes.get(each["operationId"], "none"),
                    ", ".join(taken(each, app.openapi()["components"]["schemas"])),
                    " ".join(each["description"].split()),
                )
                for path, methods in described.items()
                for method, each in methods.items()
                if each["tags"] == [tag]
            ],
        )


def scopes_of(routes: Sequence[Any]) -> Iterator[tuple[str, str]]:
    """The scope that a key needs, by the operation."""
    for route in routes:
        if hasattr(route, "original_router"):
            yield from scopes_of(route.original_router.routes)
        for each in getattr(route, "dependencies", ()):
            if "scope" in vars(each.dependency):
                yield route.operation_id, vars(each.dependency)["scope"]


def taken(operation: Mapping[str, Any], schemas: Mapping[str, Any]) -> Iterator[str]:
    """Parameters that are not in the path, and the fields of a body in JSON."""
    yield from (f"`{each['name']}`" for each in operation.get("parameters", ()) if each["in"] != "path")
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
    for each in [body, *body.get("anyOf", ())]:
        if "$ref" in each:
            yield from (f"`{field}`" for field in schemas[each["$ref"].rpartition("/")[2]]["properties"])


def templates() -> Iterator[str]:
    """Every built-in template with its parameters, and the formats."""
    yield "# Templates and formats"
    yield ""
    yield "Parameters that all templates share have options of their own; the others are given by"
    yield "`--set key=value`."
    for name in BUILT_IN:
        template = catalog.load(catalog.TEMPLATES, name)()
        yield ""
        yield f"## `{name}`"
        yield ""
        yield f"{template.summary}. Palettes: {', '.join(f'`{each}`' for each in template.palettes)}."
        yield ""
        schema: Mapping[str, Any] = template.Params.model_json_schema()["properties"]
        rows = [(f"`{key}`", *facts(field), field.get("description", "")) for key, field in schema.items()]
        yield from table(("parameter", "values", "default", "what it does"), rows)
    yield ""
    yield "## Formats"
    yield ""
    sizes = [(f"`{each.name}`", f"{each.width}×{each.height}", each.summary) for each in FORMATS.values()]
    yield from table(("format", "pixels", "for"), sizes)


def narration() -> Iterator[str]:
    """Every parameter of a narration, under its path in a spec, and the bands."""
    yield "# Narration"
    yield ""
    yield "Parameters of `renderkiln render narration SPEC.json`, by their paths in the spec. They may be"
    yield "written in camel case, too."
    yield ""
    rows = [
        (f"`{path}`", *facts(field), field.get("description", ""))
        for path, field in flat(NarrationParams.model_json_schema())
    ]
    yield from table(("parameter", "values", "default", "what it does"), rows)
    yield ""
    yield "## Bands"
    yield ""
    bands = [
        (f"`{name}`", f"{each.low:g} … {each.high:g} Hz", f"{each.beat:g} Hz", f"{each.carrier:g} Hz")
        for name, each in BANDS.items()
    ]
    yield from table(("band", "beats", "beat by default", "carrier by default"), bands)
    yield ""
    yield f"Solfeggio tones: {', '.join(str(hz) for hz in SOLFEGGIO)} Hz."


def variations() -> Iterator[str]:
    """Every parameter of variations, and the built-in effects."""
    yield "# Variations"
    yield ""
    yield "Parameters of the pipeline `variations`, as Python and jobs in JSON know them."
    yield ""
    rows = [
        (f"`{path}`", *facts(field), field.get("description", ""))
        for path, field in flat(VariationsParams.model_json_schema())
    ]
    yield from table(("parameter", "values", "default", "what it does"), rows)
    yield ""
    yield "## Effects"
    yield ""
    yield "Values are those that each intensity draws from. An effect with a chance of 0 is drawn only when"
    yield "it is asked for, and of one group a variation has one effect at most. The cost is CPU time beside"
    yield "that of the bare re-encode, which takes 30 to 70 ms a frame at `balanced`."
    yield ""
    effects = [
        (
            f"`{each.name}`",
            each.summary,
            *(" ".join([*map("{:g}".format, values), each.unit]) for values in each.ladder.values()),
            f"{each.lowest:g} … {each.highest:g}",
            f"{each.chance:g}",
            each.group,
            f"{each.cost:g} ms",
        )
        for each in EFFECTS
    ]
    columns = ("effect", "what it does", "subtle", "medium", "strong", "possible", "chance", "group")
    yield from table((*columns, "CPU a 1080p frame"), effects)


def projects() -> Iterator[str]:
    """Every object of a project document with its fields."""
    schema = project_schema()
    yield "# Project documents"
    yield ""
    yield "What `renderkiln render scenes PROJECT.json` reads. `renderkiln scenes validate` says what is"
    yield "wrong in a document, `renderkiln scenes schema` prints all of this as JSON Schema, for editors."
    yield ""
    yield "A *length* is a number of pixels of a frame whose shorter side has 1080, whatever resolution is"
    yield 'made, or a share of the frame like `"50%"`. A *colour* is `"#rgb"`, `"#rrggbb"`, `"#rrggbbaa"`,'
    yield '`"white"`, `"black"`, `"transparent"` or a name of the brand\'s `colors`. Paths of files count'
    yield "from the document's folder and may not lead out of it; http and https URLs may stand for them."
    yield ""
    yield from fields_of("Project", schema)
    yield from fields_of("Every layer", {**Layer.model_json_schema(), "description": "What all layers have."})
    for name in used(schema, schema["$defs"]):
        yield from fields_of(name, schema["$defs"][name])
    yield "## Styles"
    yield ""
    yield "What the built-in text styles are where the brand's `styles` do not say otherwise."
    yield ""
    styles = [
        (f"`{name}`", ", ".join(f"`{field}` {told(value)}" for field, value in given(style).items()))
        for name, style in STYLES.items()
    ]
    yield from table(("style", "what it says"), styles)


def fields_of(name: str, schema: Mapping[str, Any]) -> Iterator[str]:
    """A section for an object; what a layer shares with all others has a section of its own."""
    fields, shared = schema["properties"], {}
    yield f"## {name}"
    yield ""
    yield schema["description"]
    for title, model in (("Every layer", Layer), ("TextStyle", TextStyle)):
        others = model.model_json_schema()["properties"]
        if name not in (title, "Project") and others.keys() <= fields.keys():
            shared |= {field: facts for field, facts in others.items() if facts == fields[field]}
            yield f"It has the fields of [{title}](#{title.lower().replace(' ', '-')}), too."
    yield ""
    required = schema.get("required", ())
    rows = [
        (
            f"`{field}`",
            kind(facts),
            "required" if field in required else told(facts.get("default")),
            facts["description"],
        )
        for field, facts in fields.items()
        if field not in shared
    ]
    yield from table(("field", "value", "default", "what it is"), rows)
    yield ""


def used(schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> Sequence[str]:
    """The names of all objects that a schema leads to, each after the first that names it."""
    names = [
        each.rpartition("/")[2] for each in re.findall(r"#/\$defs/\w+", json.dumps(schema["properties"]))
    ]
    found: dict[str, None] = {}
    for name in names:
        found |= dict.fromkeys([name, *used(definitions[name], definitions)])
    return list(found)


def kind(field: Mapping[str, Any]) -> str:
    """What may be written for a field of a project document."""
    match field:
        case {"$ref": str(reference)}:
            name = reference.rpartition("/")[2]
            return f"[{name}](#{name.lower()})"
        case {"anyOf": members} if any(each.get("pattern") == PERCENT for each in members):
            return "length"
        case {"anyOf": members} | {"oneOf": members}:
            return " or ".join(kind(each) for each in members if each.get("type") != "null")
        case {"const": word} | {"enum": [word]}:
            return told(word)
        case {"enum": words}:
            return ", ".join(map(told, words))
        case {"pattern": pattern} if pattern == COLOR:
            return "colour"
        case {"type": "array", "items": items}:
            return f"list of {kind(items)}"
        case {"patternProperties": values}:
            return f"{', '.join(map(kind, values.values()))} by name"
        case {"type": "object", "additionalProperties": values}:
            return f"{kind(values)} by name"
        case {"type": "string"}:
            return "text"
        case {"type": "boolean"}:
            return "`true`, `false`"
        case {"type": "number" | "integer"}:
            low = field.get("minimum", field.get("exclusiveMinimum"))
            return f"{low} … {field['maximum']}"
    raise ValueError(f"nothing is known of {field}")


def told(value: object) -> str:
    """A value as it is written in a document."""
    if isinstance(value, dict):
        value = {name: each for name, each in value.items() if each not in (None, {}, [])}
    return "none" if value in (None, {}, []) else f"`{json.dumps(value)}`"


def given(style: TextStyle) -> Mapping[str, Any]:
    return style.model_dump(exclude_unset=True)


def flat(
    schema: Mapping[str, Any], root: Mapping[str, Any] | None = None, path: str = ""
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The fields of a schema and of the objects in it, under their paths."""
    root = schema if root is None else root
    for name, field in schema["properties"].items():
        kinds = [field, *field.get("anyOf", ()), field.get("items", {})]
        inner = [root["$defs"][kind["$ref"].rpartition("/")[2]] for kind in kinds if "$ref" in kind]
        place = f"{path}{name}{'[]' if field.get('type') == 'array' else ''}"
        if inner:
            yield from flat(inner[0], root, f"{place}.")
        else:
            yield place, field


def facts(field: Mapping[str, Any]) -> tuple[str, str]:
    """(values, default) of a parameter."""
    kinds = [each for each in field.get("anyOf", [field]) if each.get("type") != "null"]
    kind = kinds[0]
    standard = field.get("default")
    told = (
        "none"
        if standard in (None, "")
        else f"`{str(standard).lower() if isinstance(standard, bool) else standard}`"
    )
    if "enum" in kind:
        return ", ".join(f"`{each}`" for each in kind["enum"]), told
    if "minimum" in kind or "exclusiveMinimum" in kind:
        low = kind.get("minimum", kind.get("exclusiveMinimum"))
        below = kind.get("exclusiveMaximum")
        high = below - 1 if isinstance(below, int) and kind["type"] == "integer" else below
        return f"{low} … {kind.get('maximum', '' if high is None else high)}", told
    return {"boolean": "`true`, `false`", "string": kind.get("format", "text")}.get(
        kind["type"], kind["type"]
    ), told


def table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    """A Markdown table."""
    yield "| " + " | ".join(head) + " |"
    yield "|" + "---|" * len(head)
    for row in rows:
        yield "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in row) + " |"


def main() -> int:
    """Write the pages; with `--check` only say which ones lag. Exit status 1 if any does."""
    lagging = []
    wanted = {FOLDER / name: text for name, text in pages().items()} | {DOCUMENT: openapi()}
    for page, text in wanted.items():
        if not page.exists() or page.read_text(encoding="utf-8") != text:
            lagging.append(page.name)
            if "--check" not in sys.argv:
                page.parent.mkdir(exist_ok=True)
                page.write_text(text, encoding="utf-8")
                sys.stdout.write(f"wrote {page}\n")
    if "--check" in sys.argv and lagging:
        sys.stderr.write(f"run `make docs`: {', '.join(lagging)} lag behind the code\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
