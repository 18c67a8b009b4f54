"""What is published has the dashboard inside: installed into an empty environment, where no Node.js is."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import expect

from .conftest import OpenPage, Service

ROOT = Path(__file__).parents[2]
_SEARCHED = os.pathsep.join([os.environ.get("PATH", os.defpath), str(ROOT / ".uv/bin")])
_AWAY = re.compile("network|connect|dns|offline|not found in the cache|client error", re.IGNORECASE)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    room = tmp_path_factory.mktemp("wheel")
    python = install(build(checkout(room / "checkout"), room / "dist"), room / "venv")
    made = Service(room / "home", python=python, path=str(python.parent))
    made.start()
    yield made
    made.end()


def checkout(to: Path) -> Path:
    """What is under version control here, and what `npm` had to get, for it takes its time."""
    line = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip(f"this is no checkout to build from: {listed.stderr.strip()}")
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file():
            (to / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, to / name)
    if (ROOT / "dashboard/node_modules").is_dir():
        (to / "dashboard/node_modules").symlink_to(ROOT / "dashboard/node_modules")
    return to


def build(source: Path, dist: Path) -> Path:
    """The wheel, made of the source distribution: where that is unpacked, no Node.js is needed any more."""
    uv("build", "--quiet", "--sdist", "--out-dir", dist, "--python", sys.executable, source)
    (packed,) = dist.glob("*.tar.gz")
    bare = {"PATH": str(Path(sys.executable).parent)}
    uv("build", "--quiet", "--wheel", "--out-dir", dist, "--python", sys.executable, packed, env=bare)
    (wheel,) = dist.glob("*.whl")
    return wheel


def install(wheel: Path, venv: Path) -> Path:
    """The Python of a new environment that has the wheel, and what the lock file has for it."""
    needed = venv.with_suffix(".txt")
    uv("export", "--quiet", "--frozen", "--no-emit-project", "--project", ROOT, "--output-file", needed)
    uv("venv", "--quiet", "--python", sys.executable, venv)
    python = venv / "bin/python"
    uv("pip", "install", "--quiet", "--no-deps", "--python", python, "--requirement", needed, wheel)
    return python


def uv(*arguments: object, env: Mapping[str, str] = {}) -> None:
    """Run it, by what it has kept if that is enough; where it can ask nobody, there is nothing to test."""
    found = shutil.which("uv", path=_SEARCHED)
    if found is None:
        pytest.skip("there is no uv, which builds and installs the wheel")
    for offline in (["--offline"], []):
        line = [found, *offline, *map(str, arguments)]
        ended = subprocess.run(line, env={**os.environ, **env}, capture_output=True, text=True, check=False)
        if ended.returncode == 0:
            return
    if _AWAY.search(ended.stderr):
        pytest.skip(f"no package index can be reached: {ended.stderr[-500:]}")
    pytest.fail(ended.stderr)


def test_its_files_are_served(service: Service) -> None:
    page = httpx.get(service.url)
    assert page.status_code == 200, page.text
    named = re.findall(r'(?:src|href)="(/[^"]+)"', page.text)
    assert any(name.endswith(".js") for name in named)
    assert [httpx.get(service.url + name).status_code for name in named] == [200] * len(named)


def test_it_is_seen(open_page: OpenPage, service: Service) -> None:
    page = open_page(log_in=False)
    page.goto(service.link)
    expect(page.get_by_role("heading", name="Your render room is ready")).to_be_visible()
    page.get_by_role("link", name="Settings").click()
    expect(page.get_by_role("heading", name="Keys", exact=True)).to_be_visible()  # a page that is loaded late
