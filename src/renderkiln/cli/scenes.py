"""What a call can ask of the scenes: projects, and how to render them; and `renderkiln scenes`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import click

from renderkiln.cli.bytesize import ByteSize
from renderkiln.cli.opening import open_shelf
from renderkiln.cli.options import options_of
from renderkiln.cli.orders import Form, Order
from renderkiln.cli.stored import STDIN, content, is_stored
from renderkiln.cli.words import put, put_json, shown, tell
from renderkiln.domain.errors import UsageError
from renderkiln.pipelines.scenes.document.mistakes import Mistake, WrongProject
from renderkiln.pipelines.scenes.document.parsing import MAX_BYTES
from renderkiln.pipelines.scenes.document.project import Project
from renderkiln.pipelines.scenes.document.reading import project_of, read_project
from renderkiln.pipelines.scenes.document.references import check_scenes
from renderkiln.pipelines.scenes.document.times import least_seconds
from renderkiln.pipelines.scenes.params import ScenesParams

F = TypeVar("F", bound=Callable[..., Any])

HELP = """Make films of scenes: texts, pictures, clips and voices.

PROJECTS are JSON documents, or ids of stored ones (prj_…); - reads one from stdin. Files in a document are
found from where it lies. Each project is rendered in every --format. `renderkiln scenes validate` says what
is wrong in a document, `renderkiln scenes schema` what may be in it.
"""

FILM = ("resolution", "aspect", "fps", "quality", "report")
_PROJECT = click.Path(path_type=Path, readable=False, allow_dash=True)


def _options(command: F) -> F:
    command = options_of(ScenesParams, FILM)(command)
    most = "Most bytes of a gif, like 8MB: colours, frames and size are given up for it."
    command = click.option("--max-bytes", type=ByteSize(least=1000), default=None, metavar="SIZE", help=most)(
        command
    )
    only = "Render only the scene with this id; repeatable, in the order given."
    command = click.option("--scene", "scenes", multiple=True, metavar="ID", help=only)(command)
    command = options_of(ScenesParams, ("format",), multiple=frozenset({"format"}))(command)
    return click.argument("files", nargs=-1, required=True, metavar="PROJECT...", type=_PROJECT)(command)


def _orders(
    files: Sequence[Path], format: Sequence[str], scenes: Sequence[str], max_bytes: int | None, **given: Any
) -> list[Order]:
    formats = dict.fromkeys(format or [ScenesParams.model_fields["format"].default])
    film = {name: value for name, value in given.items() if value is not None} | {"scenes": list(scenes)}
    orders = []
    for number, file in enumerate(files, 1):
        project, folder = _read(file, scenes)
        what = film | {"project": project.model_dump(mode="json"), "folder": str(folder or "")}
        for each in formats:
            # Whoever wants a film and a gif of it means the gif.
            most = max_bytes if each == "gif" or "gif" not in formats else None
            params = what | {"format": each, "max_bytes": most}
            orders.append(Order(file, params, str(number), format=each, needed=False))
    return orders


FORM = Form("scenes", HELP, _options, _orders)


def _read(file: Path, scenes: Sequence[str]) -> tuple[Project, Path | None]:
    """A project, and the folder that its paths count from. Raises UsageError, UserError."""
    name = str(file)
    if is_stored(name):
        project, folder = _stored(name)
    else:
        project, folder = read_project(content(file, MAX_BYTES + 1), name), _folder(file)
    if unknown := check_scenes(project, scenes):
        raise WrongProject(name, unknown)
    if len(set(scenes)) < len(scenes):
        raise UsageError("a scene is named twice by --scene: each is seen once in a film")
    return project, folder


def _stored(id: str) -> tuple[Project, Path | None]:
    from renderkiln.app import outside_document

    with open_shelf() as shelf:
        told, document = shelf.read(id)
    if (folder := told.get("folder")) is None:
        document = outside_document(document)  # paths in it would be those of another machine
    return project_of(document, id), None if folder is None else Path(folder)


def _folder(file: Path) -> Path:
    """Where the paths in a document count from."""
    return Path.cwd() if file == STDIN else file.absolute().parent


@click.group("scenes")
def scenes() -> None:
    """Check projects of scenes, and look at them, before they are rendered."""


@scenes.command("validate")
@click.argument("files", nargs=-1, required=True, metavar="FILE...", type=_PROJECT)
@click.option(
    "-o",
    "--output",
    "shape",
    type=click.Choice(["json", "jsonl", "table"]),
    default="table",
    help="How to print it.",
)
def validate(files: Sequence[Path], shape: str) -> int:
    """Say what is wrong in each project document, and with the files that it names; - reads stdin.

    A mistake is one line, `FILE: path in the document: what is wrong`. Exit status: 0 all is well, 2 it is
    not.
    """
    verdicts = [_judge(file) for file in files]
    for each in verdicts:
        if shape == "table":
            _tell(each)
        elif shape == "jsonl":
            put_json(each.to_json(), indent=None)
    if shape == "json":
        put_json([each.to_json() for each in verdicts])
    return 0 if all(each.ok for each in verdicts) else 2


@scenes.command("schema")
def schema() -> None:
    """Print the JSON Schema of project documents, for editors that complete and check them."""
    from renderkiln.pipelines.scenes.document.schema import project_schema

    put_json(project_schema())


_TARGET = click.option(
    "-o",
    "--output",
    "target",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    help="The picture: .png, .jpg or .webp",
)


def _sketched(command: F) -> F:
    """The options of commands that draw pictures of a project."""
    command = options_of(ScenesParams, ("resolution", "aspect", "fps"))(command)
    only = "Only the scene with this id; repeatable, in the order given."
    command = click.option("--scene", "scenes", multiple=True, metavar="ID", help=only)(command)
    return click.argument("file", metavar="PROJECT", type=_PROJECT)(command)


@scenes.command("preview")
@_sketched
@click.option("--at", type=click.FloatRange(0), default=0.0, help="Second of the film [default: 0]")
@_TARGET
def preview(file: Path, scenes: Sequence[str], at: float, target: Path, **given: Any) -> None:
    """Draw the frame at one second of a film, without making the film.

    How long speech takes is estimated.
    """
    from renderkiln.cli.sketching import draw_frame

    draw_frame(_params(file, scenes, given), at, target)


@scenes.command("storyboard")
@_sketched
@_TARGET
def storyboard(file: Path, scenes: Sequence[str], target: Path, **given: Any) -> None:
    """Draw all scenes on one picture, each when its layers have come in."""
    from renderkiln.cli.sketching import draw_storyboard

    draw_storyboard(_params(file, scenes, given), target)


def _params(file: Path, scenes: Sequence[str], given: dict[str, Any]) -> ScenesParams:
    project, folder = _read(file, scenes)
    film = {name: value for name, value in given.items() if value is not None}
    return ScenesParams(project=project, folder=str(folder or ""), scenes=tuple(scenes), **film)


@dataclass(frozen=True)
class _Verdict:
    """What was found in a document; `more` mistakes are not told one by one."""

    file: Path
    project: Project | None
    mistakes: Sequence[Mistake] = ()
    more: int = 0

    @property
    def ok(self) -> bool:
        return not self.mistakes

    def to_json(self) -> dict[str, Any]:
        seconds, exact = (None, None) if self.project is None else least_seconds(self.project)
        return {
            "file": str(self.file),
            "ok": self.ok,
            "mistakes": [{"path": each.path, "message": each.message} for each in self.mistakes],
            "more": self.more,
            "scenes": None if self.project is None else len(self.project.scenes),
            "seconds": seconds,
            "exact": exact,
        }


def _judge(file: Path) -> _Verdict:
    from renderkiln.pipelines.scenes.document.files import check_files

    try:
        project = read_project(content(file, MAX_BYTES + 1), str(file))
    except WrongProject as error:
        return _Verdict(file, None, error.mistakes, error.more)
    except UsageError as error:
        return _Verdict(file, None, [Mistake("", str(error).removeprefix(f"{file} "))])
    return _Verdict(file, project, check_files(project, _folder(file)))


def _tell(verdict: _Verdict) -> None:
    name = str(verdict.file)
    if verdict.mistakes:
        for line in WrongProject(name, verdict.mistakes, more=verdict.more).lines:
            tell(shown(line))
    elif verdict.project is not None:
        count = len(verdict.project.scenes)
        seconds, exact = least_seconds(verdict.project)
        least = "" if exact else " at least"
        put(shown(f"{name}: {count} scene{'' if count == 1 else 's'}, {seconds:.1f} s{least}"))
