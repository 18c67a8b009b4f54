"""What a stage, or a part of one, left behind: its values and its files, known by their content."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from renderkiln.domain.errors import Permanent
from renderkiln.domain.fingerprint import file_sha256
from renderkiln.pipelines.contract import Result


@dataclass(frozen=True)
class FileRecord:
    """A file as it was when its stage ended. `path` is relative to the work folder where it lies inside."""

    path: str
    size: int  # bytes
    sha256: str

    @classmethod
    def of(cls, path: Path, folder: Path) -> Self:
        whole = folder / path  # an absolute path stays what it is
        try:
            size, digest = whole.stat().st_size, file_sha256(whole)
        except FileNotFoundError:
            raise Permanent(f"a stage named the file {path} as its result, but did not make it") from None
        inside = whole.relative_to(folder) if whole.is_relative_to(folder) else whole
        return cls(str(inside), size, digest)

    def is_unchanged(self, folder: Path) -> bool:
        whole = folder / self.path
        try:
            return whole.stat().st_size == self.size and file_sha256(whole) == self.sha256
        except OSError:
            return False


@dataclass(frozen=True)
class Checkpoint:
    """A `Result` as it is recorded: plain JSON, so that it crosses processes and outlives them."""

    values: Mapping[str, Any] = field(default_factory=dict)
    files: Mapping[str, FileRecord] = field(default_factory=dict)

    @classmethod
    def seal(cls, result: Result, folder: Path) -> Self:
        """Measure and hash the files of `result`. Raises Permanent for what cannot be recorded."""
        if not isinstance(result, Result):
            raise Permanent(f"a stage must return a Result, not {type(result).__name__}")
        try:
            values = json.loads(json.dumps(dict(result.values), allow_nan=False))
        except (TypeError, ValueError) as error:
            raise Permanent(f"a stage's values must be JSON: {error}") from error
        return cls(values, {name: FileRecord.of(Path(path), folder) for name, path in result.files.items()})

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        return cls(data["values"], {name: FileRecord(**file) for name, file in data["files"].items()})

    def to_json(self) -> dict[str, Any]:
        files = {name: vars(file) for name, file in self.files.items()}
        return {"values": dict(self.values), "files": files}

    def opened(self, folder: Path) -> Result:
        """The result with absolute paths, without a look at the files."""
        return Result(self.values, {name: folder / file.path for name, file in self.files.items()})

    def is_intact(self, folder: Path) -> bool:
        """Whether every file is still there, with the same size and content."""
        return all(file.is_unchanged(folder) for file in self.files.values())
