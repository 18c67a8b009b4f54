"""Stored projects: scenes in their order, changed by many at once, and every scene told of once."""

from __future__ import annotations

import copy
import subprocess
import sys
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from databases import NOON, rows
from renderkiln.app import project_document
from renderkiln.database import schema
from renderkiln.database.cursor import Cursor
from renderkiln.database.engine import Database
from renderkiln.database.projects import StaleRevision
from renderkiln.domain.errors import UsageError, UserError
from renderkiln.engine.projects import Projects
from renderkiln.testing import FakeClock

FOLDER = Path("/films/kite")
INTRO = {"id": "intro", "duration": 2, "background": {"type": "color", "color": "navy"}}
KITE = {"id": "kite", "duration": 3, "layers": [{"type": "text", "text": "Ünï \U0001fa81"}]}
OUTRO = {"id": "outro", "duration": 1}
FILM = {"title": "The kite", "fps": 25, "brand": {"colors": {"navy": "#001f3f"}}, "scenes": [INTRO, KITE]}

ADDER = """
import sys
from renderkiln.database.engine import Database
from renderkiln.domain.clock import SystemClock
from renderkiln.engine.projects import Projects

url, id, name, turns = sys.argv[1:]
projects = Projects(Database(url), SystemClock(), dict)
print("ready", flush=True)
sys.stdin.readline()
for turn in range(int(turns)):
    projects.add_scene(id, {"id": f"{name}-{turn}", "duration": 1}, at=1 + turn % 2)
"""


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(NOON)


@pytest.fixture
def projects(database: Database, clock: FakeClock) -> Projects:
    return Projects(database, clock, project_document)


def ids(projects: Projects, id: str) -> list[str]:
    """Of the scenes in their order, which are numbered without gaps."""
    found = projects.scenes(id)
    assert [each.position for each in found] == list(range(1, len(found) + 1))
    assert [each["id"] for each in projects.document(id)["scenes"]] == [each.id for each in found]
    assert projects.get(id).scenes == len(found)
    return [each.id for each in found]


def told(projects: Projects, id: str) -> list[tuple[Any, ...]]:
    """(name, scene, position) of each event of a project."""
    found = []
    for row in rows(projects.database, schema.events):
        facts = row["facts"]
        assert (row["job_id"], row["batch_id"]) == (None, None)
        if facts["project"] == id:
            found.append((row["name"], facts.get("scene"), facts.get("position")))
    return found


def test_a_project_comes_back_as_it_was_given(projects: Projects, clock: FakeClock) -> None:
    made = projects.create(FILM, FOLDER)
    assert made.id.startswith("prj_20260127T1200")
    assert (made.name, made.folder, made.scenes, made.revision) == ("The kite", FOLDER, 2, 1)
    assert (made.created_at, made.updated_at) == (NOON, NOON)
    assert projects.get(made.id) == made
    assert projects.document(made.id) == FILM
    assert projects.read(made.id) == (made, FILM)
    assert "scenes" not in made.document
    assert made.to_json()["folder"] == "/films/kite"


def test_what_is_kept_is_kept_again_as_it_is(projects: Projects) -> None:
    background = {"type": "gradient", "colors": ["#f00", {"color": "#00f", "at": 0.7}]}
    drift = {"type": "image", "file": "a.jpg", "ken_burns": "in"}
    layer = {"type": "text", "text": "T", "enter": "fade", "exit": "slide", "x": "5%", "y": 3}
    film = {
        "$schema": "projects.json",
        "music": "m.mp3",
        "transition": "crossfade",
        "scenes": [
            {"duration": 5, "background": background, "layers": [layer], "voice": "Hi.", "transition": "cut"},
            {"id": "b", "duration": 5, "background": drift},
        ],
    }
    kept = projects.document(projects.create(film, FOLDER).id)
    assert projects.document(projects.create(kept, FOLDER).id) == kept
    assert kept["music"] == {"file": "m.mp3"}
    assert set(kept) == {"music", "transition", "scenes"}


def test_what_databases_cannot_store_comes_back_all_the_same(projects: Projects) -> None:
    scene = {"id": "a", "duration": 1, "layers": [{"type": "text", "text": "nul \x00, \ufdd0"}]}
    made = projects.create({"scenes": [scene]}, Path("/films/\udcff"), name="a\x00b")
    assert projects.document(made.id) == {"scenes": [scene]}
    assert (projects.get(made.id).folder, made.name) == (Path("/films/\udcff"), "a\x00b")


