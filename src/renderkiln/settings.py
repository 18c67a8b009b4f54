"""Every setting: unit, default, environment name, one line of help.

A setting is taken from the first of these that has it: a command-line flag, the environment
(`RENDERKILN_…`), `renderkiln.toml` in the current folder, `renderkiln.toml` in the home folder, its default.
Written on pydantic alone: pydantic-settings more than doubles the start of every command.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Self, TypeVar

import platformdirs
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from renderkiln.domain.errors import UsageError

PREFIX = "RENDERKILN_"
FILE = "renderkiln.toml"
GIB = 2**30


def _usable_cores() -> int:
    """Cores this process may run on; a container or taskset may allow fewer than the machine has."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _default_home() -> Path:
    return platformdirs.user_data_path("renderkiln", appauthor=False)


def _expanded(value: object) -> object:
    return Path(value).expanduser() if isinstance(value, str | Path) else value


def _split(value: object) -> object:
    return value.split(os.pathsep) if isinstance(value, str) else value


Folder = Annotated[Path, BeforeValidator(_expanded)]


class Settings(BaseModel):
    """Build it with `load()`; a plain `Settings(...)` takes defaults for what is not given."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)

    home: Folder = Field(
        default_factory=_default_home,
        description="Folder for everything Renderkiln keeps: work, cache, logs",
    )
    output_dir: Folder = Field(
        Path("renderkiln-output"),
        description="Folder for finished files, from the current folder; made if it is missing",
        json_schema_extra={"also": "RENDER_OUTPUT_DIR"},
    )
    ffmpeg: Folder | None = Field(
        None, description="FFmpeg binary; by default the bundled one, then the one on PATH"
    )
    cores: int = Field(
        default_factory=_usable_cores, ge=1, le=1024, description="Cores a render may keep busy"
    )
    nice: int = Field(0, ge=0, le=19, description="How far renders step back for other programs (0 … 19)")
    max_duration: float = Field(12 * 3600.0, gt=0, description="Longest input taken, in seconds")
    max_file_size: int = Field(64 * GIB, gt=0, description="Largest input file taken, in bytes")
    max_pixels: int = Field(8192 * 8192, gt=0, description="Largest picture taken, in pixels")
    fonts: Annotated[tuple[Folder, ...], BeforeValidator(_split)] = Field(
        (), description=f"Font files asked before the bundled ones, separated by '{os.pathsep}'"
    )
    stall_timeout: float = Field(
        60.0, gt=0, description="Seconds without a sign of life after which FFmpeg counts as stalled"
    )
    keep_work: bool = Field(
        default=False, description="Keep the work folders of finished jobs, for a closer look"
    )

    @classmethod
    def load(
        cls, *, environ: Mapping[str, str] | None = None, folder: Path | None = None, **flags: Any
    ) -> Self:
        """The settings of this call. A flag that is None counts as not given.

        Raises UsageError naming the setting, and where it came from, if a value or a name is wrong.
        """
        environ = os.environ if environ is None else environ
        given = {key: value for key, value in flags.items() if value is not None}
        above = _from_file(cls, (folder or Path()) / FILE) | _from_environment(cls, environ) | _marked(given)
        home = _validated(cls, {k: v for k, v in above.items() if k == "home"}).home
        return _validated(cls, _from_file(cls, home / FILE) | above)

    @classmethod
    def environment_names(cls, name: str) -> tuple[str, ...]:
        """The environment variables that set the field `name`, the strongest first."""
        extra = cls.model_fields[name].json_schema_extra
        also = extra.get("also") if isinstance(extra, dict) else None
        return (PREFIX + name.upper(), *([str(also)] if also else []))


S = TypeVar("S", bound=Settings)
_Layer = dict[str, tuple[Any, str]]  # field -> (value, where it came from)


def _marked(flags: Mapping[str, Any]) -> _Layer:
    return {key: (value, f"--{key.replace('_', '-')}") for key, value in flags.items()}


def _from_environment(settings: type[Settings], environ: Mapping[str, str]) -> _Layer:
    names = [(field, name) for field in settings.model_fields for name in settings.environment_names(field)]
    return {field: (environ[name], name) for field, name in reversed(names) if environ.get(name)}


def _from_file(settings: type[Settings], path: Path) -> _Layer:
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"cannot read the settings in {path}: {error}") from error
    for key in values:
        if key not in settings.model_fields:
            known = ", ".join(settings.model_fields)
            raise UsageError(f"unknown setting {key!r} in {path}; known are: {known}")
    return {key: (value, f"{key} in {path}") for key, value in values.items()}


def _validated(settings: type[S], layer: _Layer) -> S:
    try:
        return settings.model_validate({key: value for key, (value, _) in layer.items()})
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0])
        where = layer[name][1] if name in layer else name
        raise UsageError(f"{where}: {first['msg']}, not {first['input']!r}") from error
