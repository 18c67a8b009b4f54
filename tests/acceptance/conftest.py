"""Runs the real command as a user would, in a folder and with a home of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
import wave
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

import ready

RATE = 22_050
_PATIENCE = 280.0  # seconds for a command
SMALL = ("--format", "preview", "--quality", "draft", "--template", "waveform")  # 640×360


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.acceptance)


def tune(seconds: float, rate: int = RATE) -> npt.NDArray[np.float32]:
    """A beat and a chord, mono, at half of full scale."""
    t = np.arange(round(seconds * rate)) / rate
    beat = np.sin(2 * np.pi * 55 * t) * np.exp(-8 * (t % 0.5))
    chord = sum(np.sin(2 * np.pi * f * t) for f in (220.0, 277.2, 329.6)) * (0.1 + 0.05 * np.sin(t))
    loudest = np.asarray(0.35 * beat + chord)
    return loudest.astype(np.float32)


def write_wav(path: Path, samples: npt.NDArray[np.float32], rate: int = RATE) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, rate, len(samples), "NONE", ""))
        file.writeframes((np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())
    return path


@dataclass
class Command:
    """`renderkiln` in a folder, with a home."""

    folder: Path
    home: Path
    started: list[subprocess.Popen[str]] = field(default_factory=list)

    @property
    def out(self) -> Path:
        return self.folder / "out"

    def __call__(
        self, *arguments: object, env: Mapping[str, str] | None = None, humble: bool = False
    ) -> subprocess.CompletedProcess[str]:
        """Run it to its end; a `humble` one has none of the powers of root over files."""
        if not humble and all(name.startswith("RENDERKILN_") for name in env or {}):
            return ready.run(list(map(str, arguments)), self.folder, self._env(env), _PATIENCE)
        return subprocess.run(
            [*(_powerless() if humble else []), *self._line(arguments)],
            cwd=self.folder,
            env=self._env(env),
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=_PATIENCE,
            check=False,
        )

    def start(self, *arguments: object, env: Mapping[str, str] | None = None) -> subprocess.Popen[str]:
        """Start it and let it run; its stderr is a pipe, its stdout a pipe of its own."""
        process = subprocess.Popen(
            self._line(arguments),
            cwd=self.folder,
            env=self._env(env),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self.started.append(process)
        return process

    def song(self, name: str = "song.wav", seconds: float = 0.4) -> Path:
        return write_wav(self.folder / name, tune(seconds))

    def delivered(self) -> list[str]:
        """The names of everything in the output folder."""
        return sorted(path.name for path in self.out.iterdir()) if self.out.exists() else []

    def processes(self) -> list[int]:
        """Every living process that belongs to this home, whatever its parent."""
        mark = f"RENDERKILN_HOME={self.home}".encode()
        return [int(entry.name) for entry in Path("/proc").glob("[0-9]*") if mark in _environment(entry)]

    def wait_until_gone(self, seconds: float = 10.0) -> None:
        deadline = time.monotonic() + seconds
        while (left := self.processes()) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert not left, f"processes left behind: {left}"

    def _line(self, arguments: tuple[object, ...]) -> list[str]:
        return [sys.executable, "-m", "renderkiln", *map(str, arguments)]

    def _env(self, env: Mapping[str, str] | None) -> dict[str, str]:
        return {**os.environ, "RENDERKILN_HOME": str(self.home), **(env or {})}


@pytest.fixture
def renderkiln(tmp_path: Path) -> Iterator[Command]:
    folder = tmp_path / "here"
    folder.mkdir()
    command = Command(folder, tmp_path / "home")
    yield command
    for process in command.started:
        process.kill()
        process.communicate()
    command.wait_until_gone()


@pytest.fixture
def percent() -> Callable[[subprocess.Popen[str], float], None]:
    """Wait until a running command has said that it is that far."""

    def wait(process: subprocess.Popen[str], at_least: float) -> None:
        assert process.stderr is not None
        for line in process.stderr:
            before, sign, _ = line.partition(" %")
            if sign and float(before.rpartition("(")[2]) >= at_least:
                return
        raise AssertionError(f"it ended with {process.wait()} before it was at {at_least} %")

    return wait


def _powerless() -> list[str]:
    """Before a command: the owner of files stays who it is, but permissions count."""
    if os.geteuid() != 0:
        return []
    without = ["unshare", "--user"]
    if shutil.which("unshare") is None or subprocess.run([*without, "true"], check=False).returncode:
        pytest.skip("root may read and write everything, and cannot be deprived of that here")
    return without


def _environment(process: Path) -> bytes:
    try:
        if "\nState:\tZ" in (process / "status").read_text():
            return b""
        return (process / "environ").read_bytes()
    except OSError:  # it ended while we looked
        return b""
