"""A folder of finished files appears whole, once, also when its delivery was cut short."""

from __future__ import annotations

import errno
import os
import threading
from pathlib import Path

import pytest

from renderkiln.domain.errors import Permanent, Stopped
from renderkiln.pipelines.contract import Result
from renderkiln.pipelines.delivery.folder import deliver_folder
from renderkiln.testing import FakeContext

pytestmark = pytest.mark.integration


def context(folder: Path, *claims: str) -> FakeContext:
    parts = {f"claim-{name}": Result({"name": name}) for name in claims}
    return FakeContext(folder, None, finished_parts=parts)


def made(ctx: FakeContext) -> dict[str, Path]:
    """Two finished files in the work folder, by the names they shall have."""
    files = {}
    for name, content in (("a.mp4", b"first" * 1000), ("b.mp4", b"second" * 1000)):
        (ctx.workdir / f"work-{name}").write_bytes(content)
        files[name] = ctx.workdir / f"work-{name}"
    return files


def everything(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


def test_all_files_come_under_their_names(tmp_path: Path) -> None:
    ctx = context(tmp_path)
    folder = deliver_folder(ctx, made(ctx), "clip")
    assert folder == ctx.services.output / "clip_v1"
    assert everything(ctx.services.output) == {"clip_v1", "clip_v1/a.mp4", "clip_v1/b.mp4"}
    assert (folder / "b.mp4").read_bytes() == b"second" * 1000
    assert ctx.done_parts == {"claim-clip_v1": {"name": "clip_v1"}}


def test_a_taken_name_is_left_alone(tmp_path: Path) -> None:
    ctx = context(tmp_path)
    (ctx.services.output / "clip_v1").mkdir()
    (ctx.services.output / "clip_v2").write_text("a file of the user's")
    assert deliver_folder(ctx, made(ctx), "clip").name == "clip_v3"
    assert not list((ctx.services.output / "clip_v1").iterdir())


def test_what_an_earlier_attempt_has_published_is_found_again(tmp_path: Path) -> None:
    first = context(tmp_path)
    files = made(first)
    folder = deliver_folder(first, files, "clip")
    again = context(tmp_path, "clip_v1")
    assert deliver_folder(again, files, "clip") == folder
    assert again.done_parts == {}
    (folder / "b.mp4").unlink()  # what is not whole any more is not what was published
    assert deliver_folder(again, files, "clip").name == "clip_v2"


def test_somebody_elses_folder_of_the_same_content_is_not_ours(tmp_path: Path) -> None:
    ctx = context(tmp_path, "clip_v1")
    files = made(ctx)
    (ctx.services.output / "clip_v1").mkdir()
    for name, source in files.items():
        (ctx.services.output / "clip_v1" / name).write_bytes(source.read_bytes())
    assert deliver_folder(ctx, files, "clip").name == "clip_v2"


def test_a_half_filled_folder_of_a_killed_attempt_goes(tmp_path: Path) -> None:
    ctx = context(tmp_path, "clip_v1")
    half = ctx.services.output / ".clip_v1.fake-1.4711.part"
    half.mkdir()
    (half / "a.mp4").write_bytes(b"half")
    assert deliver_folder(ctx, made(ctx), "clip").name == "clip_v1"
    assert everything(ctx.services.output) == {"clip_v1", "clip_v1/a.mp4", "clip_v1/b.mp4"}


def test_a_stop_between_two_files_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ctx = context(tmp_path)
    files = made(ctx)

    def no_links(_source: Path, _target: Path) -> None:
        ctx.stop.set()  # while the first one is copied
        raise OSError(errno.EXDEV, "another file system")

    monkeypatch.setattr(os, "link", no_links)
    with pytest.raises(Stopped):
        deliver_folder(ctx, files, "clip")
    assert everything(ctx.services.output) == set()


def test_a_folder_that_refuses_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ctx = context(tmp_path)
    files = made(ctx)

    def refuse(_path: Path, *_args: object, **_kwargs: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(Permanent, match="Cannot write to the output folder"):
        deliver_folder(ctx, files, "clip")


def test_of_several_at_once_each_gets_a_folder_of_its_own(tmp_path: Path) -> None:
    contexts = [context(tmp_path) for _ in range(4)]
    files = made(contexts[0])
    folders: list[Path] = []
    threads = [
        threading.Thread(target=lambda ctx=each: folders.append(deliver_folder(ctx, files, "clip")))
        for each in contexts
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(folder.name for folder in folders) == ["clip_v1", "clip_v2", "clip_v3", "clip_v4"]
    assert all(len(list(folder.iterdir())) == 2 for folder in folders)