def test_scenes_without_an_id_are_called_after_their_position(projects: Projects) -> None:
    film = {"scenes": [{"duration": 1}, {"duration": 2, "id": "scene-4"}, {"duration": 3, "id": None}]}
    made = projects.create(film, FOLDER)
    assert ids(projects, made.id) == ["scene-1", "scene-4", "scene-3"]
    assert projects.add_scene(made.id, {"duration": 4}, at=1).id == "scene-2"
    assert projects.add_scene(made.id, {"duration": 5, "id": None}, at=1).id == "scene-5"
    assert [each["duration"] for each in projects.document(made.id)["scenes"]] == [5, 4, 1, 2, 3]


def test_a_project_may_wait_for_its_first_scene(projects: Projects) -> None:
    made = projects.create({"title": "Later"}, FOLDER)
    assert projects.document(made.id) == {"title": "Later", "scenes": []}
    projects.add_scene(made.id, OUTRO)
    assert ids(projects, made.id) == ["outro"]
    projects.remove_scene(made.id, "outro")
    assert ids(projects, made.id) == []


@pytest.mark.parametrize(
    ("film", "words"),
    [
        ({"scenes": [{"duration": -1}]}, "duration"),
        ({"scenes": [{"duration": 1, "colour": "red"}]}, "colour"),
        ({"scenes": [INTRO, INTRO]}, "intro"),
        ({"scenes": {}}, "scenes"),
        ({"scenes": None}, "scenes"),
        ({"scenes": ["intro"]}, "scenes"),
        ({"scenes": [{"duration": float("nan")}]}, "duration"),
        ({"scenes": [{"duration": 1, "id": "../../etc"}]}, "id"),
        ({"scenes": [{"duration": 1}] * 1001}, "1,?000"),
        ({"title": "x", "sceens": []}, "sceens"),
    ],
)
def test_a_wrong_document_is_refused_and_nothing_is_stored(
    projects: Projects, film: dict[str, Any], words: str
) -> None:
    with pytest.raises(UsageError, match=words):
        projects.create(film, FOLDER)
    kept = projects.create(FILM, FOLDER)
    with pytest.raises(UsageError, match=words):
        projects.replace(kept.id, film)
    assert projects.read(kept.id) == (kept, FILM)
    assert [each["name"] for each in rows(projects.database, schema.events)] == [
        "project.created",
        "scene.created",
        "scene.created",
    ]


def test_a_wrong_scene_is_refused_and_changes_nothing(projects: Projects) -> None:
    made = projects.create(FILM, FOLDER)
    before = told(projects, made.id)
    for wrong in ({"duration": 0}, {**OUTRO, "id": "kite"}, {**OUTRO, "layers": [{"type": "poem"}]}):
        with pytest.raises(UsageError):
            projects.add_scene(made.id, wrong)
    for position in (0, -1, 4):
        with pytest.raises(UsageError, match=f"no position {position}: choose one of 1 … 3"):
            projects.add_scene(made.id, OUTRO, at=position)
    with pytest.raises(UsageError, match="no position 3: choose one of 1 … 2"):
        projects.move_scene(made.id, "kite", 3)
    with pytest.raises(UsageError, match="'kite' cannot become 'outro': leave the id out"):
        projects.replace_scene(made.id, "kite", OUTRO)
    with pytest.raises(UserError, match="has no scene 'outro'"):
        projects.remove_scene(made.id, "outro")
    assert projects.read(made.id) == (made, FILM)
    assert told(projects, made.id) == before


@pytest.mark.parametrize("name", ["", "  ", "x" * 501])
def test_a_name_that_nobody_can_read_is_refused(projects: Projects, name: str) -> None:
    with pytest.raises(UsageError, match=r"has 1 … 500 characters"):
        projects.create(FILM, FOLDER, name=name)
    made = projects.create(FILM, FOLDER, name="  Film ")
    assert made.name == "Film"
    with pytest.raises(UsageError, match=r"has 1 … 500 characters"):
        projects.rename(made.id, name)


