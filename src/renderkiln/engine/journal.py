"""The durable record of one job's finished stages and parts.

One JSON object per line, each on the disk before anything counts on it. A last line that a crash tore is
dropped. The first line is the header.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from renderkiln.engine.checkpoint import Checkpoint
from renderkiln.pipelines.contract import Result


class Journal:
    """Opens, or begins, the journal at `path` for work with this fingerprint; a context manager.

    Begun anew where the recorded fingerprint is another. `created_at` is the date of the job that began it:
    one that goes on after midnight keeps its date. `folder` is where relative files of checkpoints lie.
    """

    def __init__(self, path: Path, folder: Path, *, fingerprint: str, created_at: datetime) -> None:
        self._folder = folder
        self._stages: dict[str, Checkpoint] = {}
        self._parts: dict[str, dict[str, Checkpoint]] = {}
        self._warnings: dict[str, dict[str, str]] = {}
        self._file = path.open("a+b", buffering=0)
        lines = self._whole_lines()
        if lines and lines[0].get("fingerprint") == fingerprint:
            self.created_at = datetime.fromisoformat(lines[0]["created_at"])
            for line in lines[1:]:
                self._learn(line)
        else:
            self._file.truncate(0)
            self.created_at = created_at
            self._append({"fingerprint": fingerprint, "created_at": created_at.isoformat()})
            _sync_folder(path.parent)

    @property
    def is_empty(self) -> bool:
        """Whether nothing is finished that could be used again."""
        return not self._stages and not any(self._parts.values())

    def result_of(self, stage: str) -> Result | None:
        """The recorded result of `stage`, if all its files are as they were."""
        found = self._stages.get(stage)
        return found.opened(self._folder) if found and found.is_intact(self._folder) else None

    def parts_of(self, stage: str) -> dict[str, Result]:
        """The finished parts of `stage` whose files are as they were."""
        found = self._parts.get(stage, {})
        return {key: part.opened(self._folder) for key, part in found.items() if part.is_intact(self._folder)}

    def warnings_of(self, stage: str) -> Mapping[str, str]:
        """What `stage` told the user, sentences by code."""
        return self._warnings.get(stage, {})

    def record(self, stage: str, checkpoint: Checkpoint) -> None:
        """Record the end of `stage`."""
        self._note({"stage": stage, "result": checkpoint.to_json()})

    def record_part(self, stage: str, key: str, checkpoint: Checkpoint) -> None:
        """Record the end of one part of `stage`."""
        self._note({"stage": stage, "part": key, "result": checkpoint.to_json()})

    def record_warning(self, stage: str, code: str, message: str) -> None:
        """Record what `stage` told the user: it stays true when its result is used again."""
        self._note({"stage": stage, "warning": code, "message": message})

    def close(self) -> None:
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _note(self, line: Mapping[str, Any]) -> None:
        self._append(line)
        self._learn(line)

    def _learn(self, line: Mapping[str, Any]) -> None:
        match line:
            case {"stage": stage, "part": key, "result": result}:
                self._parts.setdefault(stage, {})[key] = Checkpoint.from_json(result)
            case {"stage": stage, "result": result}:
                self._stages[stage] = Checkpoint.from_json(result)
            case {"stage": stage, "warning": code, "message": message}:
                self._warnings.setdefault(stage, {})[code] = message

    def _append(self, line: Mapping[str, Any]) -> None:
        end = self._file.seek(0, os.SEEK_END)
        data = json.dumps(line, separators=(",", ":")).encode() + b"\n"
        try:
            if self._file.write(data) != len(data):  # the disk became full half-way
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), self._file.name)
            os.fsync(self._file.fileno())
        except OSError:
            with contextlib.suppress(OSError):
                self._file.truncate(end)
            raise

    def _whole_lines(self) -> list[dict[str, Any]]:
        """The lines that are whole; what follows the first torn one is cut off."""
        self._file.seek(0)
        lines, end = [], 0
        for raw in self._file.readall().splitlines(keepends=True):
            try:
                line = json.loads(raw) if raw.endswith(b"\n") else None
            except ValueError:
                line = None
            if not isinstance(line, dict):
                break
            lines.append(line)
            end += len(raw)
        self._file.truncate(end)
        return lines


def _sync_folder(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
