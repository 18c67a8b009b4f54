"""Projects of scenes that the server keeps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from renderkiln.client.asking import data_of
from renderkiln.client.calls import Calls, all_of, given, part_of
from renderkiln.client.effects import Flow, Request
from renderkiln.client.method import listing, operation
from renderkiln.client.records import Project, Scene

Document = Mapping[str, Any]


class Documents(Calls):
    """Pictures, clips and voices of a document are assets (`asset:ast_…`) or URLs: see `upload`.

    A change that is told the `revision` that was seen raises Conflict if the project has changed since.
    Projects are named by their ids, or by what an earlier call has brought; positions count from 1.
    """

    @listing(Project)
    def projects(self) -> Flow[None]:
        """Projects, the newest first, without their documents, fetched as they are asked for."""
        yield from self._pages("/projects", Project, {})

    @operation
    def project(self, project: str | Project) -> Flow[Project]:
        """A project as it stands now, with its document."""
        return Project.of((yield from self._get(_path(project))))

    @operation
    def create_project(self, document: Document, *, name: str | None = None) -> Flow[Project]:
        """Keep a document; its scenes may come later. It is called `name`, by default by its title."""
        body = {"document": dict(document), **given(name=name)}
        return Project.of((yield from self._post("/projects", body, repeatable=False)))

    @operation
    def replace_project(
        self, project: str | Project, document: Document, *, revision: int | None = None
    ) -> Flow[Project]:
        """Give it another document. Scenes with an id that it has already are the same ones, changed."""
        told = yield from self._change("PUT", _path(project), {"document": dict(document)}, revision)
        return Project.of(told)

    @operation
    def rename_project(
        self, project: str | Project, name: str, *, revision: int | None = None
    ) -> Flow[Project]:
        """Change what people read; the title in its document stays."""
        return Project.of((yield from self._change("PATCH", _path(project), {"name": name}, revision)))

    @operation
    def delete_project(self, project: str | Project, *, revision: int | None = None) -> Flow[None]:
        """Forget it with all its scenes. Films that were made of it stay."""
        yield from self._change("DELETE", _path(project), None, revision, repeatable=False)

    @operation
    def scenes(self, project: str | Project) -> Flow[tuple[Scene, ...]]:
        """All its scenes, in their order."""
        return all_of(Scene, (yield from self._get(_scenes(project))))

    @operation
    def add_scene(
        self, project: str | Project, scene: Document, *, at: int | None = None, revision: int | None = None
    ) -> Flow[Scene]:
        """Put a scene before the one at position `at`, or at the end."""
        body = {"scene": dict(scene), **given(at=at)}
        return Scene.of((yield from self._change("POST", _scenes(project), body, revision, repeatable=False)))

    @operation
    def replace_scene(
        self, project: str | Project, scene_id: str, scene: Document, *, revision: int | None = None
    ) -> Flow[Scene]:
        """Give a scene another document; its id stays, and need not be in it."""
        path = _scenes(project, scene_id)
        return Scene.of((yield from self._change("PUT", path, {"scene": dict(scene)}, revision)))

    @operation
    def move_scene(
        self, project: str | Project, scene_id: str, position: int, *, revision: int | None = None
    ) -> Flow[Scene]:
        """Let a scene be at another position; those between close up."""
        path = _scenes(project, scene_id)
        return Scene.of((yield from self._change("PATCH", path, {"position": position}, revision)))

    @operation
    def remove_scene(
        self, project: str | Project, scene_id: str, *, revision: int | None = None
    ) -> Flow[None]:
        """Forget a scene; those behind it close up."""
        yield from self._change("DELETE", _scenes(project, scene_id), None, revision, repeatable=False)

    def _change(
        self, method: str, path: str, body: Any, revision: int | None, *, repeatable: bool = True
    ) -> Flow[Any]:
        """What is done a second time at a `revision` is refused, though the first time it was done."""
        headers = {} if revision is None else {"If-Match": f'"{revision}"'}
        request = Request(method, path, json=body, headers=headers)
        return (yield from data_of(request, self._patience, repeatable=repeatable and revision is None))


def _path(project: str | Project) -> str:
    return f"/projects/{project.id if isinstance(project, Project) else part_of(project)}"


def _scenes(project: str | Project, *scene: str) -> str:
    return "/".join((_path(project), "scenes", *map(part_of, scene)))