def test_what_is_not_there_is_said_to_be_not_there(projects: Projects) -> None:
    words = r"there is no project 'prj_x': `renderkiln projects list` shows those there are"
    for verb in (
        lambda: projects.get("prj_x"),
        lambda: projects.document("prj_x"),
        lambda: projects.scenes("prj_x"),
        lambda: projects.replace("prj_x", FILM),
        lambda: projects.rename("prj_x", "x"),
        lambda: projects.delete("prj_x"),
        lambda: projects.add_scene("prj_x", OUTRO),
        lambda: projects.remove_scene("prj_x", "intro", revision=3),
    ):
        with pytest.raises(UserError, match=words):
            verb()
    assert rows(projects.database, schema.events) == []


def test_a_stale_revision_changes_nothing(projects: Projects) -> None:
    seen = projects.create(FILM, FOLDER)
    changed = projects.rename(seen.id, "The other kite", revision=seen.revision)
    assert changed.revision == seen.revision + 1
    before = projects.read(seen.id), told(projects, seen.id)
    for verb in (
        lambda: projects.replace(seen.id, {"scenes": [OUTRO]}, revision=seen.revision),
        lambda: projects.rename(seen.id, "Mine", revision=seen.revision),
        lambda: projects.delete(seen.id, revision=seen.revision),
        lambda: projects.add_scene(seen.id, OUTRO, revision=seen.revision),
        lambda: projects.replace_scene(seen.id, "kite", {"duration": 9}, revision=seen.revision),
        lambda: projects.move_scene(seen.id, "kite", 1, revision=seen.revision),
        lambda: projects.remove_scene(seen.id, "kite", revision=seen.revision),
    ):
        with pytest.raises(StaleRevision, match="is at revision 2, not 1: somebody has changed it meanwhile"):
            verb()
    assert (projects.read(seen.id), told(projects, seen.id)) == before


def test_of_two_who_have_seen_the_same_revision_one_changes_it(projects: Projects) -> None:
    made = projects.create(FILM, FOLDER)
    gate = threading.Barrier(2)

    def rename(name: str, revision: int) -> bool:
        gate.wait()
        try:
            projects.rename(made.id, name, revision=revision)
        except StaleRevision:
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        for revision in range(1, 16):
            assert sorted(pool.map(rename, ("a", "b"), [revision] * 2)) == [False, True]


def test_every_change_makes_the_revision_one_higher(projects: Projects, clock: FakeClock) -> None:
    id = projects.create(FILM, FOLDER).id
    clock.sleep(60)
    projects.add_scene(id, OUTRO, at=1)
    projects.replace_scene(id, "kite", {"duration": 4})
    projects.move_scene(id, "outro", 3)
    projects.remove_scene(id, "intro")
    projects.rename(id, "Short")
    assert projects.document(id)["scenes"] == [{"id": "kite", "duration": 4}, OUTRO]
    project = projects.replace(id, {"scenes": [OUTRO]}, folder=Path("/elsewhere"))
    assert (project.revision, project.scenes, project.name) == (7, 1, "Short")
    assert (project.folder, project.document) == (Path("/elsewhere"), {})
    assert (project.created_at, project.updated_at) == (NOON, NOON + timedelta(minutes=1))
    projects.delete(id)
    assert told(projects, id) == [
        ("project.created", None, None),
        ("scene.created", "intro", 1),
        ("scene.created", "kite", 2),
        ("scene.created", "outro", 1),
        ("scene.updated", "kite", 3),
        ("scene.moved", "outro", 3),
        ("scene.removed", "intro", 1),
        ("project.updated", None, None),
        ("project.updated", None, None),
        ("scene.removed", "kite", 1),
        ("project.deleted", None, None),
    ]
    revisions = [row["facts"]["revision"] for row in rows(projects.database, schema.events)]
    assert revisions == [1, 1, 1, 2, 3, 4, 5, 6, 7, 7, 8]


def test_scenes_that_stay_in_a_replaced_project_are_the_same_scenes(
    projects: Projects, clock: FakeClock
) -> None:
    id = projects.create(FILM, FOLDER).id
    clock.sleep(60)
    projects.replace(id, {"scenes": [{**KITE, "duration": 9}, INTRO | {"background": "black"}, OUTRO]})
    projects.replace(id, {"scenes": [OUTRO, {**KITE, "duration": 9}]})
    clock.sleep(60)
    projects.replace(id, {"scenes": [OUTRO, {**KITE, "duration": 9}]})
    after = NOON + timedelta(minutes=1)
    assert [(each.id, each.created_at, each.updated_at) for each in projects.scenes(id)] == [
        ("outro", after, after),
        ("kite", NOON, after),
    ]
    assert [each for each in told(projects, id) if each[0].startswith("scene.")] == [
        ("scene.created", "intro", 1),
        ("scene.created", "kite", 2),
        ("scene.created", "outro", 3),
        ("scene.removed", "intro", 2),
    ]


