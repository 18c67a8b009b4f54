import errno
import os
import threading
from pathlib import Path

import pytest

from renderkiln.pipelines.delivery import publish


def first_free(folder: Path) -> Path:
    return next(publish.free_names(folder, "film", ".mp4"))


def test_names_count_up_and_fill_no_foreign_name(tmp_path: Path) -> None:
    (tmp_path / "film_v1.mp4").write_bytes(b"old")
    (tmp_path / "film_v3.mp4").write_bytes(b"old")
    names = publish.free_names(tmp_path, "film", ".mp4")
    assert [next(names).name, next(names).name] == ["film_v2.mp4", "film_v4.mp4"]


def test_a_taken_name_is_never_overwritten(tmp_path: Path) -> None:
    source, target = tmp_path / "work.mp4", tmp_path / "film_v1.mp4"
    source.write_bytes(b"new")
    target.write_bytes(b"old")
    with pytest.raises(FileExistsError):
        publish.place(source, target)
    assert target.read_bytes() == b"old"


@pytest.mark.parametrize("refused", [{errno.EXDEV}, {errno.EPERM}])
def test_without_hard_links_the_file_is_copied_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refused: set[int]
) -> None:
    real = os.link

    def link(source: Path, target: Path) -> None:
        # EXDEV: only across file systems; EPERM: a file system that has no links at all.
        if errno.EPERM in refused or not Path(source).name.startswith("."):
            raise OSError(next(iter(refused)), "no link")
        real(source, target)

    monkeypatch.setattr(os, "link", link)
    source, target = tmp_path / "work.mp4", tmp_path / "film_v1.mp4"
    source.write_bytes(b"x" * 3_000_000)
    heard: list[int] = []
    publish.place(source, target, heard.append)
    assert target.read_bytes() == source.read_bytes()
    assert heard[-1] == 3_000_000
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["film_v1.mp4", "work.mp4"]
    with pytest.raises(FileExistsError):
        publish.place(source, target)


def test_a_stopped_copy_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def link(*_: object) -> None:
        raise OSError(errno.EXDEV, "no link")

    def stop(_: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "link", link)
    source = tmp_path / "work.mp4"
    source.write_bytes(b"x" * 3_000_000)
    with pytest.raises(KeyboardInterrupt):
        publish.place(source, tmp_path / "film_v1.mp4", stop)
    assert [entry.name for entry in tmp_path.iterdir()] == ["work.mp4"]


def test_many_at_once_never_share_a_name(tmp_path: Path) -> None:
    start = threading.Barrier(8)
    placed: list[str] = []

    def deliver(number: int) -> None:
        source = tmp_path / f"work{number}"
        source.write_bytes(bytes([number]))
        start.wait()
        for target in publish.free_names(tmp_path, "film", ".mp4"):
            try:
                publish.place(source, target)
            except FileExistsError:
                continue
            assert target.read_bytes() == bytes([number])
            placed.append(target.name)
            return

    threads = [threading.Thread(target=deliver, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(placed) == [f"film_v{n}.mp4" for n in range(1, 9)]
