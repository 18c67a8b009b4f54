"""`renderkiln new pipeline`: what it makes passes its exam, renders, and needs no change of the core."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import renderkiln as core
from coverage_off import uncovered
from renderkiln.media.ffmpeg.binary import find
from renderkiln.media.inspect import inspect

from .conftest import Command

PAGE = Path(__file__).parents[2] / "docs" / "howto" / "own-pipeline.md"
EXCERPT = re.compile(r"^```(?:py|toml)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
CORE = Path(core.__file__).parent
WHERE = """
import inspect
from renderkiln.pipelines import catalog

print(inspect.getfile(catalog.load(catalog.PIPELINES, "mine")))
"""
CRAMPED = """
import resource, sys
from renderkiln.cli.app import run

resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
sys.exit(run(["new", "pipeline", "mine"]))
"""
RENDER = """
import json, sys
from pathlib import Path
from renderkiln import Renderkiln

with Renderkiln.open() as kiln:
    job = kiln.job("mine", Path("film.mp4"), json.loads(sys.argv[1]))
    print(json.dumps(kiln.run(job, output=Path("out")).to_json()))
"""


class Author:
    """Somebody with a package of their own, `here/renderkiln-mine`, installed beside Renderkiln."""

    def __init__(self, folder: Path) -> None:
        self.here = folder / "here"
        self.here.mkdir()
        self.package = self.here / "renderkiln-mine"
        self.site = folder / "site"
        self.home = folder / "home"
        made = Command(self.here, self.home)("new", "pipeline", "mine")
        assert made.returncode == 0, made.stderr
        assert made.stdout == ""
        self.told = made.stderr
        self._install()

    def python(self, *arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        """Run Python as it is after the installation."""
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=cwd or self.here,
            env={**os.environ, "RENDERKILN_HOME": str(self.home), "PYTHONPATH": str(self.site)},
            capture_output=True,
            text=True,
            timeout=280,
            check=False,
        )

    def _install(self) -> None:
        """What pip leaves behind, as far as Python looks at it; pip itself would ask the network."""
        project = tomllib.loads((self.package / "pyproject.toml").read_text())["project"]
        info = self.site / f"renderkiln_mine-{project['version']}.dist-info"
        info.mkdir(parents=True)
        shutil.copy(self.package / "renderkiln_mine.py", self.site)
        (info / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
        )
        lines = []
        for group, points in project["entry-points"].items():
            lines += [f"[{group}]", *(f"{key} = {value}" for key, value in points.items())]
        (info / "entry_points.txt").write_text("\n".join(lines) + "\n")


together = pytest.mark.xdist_group("author")


@pytest.fixture(scope="module")
def author(tmp_path_factory: pytest.TempPathFactory) -> Author:
    return Author(tmp_path_factory.mktemp("author"))


@together
def test_its_words_say_what_to_do_next(author: Author) -> None:
    for words in (f"pip install -e '{author.package}[test]'", "pytest renderkiln-mine", "render mine FILM"):
        assert words in author.told
    assert [path.name for path in author.here.iterdir()] == ["renderkiln-mine"], "something is left behind"


@together
def test_it_is_found_outside_the_core(author: Author) -> None:
    ended = author.python("-c", WHERE)
    assert ended.returncode == 0, ended.stderr
    place = Path(ended.stdout.strip())
    assert place == author.site / "renderkiln_mine.py"
    assert not place.is_relative_to(CORE)


@together
def test_its_exam_passes_at_once(author: Author) -> None:
    ended = author.python("-m", "pytest", "-p", "no:cacheprovider", "renderkiln-mine")
    assert ended.returncode == 0, ended.stdout
    passed = re.search(r"(\d+) passed", ended.stdout)
    assert passed is not None
    assert int(passed[1]) >= 13, "the exam's questions and its own"


@together
def test_it_renders_a_film(author: Author) -> None:
    source = "testsrc2=size=640x360:rate=30:duration=6"
    film = ("-f", "lavfi", "-i", source, "-f", "lavfi", "-i", "sine", "-shortest", "-y", "film.mp4")
    subprocess.run([find(), "-v", "error", *film], cwd=author.here, check=True)
    ended = author.python("-c", RENDER, json.dumps({"clips": 3, "seconds": 1, "height": 240}))
    assert ended.returncode == 0, ended.stderr
    report = json.loads(ended.stdout)
    assert report["state"] == "completed", report["error"]
    (artifact,) = report["artifacts"]
    assert re.fullmatch(r"\d{8}_film_mine_v1\.mp4", artifact["name"])
    made = inspect(Path(artifact["path"]))
    assert made.errors == ()
    assert made.audio is None
    assert made.video is not None
    assert made.video.frames == 75
    assert made.video.irregular == 0
    assert made.info.video is not None
    assert (made.info.video.codec, made.info.video.height) == ("h264", 240)


@together
def test_wrong_params_are_named(author: Author) -> None:
    ended = author.python("-c", RENDER, json.dumps({"clips": 99, "height": 241}))
    assert "WrongParams: mine: clips: " in ended.stderr
    assert "height: " in ended.stderr


@together
def test_a_second_pipeline_of_that_name_is_refused(author: Author) -> None:
    ended = author.python("-m", "renderkiln", "new", "pipeline", "mine", "--out", "elsewhere")
    assert ended.returncode == 2
    assert "'mine' is installed already" in ended.stderr
    assert not (author.here / "elsewhere").exists()


@together
def test_what_it_makes_is_clean_code(author: Author) -> None:
    rules = ("--isolated", "--select", "E,F,W,I,UP,B,A,C4,PT,RET,SIM,PTH,PERF,RUF", "--line-length", "110")
    for command in (("check", *rules), ("format", "--check", "--isolated", "--line-length", "110")):
        ended = author.python("-m", "ruff", *command, "--no-cache", ".", cwd=author.package)
        assert ended.returncode == 0, ended.stdout


@pytest.mark.slow
@pytest.mark.timeout(600)
@together
def test_what_it_makes_is_typed(author: Author) -> None:
    ended = author.python("-m", "mypy", "--strict", "--cache-dir", os.devnull, ".", cwd=author.package)
    assert ended.returncode == 0, ended.stdout


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("2fast", "lower-case letters"),
        ("Mine", "lower-case letters"),
        ("größe", "lower-case letters"),
        ("my--own", "lower-case letters"),
        ("mine-", "lower-case letters"),
        ("../mine", "lower-case letters"),
        ("my own", "lower-case letters"),
        ("", "lower-case letters"),
        ("mine:Class", "lower-case letters"),
        ("class", "Python"),
        ("visualizer", "installed already"),
    ],
)
def test_a_bad_name(renderkiln: Command, name: str, words: str) -> None:
    ended = renderkiln("new", "pipeline", name, "--out", "out")
    assert ended.returncode == 2
    (line,) = ended.stderr.splitlines()
    assert line.startswith(f"renderkiln: {name!r}" if words != "installed already" else "renderkiln: ")
    assert words in line
    assert list(renderkiln.folder.iterdir()) == []


def test_a_folder_that_exists_is_left_alone(renderkiln: Command) -> None:
    taken = renderkiln.folder / "renderkiln-mine"
    taken.mkdir()
    ended = renderkiln("new", "pipeline", "mine")
    assert ended.returncode == 1
    assert ended.stderr == "renderkiln: renderkiln-mine exists already: nothing was changed\n"
    assert list(taken.iterdir()) == []
    taken.rmdir()
    taken.symlink_to("nowhere")
    assert renderkiln("new", "pipeline", "mine").returncode == 1
    assert taken.is_symlink()


def test_a_folder_that_cannot_be_written_to(renderkiln: Command) -> None:
    renderkiln.out.mkdir(mode=0o555)
    (renderkiln.folder / "a-file").touch()
    for out, reason in (("out", "permission denied"), ("a-file/out", "not a directory")):
        ended = renderkiln("new", "pipeline", "mine", "--out", out, humble=True)
        assert ended.returncode == 1
        assert ended.stderr == f"renderkiln: {out}/renderkiln-mine cannot be written: {reason}\n"
    assert renderkiln.delivered() == []


def test_nothing_is_left_where_a_file_could_not_be_written_whole(renderkiln: Command) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", CRAMPED],
        cwd=renderkiln.folder,
        env=uncovered(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 1
    assert ended.stderr == "renderkiln: renderkiln-mine cannot be written: file too large\n"
    assert list(renderkiln.folder.iterdir()) == []


def test_the_folder_it_goes_to_is_made(renderkiln: Command) -> None:
    ended = renderkiln("new", "pipeline", "my-own", "--out", "new/plug ins")
    assert ended.returncode == 0, ended.stderr
    package = renderkiln.folder / "new" / "plug ins" / "renderkiln-my-own"
    assert {path.name for path in package.iterdir()} == {
        "README.md",
        "pyproject.toml",
        "renderkiln_my_own.py",
        "test_renderkiln_my_own.py",
    }
    assert "$" not in (package / "renderkiln_my_own.py").read_text()
    points = tomllib.loads((package / "pyproject.toml").read_text())["project"]["entry-points"]
    assert points == {"renderkiln.pipelines": {"my-own": "renderkiln_my_own:MyOwnPipeline"}}


def test_the_page_shows_what_is_made(renderkiln: Command) -> None:
    assert renderkiln("new", "pipeline", "teaser").returncode == 0
    made = [path.read_text() for path in (renderkiln.folder / "renderkiln-teaser").iterdir()]
    excerpts = EXCERPT.findall(PAGE.read_text(encoding="utf-8"))
    assert len(excerpts) > 5
    for excerpt in excerpts:
        assert any(excerpt in text for text in made), excerpt