def test_a_deleted_project_takes_its_scenes_with_it_and_no_others(projects: Projects) -> None:
    gone, kept = projects.create(FILM, FOLDER), projects.create(FILM, FOLDER)
    projects.delete(gone.id, revision=1)
    with pytest.raises(UserError, match="there is no project"):
        projects.document(gone.id)
    assert {row["project_id"] for row in rows(projects.database, schema.scenes)} == {kept.id}
    assert projects.document(kept.id) == FILM


def test_the_newest_projects_come_first_page_by_page(projects: Projects, clock: FakeClock) -> None:
    made = []
    for number in range(7):
        made.append(projects.create(FILM, FOLDER, name=f"film {number}"))
        clock.sleep(60 * (number % 2))  # some of them at the same instant
    newest = sorted(made, key=lambda each: (each.created_at, each.id), reverse=True)
    assert projects.list() == newest
    seen: list[Any] = []
    cursor = None
    while page := projects.list(before=cursor, limit=3):
        seen += page
        cursor = Cursor(page[-1].created_at, page[-1].id)
    assert seen == newest


def test_processes_that_add_scenes_at_once_lose_none_and_tell_of_each_once(projects: Projects) -> None:
    id = projects.create(FILM, FOLDER).id
    url, turns, names = projects.database.url, 20, ("a", "b", "c")
    adders = [
        subprocess.Popen(
            [sys.executable, "-c", ADDER, url, id, name, str(turns)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for name in names
    ]
    for adder in adders:
        assert adder.stdout is not None
        assert adder.stdout.readline() == "ready\n"
    for adder in adders:
        adder.communicate("go\n", timeout=60)
    assert [adder.returncode for adder in adders] == [0] * len(names)
    added = {f"{name}-{turn}" for name in names for turn in range(turns)}
    assert set(ids(projects, id)) == {"intro", "kite"} | added
    assert projects.get(id).revision == 1 + len(added)
    created = [scene for name, scene, _ in told(projects, id) if name == "scene.created"]
    assert sorted(created) == sorted({"intro", "kite"} | added)


def test_a_document_is_read_as_it_stood_at_one_moment(projects: Projects) -> None:
    def film(number: int) -> dict[str, Any]:
        return {"title": f"{number}", "scenes": [{**OUTRO, "duration": number}]}

    id = projects.create(film(1), FOLDER).id
    stop = threading.Event()

    def change() -> int:
        number = 1
        while not stop.is_set():
            number += 1
            projects.replace(id, film(number))
        return number

    with ThreadPoolExecutor(1) as pool:
        changing = pool.submit(change)
        try:
            for _ in range(150):
                document = projects.document(id)
                assert document == film(int(document["title"]))
        finally:
            stop.set()
        assert changing.result() > 3  # as many as a busy machine comes to


STEP = st.tuples(st.sampled_from(["add", "move", "replace", "remove"]), st.integers(0, 9), st.integers(0, 9))


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)  # each example has a project of its own
@given(steps=st.lists(STEP, min_size=5, max_size=15))
def test_scenes_are_in_the_order_of_a_list_that_is_treated_alike(
    projects: Projects, steps: Sequence[tuple[str, int, int]]
) -> None:
    film = copy.deepcopy(FILM)
    model: list[Any] = film["scenes"]  # type: ignore[assignment]
    id = projects.create(film, FOLDER).id
    for number, (verb, one, other) in enumerate(steps):
        if verb == "add" or not model:
            scene = {"id": f"s{number}", "duration": 1}
            model.insert(one % (len(model) + 1), scene)
            projects.add_scene(id, scene, at=model.index(scene) + 1)
            continue
        old = model[one % len(model)]
        match verb:
            case "move":
                model.remove(old)
                model.insert(target := other % (len(model) + 1), old)
                projects.move_scene(id, old["id"], target + 1)
            case "replace":
                model[model.index(old)] = {"id": old["id"], "duration": 1 + other}
                projects.replace_scene(id, old["id"], {"duration": 1 + other})
            case "remove":
                model.remove(old)
                projects.remove_scene(id, old["id"])
    assert projects.document(id)["scenes"] == model
    ids(projects, id)
