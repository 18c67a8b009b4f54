"""Keys, metadata, spans and file names at their limits."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from renderkiln.storage.disposition import attachment
from renderkiln.storage.errors import BadKey, OutOfRange
from renderkiln.storage.key import MOST_BYTES, check_key, check_prefix, is_key
from renderkiln.storage.metadata import decoded, encoded
from renderkiln.storage.span import WHOLE, Span, tail


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("x" * 201, "200 bytes"),
        ("ü" * 101, "200 bytes"),
        ("/".join(["x" * 99] * 10), f"{MOST_BYTES} is the most"),
        ("a/./b", "empty part"),
        ("a\x7fb", "control"),
        ("a\x85b", "control"),
        ("A\u030a", "NFC"),
        ("\ud800", "not text"),
    ],
)
def test_what_is_wrong_is_said(key: str, words: str) -> None:
    with pytest.raises(BadKey, match=words) as caught:
        check_key(key)
    assert str(caught.value).isascii() or "…" in str(caught.value)
    assert len(str(caught.value)) < 1200


def test_limits() -> None:
    longest = "/".join([*["x" * 200] * 4, "x" * 96])
    assert len(longest) == MOST_BYTES
    check_key(longest)
    assert not is_key(longest + "x")
    assert check_prefix("") == ""
    with pytest.raises(BadKey):
        check_prefix("a/")


@given(st.text())
def test_keys_stay_inside(key: str) -> None:
    assume(is_key(key))
    assert not key.startswith("/")
    assert ".." not in key.split("/")
    assert unicodedata.normalize("NFC", key) == key


@given(st.dictionaries(st.sampled_from(["a", "b-c"]), st.text(st.characters(codec="utf-8"))))
def test_metadata_travels(metadata: dict[str, str]) -> None:
    sent = encoded(metadata)
    for value in sent.values():
        assert value.isascii()
        assert value.isprintable()
        assert value == value.strip()
    assert decoded(sent) == metadata


@pytest.mark.parametrize(
    ("span", "size", "expected"),
    [
        (WHOLE, 0, (0, 0)),
        (WHOLE, 5, (0, 5)),
        (Span(2), 5, (2, 5)),
        (Span(2, 9), 5, (2, 5)),
        (tail(2), 5, (3, 5)),
        (tail(9), 5, (0, 5)),
    ],
)
def test_spans(span: Span, size: int, expected: tuple[int, int]) -> None:
    assert span.within(size) == expected


@pytest.mark.parametrize(("span", "size"), [(Span(5), 5), (Span(0, 1), 0), (tail(1), 0), (Span(9, 10), 5)])
def test_spans_beyond_the_end(span: Span, size: int) -> None:
    with pytest.raises(OutOfRange):
        span.within(size)


@pytest.mark.parametrize(("start", "stop"), [(0, 0), (5, 4), (-1, 3)])
def test_spans_of_nothing(start: int, stop: int) -> None:
    with pytest.raises(ValueError, match="a span"):
        Span(start, stop)


@given(st.text())
def test_a_file_name_cannot_leave_its_header(name: str) -> None:
    said = attachment(name)
    assert said.isascii()
    assert said.isprintable()
    assert said.count('"') == 2
    assert "/" not in said


def test_a_file_name() -> None:
    assert attachment("Süß.mp4") == "attachment; filename=\"Su.mp4\"; filename*=UTF-8''S%C3%BC%C3%9F.mp4"
