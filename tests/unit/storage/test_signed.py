"""Signed URLs of our own: what they cover, and for how long."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from renderkiln.storage.errors import Expired, Forged
from renderkiln.storage.links import Links
from renderkiln.storage.signed import sign, verify
from renderkiln.testing import FakeClock

NOON = datetime(2026, 1, 27, 12, tzinfo=UTC)
SECRET, NEWER, OTHER = b"the first secret", b"the newer secret", b"somebody else's!"
PATH = "/files/private/videos/a/b.mp4"


def signed(path: str = PATH, filename: str | None = None, secret: bytes = SECRET, **more: str) -> str:
    return sign(path, expires=NOON, secrets=[secret], filename=filename, **more)


def check(
    query: str, path: str = PATH, *, before: float = 1, secrets: tuple[bytes, ...] = (SECRET,), **more: str
) -> str | None:
    return verify(path, query, now=NOON - timedelta(seconds=before), secrets=secrets, **more)


def test_good_until_it_expires() -> None:
    assert check(signed()) is None
    assert check(signed(filename="film.mp4")) == "film.mp4"
    for late in (0, -1, -(10**6)):
        with pytest.raises(Expired):
            check(signed(), before=late)


@given(st.text(), st.none() | st.text())
def test_any_text_is_covered(path: str, filename: str | None) -> None:
    query = signed(path, filename)
    assert query.isascii()
    assert check(query, path) == filename
    with pytest.raises(Forged):
        check(query, path + "x")


def test_unicode() -> None:
    assert check(signed(filename="half a \ud83d.mp4")) == "half a ?.mp4"
    assert check(signed("/ü/日本.mp4", "Süß & 100 %.mp4"), "/ü/日本.mp4") == "Süß & 100 %.mp4"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("expires=1769515200", "expires=1769515201"),
        ("expires=1769515200", "expires=01769515200"),
        ("expires=1769515200", "expires=%201769515200"),
        ("filename=a.mp4", "filename=b.mp4"),
        ("filename=a.mp4", "filename="),
        ("filename=a.mp4&", ""),
        ("filename=a.mp4", "filename=a.mp4&filename=b.mp4"),
        ("filename=a.mp4", "filename=b.mp4&filename=a.mp4"),
        ("filename=a.mp4", "filename=a.mp4&other=1"),
        ("expires=1769515200&", ""),
        ("&signature=", "&signatur="),
        ("&signature=", "&signature=0"),
        ("&signature=", "&signature=%C3%BC"),
    ],
)
def test_changed(old: str, new: str) -> None:
    query = signed(filename="a.mp4")
    assert old in query
    with pytest.raises(Forged):
        check(query.replace(old, new))


def test_each_digit_of_the_signature_counts() -> None:
    query = signed()
    for at in range(-64, 0):
        end = len(query) + at
        other = "0" if query[end] != "0" else "1"
        with pytest.raises(Forged):
            check(query[:end] + other + query[end + 1 :])


@pytest.mark.parametrize("query", ["", "signature=", "expires=1&signature=", "&&&", "%ff=%ff", "expires"])
def test_not_signed_at_all(query: str) -> None:
    with pytest.raises(Forged):
        check(query)


@pytest.mark.parametrize(
    "path", ["/files/private/videos/a/c.mp4", "/files/private/videos/a/b.mp4/", "", PATH + "\n"]
)
def test_another_path(path: str) -> None:
    with pytest.raises(Forged):
        check(signed(), path)


def test_path_and_name_do_not_run_together() -> None:
    assert signed("/a", "b").split("signature=")[1] != signed("/ab", "").split("signature=")[1]
    query = signed(filename=None)
    with pytest.raises(Forged):
        check(query.replace("&signature", "&filename=&signature"))


def test_methods() -> None:
    assert check(signed(), method="HEAD") is None
    for method in ("PUT", "DELETE", "get"):
        with pytest.raises(Forged):
            check(signed(), method=method)
    assert check(signed(method="PUT"), method="PUT") is None
    with pytest.raises(Forged):
        check(signed(method="PUT"))


def test_secrets_are_changed_without_breaking_what_is_out() -> None:
    old, new = signed(), sign(PATH, expires=NOON, secrets=[NEWER, SECRET])
    assert old != new
    for query in (old, new):
        assert check(query, secrets=(NEWER, SECRET)) is None
    assert check(new, secrets=(NEWER,)) is None
    with pytest.raises(Forged):  # replayed after its secret has gone
        check(old, secrets=(NEWER,))
    with pytest.raises(Forged):
        check(signed(secret=OTHER), secrets=(NEWER, SECRET))


@pytest.mark.parametrize("secrets", [[], [b""], [b"short"], [SECRET, b"short"]])
def test_secrets_are_long_enough(secrets: list[bytes]) -> None:
    with pytest.raises(ValueError, match="16 bytes"):
        sign(PATH, expires=NOON, secrets=secrets)
    with pytest.raises(ValueError, match="16 bytes"):
        verify(PATH, signed(), now=NOON, secrets=secrets)


def test_a_forged_one_is_forged_before_it_is_expired() -> None:
    with pytest.raises(Forged):
        check(signed(secret=OTHER), before=-5)


def test_links() -> None:
    clock = FakeClock()
    links = Links("https://kiln.example/files/private/", [SECRET], clock)
    assert SECRET.decode() not in repr(links)
    assert links.plain("a b/ü#.mp4") == "https://kiln.example/files/private/a%20b/%C3%BC%23.mp4"
    parts = urlsplit(links.signed("a b/ü#.mp4", 60, "Lied.mp4"))
    path = unquote(parts.path)
    assert path == "/files/private/a b/ü#.mp4"
    assert parse_qs(parts.query)["filename"] == ["Lied.mp4"]
    now = clock.now()
    assert verify(path, parts.query, now=now + timedelta(seconds=58), secrets=[SECRET]) == "Lied.mp4"
    with pytest.raises(Expired):
        verify(path, parts.query, now=now + timedelta(seconds=60), secrets=[SECRET])
