"""What the documentation tells people to type works: every command and every piece of Python in it is run."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

import clips
from renderkiln.media import kernels
from renderkiln.media.ffmpeg.binary import find
from renderkiln.media.frames.image import write_image
from renderkiln.settings import Settings

from .conftest import tune, write_wav

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(
    r"^```(console|python|toml|json|text)(?: file=(\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL
)

# The song is short, but a render takes 3 s of CPU time to start and end: `make test-docs` follows these pages
QUICK_PAGES = (
    "README.md",
    "docs/howto/own-template.md",
    "docs/howto/script-with-json.md",
    "docs/howto/narrate-a-script.md",
    "docs/howto/make-variations.md",
    "docs/howto/make-scenes.md",
    "docs/howto/know-what-it-costs.md",
    "docs/howto/receive-webhooks.md",
    "docs/howto/use-the-python-client.md",
)
# without the lines that hold one of these; `make test-slow` follows every page to the letter.
SLOW_LINES = (
    "--format 4k",
    "--quality",
    "--template spectrum",
    "--template particles",
    "templates preview waveform",
    "--duration-min 1",
    "--format webm",
    "--format gif",
)
# `make` is checked to know the target; `demo` and `setup` have tests and a CI job of their own.
MAKE = re.compile(r"make ([a-z-]+)")
PIP = "pip install ./"


@dataclass(frozen=True)
class Step:
    """One thing a reader does: a line typed, a piece of Python run, a file written."""

    kind: str
    text: str
    file: str = ""


def steps(page: Path) -> list[Step]:
    """Everything on the page, in its order."""
    found = []
    for kind, file, text in BLOCK.findall(page.read_text(encoding="utf-8")):
        if kind == "console":
            lines = [line.removeprefix("$ ") for line in text.splitlines() if line.startswith("$ ")]
            assert len(lines) == len(text.splitlines()), f"{page}: a console block holds commands only"
            found += [Step("console", line) for line in lines]
        elif file:
            found.append(Step("file", text, file))
        elif kind == "python":
            found.append(Step("python", text))
    return found


PAGES = [page for page in (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))) if steps(page)]


class Reader:
    """Does what a page says, in a folder with songs and clips."""

    def __init__(self, folder: Path, home: Path) -> None:
        self.folder = folder
        kernels.use_cache(Settings.load().home / "cache")  # shared: compiling takes long
        self._env = {**os.environ, "RENDERKILN_HOME": str(home)}
        self._env["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), self._env["PATH"]])
        self._put_songs()
        clips.plain(folder, "clip.mp4")
        clips.plain(folder, "other.mov")

    def follow(self, step: Step) -> None:
        match step:
            case Step("file", text, file):
                target = self.folder / file
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_text(text, encoding="utf-8")
            case Step("python", text):
                self._run(sys.executable, "-c", text)
            case Step("console", line) if line.startswith(PIP):
                self._install(self.folder / line.removeprefix(PIP))
            case Step("console", line) if make := MAKE.fullmatch(line):
                self._run("make", "-n", "-C", str(ROOT), make[1])
            case Step("console", line):
                self._run("bash", "-ec", line.replace(".venv/bin/", ""))

    def _put_songs(self) -> None:
        wav = write_wav(self.folder / "song.wav", tune(0.4))
        for name in ("song.mp3", "-song.mp3", "other.flac"):
            tags = ["-metadata", "title=Song", "-metadata", "artist=Nobody"]
            convert = [str(find()), "-v", "error", "-y", "-i", str(wav), *tags, f"file:{self.folder / name}"]
            subprocess.run(convert, check=True)
        wav.unlink()
        write_image(self.folder / "cover.png", np.full((64, 64, 3), 90, np.uint8))

    def _install(self, package: Path) -> None:
        """What pip leaves behind, as far as Python looks at it; pip itself would ask the network."""
        project = tomllib.loads((package / "pyproject.toml").read_text())["project"]
        name, version = project["name"], project["version"]
        info = package / f"{name.replace('-', '_')}-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        lines = []
        for group, points in project["entry-points"].items():
            lines += [f"[{group}]", *(f"{key} = {value}" for key, value in points.items())]
        (info / "entry_points.txt").write_text("\n".join(lines) + "\n")
        self._env["PYTHONPATH"] = str(package)

    def _run(self, *command: str) -> None:
        ended = subprocess.run(
            command, cwd=self.folder, env=self._env, capture_output=True, text=True, timeout=600, check=False
        )
        assert ended.returncode == 0, f"{command[-1]}\n{ended.stdout[-2000:]}\n{ended.stderr[-2000:]}"


@pytest.mark.docs
@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", QUICK_PAGES)
def test_the_page_can_be_followed(name: str, tmp_path: Path) -> None:
    follow(
        [step for step in steps(ROOT / name) if not any(slow in step.text for slow in SLOW_LINES)], tmp_path
    )


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_the_page_can_be_followed_to_the_letter(page: Path, tmp_path: Path) -> None:
    follow(steps(page), tmp_path)


def follow(page: list[Step], folder: Path) -> None:
    (folder / "here").mkdir()
    reader = Reader(folder / "here", folder / "home")
    for step in page:
        reader.follow(step)


def test_pages_are_found_and_hold_commands() -> None:
    commands = [step for page in PAGES for step in steps(page) if step.kind == "console"]
    assert len(commands) > 30
    assert any("render visualizer" in step.text for step in commands)
