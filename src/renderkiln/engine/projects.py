"""What people do to stored projects and their scenes."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from renderkiln.database import projects, scenes
from renderkiln.database.cursor import Cursor
from renderkiln.database.engine import Database
from renderkiln.database.projects import NewProject, StoredProject
from renderkiln.database.scenes import StoredScene
from renderkiln.domain.access import LOCAL
from renderkiln.domain.clock import Clock
from renderkiln.domain.errors import UsageError, UserError
from renderkiln.domain.event import Event, EventName
from renderkiln.events import journal

Document = Mapping[str, Any]

FIRST = {"duration": 3600}  # a scene that nobody can object to
_LONGEST = 500  # characters of a name


class NoScene(UserError):
    """The project has no such scene."""


@dataclass(frozen=True)
class Projects:
    """Project documents and their scenes, kept in the database; positions of scenes count from 1.

    `check` gives a document back as it is to be kept, and raises UsageError for one that is wrong: two scenes
    of it have one id, those without one being called scene-1, scene-2 … by their position. `sees` is the
    account whose projects are there, None: those of all. Every verb raises NoProject or NoScene for what
    there is not. One that is told the `revision` it has seen raises
    StaleRevision if the project has changed since; None changes it as it is now. Every change is one
    transaction, and its events are in it.
    """

    database: Database
    clock: Clock
    check: Callable[[Document], dict[str, Any]]
    sees: str | None = None

    def create(
        self, document: Document, folder: Path | None, *, name: str | None = None, account: str = LOCAL
    ) -> StoredProject:
        """Store a document, its relative paths counting from `folder`; its scenes may come later.

        `name` is what people read, by default its title.
        """
        head, ordered = self._parted(document)
        now = self.clock.now()
        title = head.get("title") or "untitled"
        place = None if folder is None else folder.absolute()
        called = _proper(title if name is None else name)
        new = NewProject(_new_id(now), called, place, head, now, account)
        with self.database.write() as connection:
            projects.insert(connection, new)
            stored = _stored(connection, new.id)
            change = _Change(connection, stored, now)
            change.tell("project.created", name=stored.name)
            change.put(ordered)
            return _stored(connection, new.id)

    def get(self, id: str) -> StoredProject:
        with self.database.read() as connection:
            return self._found(connection, id)

    def list(self, *, before: Cursor | None = None, limit: int = 100) -> Sequence[StoredProject]:
        """The newest first, those older than `before`."""
        with self.database.read() as connection:
            return projects.page(connection, account=self.sees, before=before, limit=limit)

    def read(self, id: str) -> tuple[StoredProject, dict[str, Any]]:
        """The project, and its document with all scenes in their order, as the renderer takes it."""
        with self.database.read() as connection:
            projects.read_as_one(connection)
            stored = self._found(connection, id)
            ordered = [dict(each.document) for each in scenes.of(connection, id)]
        return stored, {**stored.document, "scenes": ordered}

    def document(self, id: str) -> dict[str, Any]:
        """The document with all scenes in their order, as the renderer takes it."""
        return self.read(id)[1]

    def replace(
        self, id: str, document: Document, *, folder: Path | None = None, revision: int | None = None
    ) -> StoredProject:
        """Give it another document. Scenes with an id that it has already are the same scenes, changed."""
        head, ordered = self._parted(document)
        values: dict[str, Any] = {"document": head}
        if folder is not None:
            values["folder"] = str(folder.absolute())
        with self._changing(id, revision, **values) as change:
            change.tell("project.updated")
            change.put(ordered)
            return _stored(change.connection, id)

    def rename(self, id: str, name: str, *, revision: int | None = None) -> StoredProject:
        """Change what people read; the title in its document stays."""
        with self._changing(id, revision, name=_proper(name)) as change:
            change.tell("project.updated")
            return change.project

    def delete(self, id: str, *, revision: int | None = None) -> None:
        """Forget it with all its scenes. Films made of it stay."""
        with self._changing(id, revision) as change:
            projects.delete(change.connection, id)
            change.tell("project.deleted")

    def scenes(self, id: str) -> Sequence[StoredScene]:
        """All its scenes, in their order."""
        with self.database.read() as connection:
            projects.read_as_one(connection)
            self._found(connection, id)
            return scenes.of(connection, id)

    def add_scene(
        self, id: str, scene: Document, *, at: int | None = None, revision: int | None = None
    ) -> StoredScene:
        """Put a scene before the one at position `at`, or at the end."""
        with self._changing(id, revision) as change:
            others = change.scenes
            position = len(others) + 1 if at is None else _within(at, len(others) + 1)
            given = [each.document for each in others]
            given.insert(position - 1, _called(scene, position, {each.id for each in others}))
            document = self._checked_scene(change.project, given, position)
            new = StoredScene(id, document["id"], position, document, change.now, change.now)
            scenes.add(change.connection, new)
            change.tell("scene.created", scene=new.id, position=position)
            return new

    def replace_scene(
        self, id: str, scene_id: str, scene: Document, *, revision: int | None = None
    ) -> StoredScene:
        """Give a scene another document. Its id stays and need not be in the document."""
        if scene.get("id", scene_id) != scene_id:
            raise UsageError(
                f"scene {scene_id!r} cannot become {scene['id']!r}: leave the id out, or add a new scene"
            )
        with self._changing(id, revision) as change:
            position = change.scene(scene_id).position
            given = [each.document for each in change.scenes]
            given[position - 1] = {**scene, "id": scene_id}
            document = self._checked_scene(change.project, given, position)
            scenes.replace(change.connection, id, scene_id, document, change.now)
            change.tell("scene.updated", scene=scene_id, position=position)
            return change.scene(scene_id)

    def move_scene(self, id: str, scene_id: str, to: int, *, revision: int | None = None) -> StoredScene:
        """Let a scene be the one at position `to`; those between close up."""
        with self._changing(id, revision) as change:
            moved = change.scene(scene_id)
            scenes.move(change.connection, id, scene_id, moved.position, _within(to, change.project.scenes))
            self._check(change)
            change.tell("scene.moved", scene=scene_id, position=to)
            return change.scene(scene_id)

    def remove_scene(self, id: str, scene_id: str, *, revision: int | None = None) -> None:
        """Forget a scene; those behind it close up."""
        with self._changing(id, revision) as change:
            gone = change.scene(scene_id)
            scenes.remove(change.connection, id, scene_id, gone.position)
            self._check(change)
            change.tell("scene.removed", scene=scene_id, position=gone.position)

    @contextmanager
    def _changing(self, id: str, revision: int | None, **values: Any) -> Iterator[_Change]:
        now = self.clock.now()
        with self.database.write() as connection:
            self._found(connection, id)
            stored = projects.change_if_at(connection, id, revision, now, **values)
            yield _Change(connection, stored, now)

    def _found(self, connection: sa.Connection, id: str) -> StoredProject:
        stored = _stored(connection, id)
        if self.sees not in {None, stored.account}:
            raise projects.missing(id)
        return stored

    def _check(self, change: _Change) -> None:
        """A project that could not be rendered any more could not be mended scene by scene either."""
        self._parted({**change.project.document, "scenes": [each.document for each in change.scenes]})

    def _parted(self, document: Document) -> tuple[dict[str, Any], Sequence[dict[str, Any]]]:
        """What is kept of a document: all but its scenes, and these, each with its id."""
        if document.get("scenes", []) == []:  # a renderer wants one; who stores a project may add it later
            head = self.check({**document, "scenes": [FIRST]})
            del head["scenes"]
            return head, []
        head = self.check(document)
        return head, [_called(each, place) for place, each in enumerate(head.pop("scenes"), 1)]

    def _checked_scene(
        self, project: StoredProject, given: Sequence[Document], position: int
    ) -> dict[str, Any]:
        """The scene at `position` as it is kept: checked together with the others, which it must go with."""
        _, ordered = self._parted({**project.document, "scenes": list(given)})
        return ordered[position - 1]


@dataclass(frozen=True)
class _Change:
    """A project in the transaction that changes it."""

    connection: sa.Connection
    project: StoredProject
    now: datetime

    @property
    def scenes(self) -> list[StoredScene]:
        return scenes.of(self.connection, self.project.id)

    def scene(self, id: str) -> StoredScene:
        for each in self.scenes:
            if each.id == id:
                return each
        raise NoScene(
            f"project {self.project.id} has no scene {id!r}: "
            f"`renderkiln projects scenes list {self.project.id}` shows those there are"
        )

    def put(self, ordered: Sequence[dict[str, Any]]) -> None:
        """Let the project have these scenes, and tell which of them are new and which are gone."""
        before = {each.id: each for each in self.scenes}
        after = {
            document["id"]: self._succeeding(before.get(document["id"]), position, document)
            for position, document in enumerate(ordered, 1)
        }
        scenes.replace_all(self.connection, self.project.id, list(after.values()))
        gone = [each for id, each in before.items() if id not in after]
        come = [each for id, each in after.items() if id not in before]
        told = [self._event("scene.removed", scene=each.id, position=each.position) for each in gone]
        told += [self._event("scene.created", scene=each.id, position=each.position) for each in come]
        journal.append_all(self.connection, told, account=self.project.account)

    def tell(self, name: EventName, /, **facts: Any) -> None:
        journal.append(self.connection, self._event(name, **facts), account=self.project.account)

    def _succeeding(self, before: StoredScene | None, position: int, document: dict[str, Any]) -> StoredScene:
        created = self.now if before is None else before.created_at
        same = before is not None and before.document == document
        updated = before.updated_at if before is not None and same else self.now
        return StoredScene(self.project.id, document["id"], position, document, created, updated)

    def _event(self, name: EventName, /, **facts: Any) -> Event:
        facts = {"project": self.project.id, "revision": self.project.revision, **facts}
        return Event(name, None, self.now, 0.0, facts=facts)


def _stored(connection: sa.Connection, id: str) -> StoredProject:
    found = projects.find(connection, id)
    if found is None:
        raise projects.missing(id)
    return found


def _called(scene: Document, position: int, taken: Collection[str] = ()) -> dict[str, Any]:
    """The scene with an id: its own, or one after its position, or else after the next that is not taken."""
    names = (f"scene-{number}" for number in count(position))
    own = scene.get("id")
    return {**scene, "id": next(name for name in names if name not in taken) if own is None else own}


def _within(position: int, last: int) -> int:
    if not 1 <= position <= last:
        raise UsageError(f"there is no position {position}: choose one of 1 … {last}")
    return position


def _proper(name: str) -> str:
    trimmed = name.strip()
    if not 1 <= len(trimmed) <= _LONGEST:
        raise UsageError(f"the name of a project has 1 … {_LONGEST} characters, not {len(trimmed)}")
    return trimmed


def _new_id(now: datetime) -> str:
    """Sorts by time: `prj_20260127T0935` and ten random hex digits."""
    return f"prj_{now:%Y%m%dT%H%M}{secrets.token_hex(5)}"
