"""Keys of our files: valid whatever people call their things, and never one for two files."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from renderkiln.storage.key import check_key
from renderkiln.storage.naming import artifact_key, asset_key, slug, work_folder, work_key, work_of

NOON = datetime(2026, 1, 27, 12, tzinfo=UTC)
DATES = st.datetimes(datetime(2000, 1, 1), timezones=st.just(UTC))
JOBS = st.text(max_size=300) | st.from_regex(r"[ab.~-]{1,4}(\.[12])?", fullmatch=True)


def test_keys_that_people_read() -> None:
    assert artifact_key("video", "b-1", "song.mp4", NOON, project="spring") == "videos/spring/b-1.mp4"
    assert (
        artifact_key("video", "b-1", "song.MP4", NOON, project="spring", position=2)
        == "videos/spring/b-1.2.mp4"
    )
    assert artifact_key("audio", "b-1", "x.mp3", NOON) == "audio/2026/01/27/b-1.mp3"
    assert asset_key(f"ast_3f{0:030x}", "My Song.wav") == f"assets/3f/ast_3f{0:030x}.wav"


def test_the_day_is_that_of_utc() -> None:
    late = datetime(2026, 1, 1, 1, tzinfo=timezone(timedelta(hours=3)))
    assert artifact_key("audio", "b-1", "x.mp3", late) == "audio/2025/12/31/b-1.mp3"


@pytest.mark.parametrize("name", ["a", "b-1", "A_9", "x" * 64])
def test_clean_names_stay(name: str) -> None:
    assert slug(name) == name


@pytest.mark.parametrize(
    "name", ["", ".", "..", "-a", "a b", "../../etc/passwd", "ü", "x" * 65, "a~b", "\ud800", "a\0b"]
)
def test_other_names_are_told_apart(name: str) -> None:
    assert "~" in slug(name)
    assert len(slug(name)) <= 64
    check_key(slug(name))


@pytest.mark.parametrize(
    ("name", "extension"),
    [
        ("a.mp4", ".mp4"),
        ("a", ""),
        ("a.2", ""),
        ("a.b/../c", ""),
        ("a.ü", ""),
        ("a.tar.gz", ".gz"),
        (".mp4", ""),
    ],
)
def test_extensions(name: str, extension: str) -> None:
    assert artifact_key("x", "j", name, NOON, project="p") == f"x/p/j{extension}"


@given(
    st.text(), JOBS, st.text(max_size=300), DATES, st.integers(1, 10**6), st.none() | st.text(max_size=300)
)
def test_every_key_is_valid(
    kind: str, job: str, name: str, created: datetime, position: int, project: str | None
) -> None:
    key = artifact_key(kind, job, name, created, position=position, project=project)
    assert check_key(key) == key
    assert key.isascii()


@given(
    JOBS,
    JOBS,
    st.integers(1, 30),
    st.integers(1, 30),
    st.sampled_from(["a.mp4", "a.2", "a", "b.mp4"]),
    st.sampled_from(["a.mp4", "a.2", "a"]),
)
def test_two_files_never_share_a_key(
    job: str, other: str, position: int, place: int, name: str, title: str
) -> None:
    one = artifact_key("video", job, name, NOON, position=position, project="p")
    two = artifact_key("video", other, title, NOON, position=place, project="p")
    assert (job, position) == (other, place) or one != two


@given(st.text(), st.text())
def test_slugs_are_told_apart(one: str, other: str) -> None:
    assert (slug(one) == slug(other)) == (one == other)


@given(st.text(), st.text(max_size=20), JOBS)
def test_unfinished_work_is_told_from_all_other_files(kind: str, name: str, job: str) -> None:
    work, digest = "0123456789abcdef01234567-2", "e" * 64
    assert work_of(check_key(work_key(work, digest))) == work
    assert work_of(artifact_key(kind, job, name, NOON)) is None
    assert not artifact_key(kind, job, name, NOON).startswith(f"{work_folder()}/")


@pytest.mark.parametrize(
    "key", ["unfinished.work/../x", "unfinished.work/notes.txt", f"x/{'0' * 24}/{'e' * 64}"]
)
def test_other_keys_are_no_work(key: str) -> None:
    assert work_of(key) is None


def test_mistakes() -> None:
    with pytest.raises(ValueError, match="position 1"):
        artifact_key("video", "j", "a.mp4", NOON, position=0)
    with pytest.raises(ValueError, match="32 hexadecimal"):
        asset_key("../../x", "a.wav")
