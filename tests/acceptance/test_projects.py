"""Projects that are stored, changed and shown by command."""

from __future__ import annotations

import io
import json
import os
import pty
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from renderkiln.cli import app

from .conftest import Command

INTRO = {"id": "intro", "duration": 2.0, "layers": [{"type": "text", "text": "A\x1b[2J title"}]}
KITE = {"id": "kite", "duration": 3.0, "voice": {"speech": "It flies."}}
FILM = {"title": "Kites", "fps": 25, "scenes": [INTRO, KITE]}


@dataclass
class Here:
    """Commands in this process and a folder, because a process for each would take minutes."""

    folder: Path
    capsys: pytest.CaptureFixture[str]
    monkeypatch: pytest.MonkeyPatch

    def __call__(self, *arguments: str, stdin: str = "") -> tuple[int, str, str]:
        """Exit status, stdout and stderr of `renderkiln projects`."""
        self.monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin.encode())))
        status = app.run(["projects", *arguments])
        said = self.capsys.readouterr()
        return status, said.out, said.err

    def data(self, *arguments: str) -> Any:
        status, out, err = self(*arguments, "-o", "json")
        assert status == 0, err
        return json.loads(out)

    def write(self, name: str, content: object) -> str:
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        return name

    def create(self, film: object = FILM, *arguments: str) -> str:
        """The id that it prints."""
        status, out, err = self("create", self.write("films/kite.json", film), *arguments)
        assert status == 0, err
        assert err.startswith("renderkiln: ")
        return out.strip()


@pytest.fixture
def here(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Here:
    monkeypatch.chdir(tmp_path)
    return Here(tmp_path, capsys, monkeypatch)


def test_a_project_outlives_the_command_that_stored_it(renderkiln: Command) -> None:
    (renderkiln.folder / "kite.json").write_text(json.dumps(FILM))
    created = renderkiln("projects", "create", "kite.json")
    assert created.returncode == 0, created.stderr
    id = created.stdout.strip()
    assert created.stderr == "renderkiln: Kites: stored with 2 scenes\n"
    assert json.loads(renderkiln("projects", "show", id, "-o", "json").stdout) == FILM


def test_what_is_stored_is_listed_and_shown(here: Here) -> None:
    id = here.create()
    assert here.data("show", id) == FILM
    (listed,) = here.data("list")
    folder = str(here.folder / "films")
    assert (listed["id"], listed["name"], listed["folder"]) == (id, "Kites", folder)
    assert (listed["scenes"], listed["revision"]) == (2, 1)
    _, words, _ = here("show", id)
    assert words.startswith(f"project {id} (Kites): revision 1, in {folder}\n")
    assert "A\\x1b[2J title" in words
    assert "\x1b" not in words
    here.create(FILM | {"title": "Dragons"})
    _, lines, _ = here("list", "-o", "jsonl")
    assert [json.loads(line)["name"] for line in lines.splitlines()] == ["Dragons", "Kites"]
    _, table, _ = here("list")
    assert [line.split()[0] for line in table.splitlines()][2] == id


def test_scenes_are_changed_one_by_one(here: Here) -> None:
    id = here.create()
    outro = here.write("outro.json", {"duration": 1})
    assert here("scenes", "add", id, outro, "--at", "1") == (
        0,
        "scene-1\n",
        f"renderkiln: {id}: scene scene-1 added at position 1\n",
    )
    assert here("scenes", "move", id, "kite", "1")[0] == 0
    assert here("scenes", "replace", id, "intro", outro)[0] == 0
    assert here("scenes", "remove", id, "scene-1", "--revision", "4")[0] == 0
    scenes = [(each["position"], each["scene"]) for each in here.data("scenes", "list", id)]
    assert scenes == [(1, KITE), (2, {"id": "intro", "duration": 1.0})]
    status, _, err = here("scenes", "remove", id, "outro")
    assert (status, "has no scene 'outro'" in err) == (1, True)


def test_a_project_is_replaced_and_renamed(here: Here) -> None:
    id = here.create()
    assert here("rename", id, "Dragons")[0] == 0
    status, _, err = here("replace", id, "films/kite.json", "--revision", "1")
    assert (status, "is at revision 2, not 1: somebody has changed it meanwhile" in err) == (1, True)
    changed = json.dumps(here.data("show", id)).replace("It flies.", "It falls.")
    assert here("replace", id, "-", "--revision", "2", stdin=changed)[0] == 0
    assert here.data("show", id)["scenes"][1]["voice"] == {"speech": "It falls."}
    (listed,) = here.data("list")
    assert (listed["name"], listed["folder"]) == ("Dragons", str(here.folder / "films"))


def test_a_project_without_a_title_is_called_after_its_file(here: Here) -> None:
    film = {"scenes": [INTRO]}
    here.create(film)
    here.create(film, "--name", "Dragons", "--folder", "elsewhere")
    assert here("create", "-", stdin=json.dumps(film))[0] == 0
    assert {each["name"]: each["folder"] for each in here.data("list")} == {
        "kite": str(here.folder / "films"),
        "Dragons": str(here.folder / "elsewhere"),
        "untitled": str(here.folder),
    }


def test_who_deletes_a_project_is_asked(here: Here) -> None:
    id = here.create()
    for answer, status in (("n", 1), ("y", 0)):
        ours, theirs = pty.openpty()
        line = [sys.executable, "-m", "renderkiln", "projects", "delete", id]
        process = subprocess.Popen(line, stdin=theirs, stderr=subprocess.PIPE, text=True)
        os.write(ours, f"{answer}\n".encode())
        _, said = process.communicate(timeout=60)
        os.close(ours)
        os.close(theirs)
        assert process.returncode == status, said
        assert "Delete Kites with 2 scenes? [y/N]" in said
        assert len(here.data("list")) == status


def test_where_nobody_can_be_asked_nothing_is_deleted(here: Here) -> None:
    id = here.create()
    assert here("delete", id) == (2, "", "renderkiln: nobody is there to be asked: say --yes\n")
    assert len(here.data("list")) == 1
    assert here("delete", id, "--yes")[0] == 0
    assert here.data("list") == []


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "film.json: is empty"),
        ('{"scenes": [}', "film.json: line 1, column 13"),
        ("[]", "film.json: must be an object"),
        ("[" * 100_000, "film.json: "),
        ('{"scenes": [{"duration": -1}]}', "duration"),
        ('{"scenes": [{"duration": NaN}]}', "duration"),
        ('{"sceens": []}', "sceens"),
        (None, "cannot be read: no such file"),
    ],
)
def test_a_wrong_file_is_one_line_and_wrong_usage(here: Here, content: str | None, words: str) -> None:
    if content is not None:
        here.write("film.json", content)
    status, out, err = here("create", "film.json")
    assert (status, out) == (2, "")
    (line,) = err.splitlines()
    assert line.startswith("renderkiln: ")
    assert words in line


def test_a_project_that_is_not_there_is_one_line(here: Here) -> None:
    for arguments in (("show", "prj_x"), ("delete", "prj_x", "--yes"), ("scenes", "remove", "prj_x", "a")):
        assert here(*arguments) == (
            1,
            "",
            "renderkiln: there is no project 'prj_x': `renderkiln projects list` shows those there are\n",
        )
