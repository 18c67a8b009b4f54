"""What people write, and what becomes of it."""

from __future__ import annotations

import contextlib
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from renderkiln.media.errors import Unsuitable
from renderkiln.media.speech.script import BadScript, Chapter, Item, Passage, Pause, clean, parse


@pytest.mark.parametrize(
    ("script", "items"),
    [
        ("Welcome. [pause 3s] Breathe.", [Passage("Welcome."), Pause(3.0), Passage("Breathe.")]),
        ("a [pause 500ms] b", [Passage("a"), Pause(0.5), Passage("b")]),
        ("a [pause] b", [Passage("a"), Pause(1.0), Passage("b")]),
        ("a [ PAUSE: 1,5 seconds ] b", [Passage("a"), Pause(1.5), Passage("b")]),
        ("a [pause 2 min] b", [Passage("a"), Pause(120.0), Passage("b")]),
        ("a [pause 2] b", [Passage("a"), Pause(2.0), Passage("b")]),
        ('a<break time="3s"/>b', [Passage("a"), Pause(3.0), Passage("b")]),
        ("a <Break time = '250ms' ></break> b", [Passage("a"), Pause(0.25), Passage("b")]),
        ("a <break/> b", [Passage("a"), Pause(1.0), Passage("b")]),
        ("one\ntwo   three", [Passage("one two three")]),
        ("one\n\n \n\ntwo", [Passage("one"), Pause(0.8), Passage("two")]),
        ("one\r\n\r\ntwo", [Passage("one"), Pause(0.8), Passage("two")]),
        ("one\n\n* * *\n\ntwo", [Passage("one"), Pause(0.8), Passage("two")]),
        ("one\n\n[pause 3s]\n\ntwo", [Passage("one"), Pause(3.0), Passage("two")]),
        ("a [pause 1s] [pause 2s] b", [Passage("a"), Pause(3.0), Passage("b")]),
        ("[pause 2s] a [pause 1s]", [Pause(2.0), Passage("a"), Pause(1.0)]),
        ("\n\na\n\n", [Passage("a")]),
        ("a [pause 1s].", [Passage("a"), Pause(1.0)]),
    ],
)
def test_pauses(script: str, items: list[Item]) -> None:
    assert parse(script) == items


@pytest.mark.parametrize(
    ("script", "items"),
    [
        ("# One\nText", [Chapter("One"), Passage("Text")]),
        ("## One two ##\n[pause 1s]\nText", [Chapter("One two"), Pause(1.0), Passage("Text")]),
        ("# C#\nText", [Chapter("C#"), Passage("Text")]),
        ("a\n# B\nc", [Passage("a"), Pause(0.8), Chapter("B"), Passage("c")]),
        ("a [pause 2s]\n[chapter The  B]\nc", [Passage("a"), Pause(2.0), Chapter("The B"), Passage("c")]),
        ("a\n\n# End", [Passage("a"), Chapter("End")]),
    ],
)
def test_chapters(script: str, items: list[Item]) -> None:
    assert parse(script) == items


@pytest.mark.parametrize(
    "text",
    [
        "We are #1 in the world",
        "I <3 you, a < b > c & d",
        "Write to <me@example.com> or <https://example.com>",
        "[pausing here] [sic] [1]",
        "The <paused> state, <b>bold</b>",
        "Say [paused",
        "مرحبا بالعالم",
        "नमस्ते 👩‍👩‍👧 naïve",
    ],
)
def test_what_is_no_markup_is_spoken(text: str) -> None:
    assert parse(text) == [Passage(text)]


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("one\ntwo [pause three]", "line 2: [pause three] is no time: write [pause 3s]"),
        ("a [pause for effect]", "line 1: [pause for effect] is no time"),
        ("a\r\nb\r\nc [pause 3s", "line 3: [pause 3s is not closed: write a ] after it"),
        ("[pause 3s [pause 4s]", "line 1: [pause 3s is not closed"),
        ("a [pause -3s]", "is no time"),
        ("a [pause 1e9s]", "is no time"),
        ("a [pause 601s]", "line 1: [pause 601s] is too long: 10 minutes are allowed"),
        ("a [pause 999999999m]", "is too long"),
        ('a <break time="3 parsecs"/>', "is no time"),
        ('a <break strength="weak"/>', 'write <break time="3s"/>'),
        ('a <break time="3s" b', "is not closed: write a > after it"),
        ("<speak>\nhi</speak>", "line 1: <speak> is not understood: of SSML, only <break> is; remove it"),
        ('hi <prosody rate="slow">there', "is not understood"),
        ("hi [chapter]", "line 1: a chapter needs a title"),
        ("", "nothing to speak"),
        ("# Title\n[pause 3s]\n…", "nothing to speak"),
        ("a" * 1_000_001, "too long: 1,000,001 characters"),
    ],
)
def test_what_is_wrong_and_where(script: str, message: str) -> None:
    with pytest.raises(BadScript) as caught:
        parse(script)
    assert message in str(caught.value)
    assert isinstance(caught.value, Unsuitable)


def test_cleaning() -> None:
    assert (
        clean("a\x00b\x01c\ud800d\u202ee\ufefff\u00adg\r\nh\ri\u2028j\u2029k") == "a b c defg\nh\ni\nj\n\nk"
    )
    assert clean("e\u0301") == "é"
    assert clean("👩\u200d👧") == "👩\u200d👧"


@pytest.mark.parametrize(
    "unit",
    [
        "a", " ", "\n ", "[", "<", "<a", "<break ", "[pause]", "# ", "a. ", ".", "1. ", '."', "a\u0315\u0300",
        "\u200d", "\U0001f1e6", "\u202e",
    ],
)  # fmt: skip
def test_much_spite_takes_little_time(unit: str) -> None:
    script = (unit * 200_000)[:199_998] + " b"
    started = time.process_time()
    with contextlib.suppress(BadScript):
        parse(script)
    assert time.process_time() - started < 3


@given(st.text(st.characters(codec=None, categories=None), max_size=300))
def test_any_text_is_spoken_or_refused_in_words(script: str) -> None:
    try:
        items = parse(script)
    except BadScript:
        return
    for item in items:
        if isinstance(item, Passage):
            item.text.encode()  # no lone surrogate
            assert not any(ord(letter) < 32 or letter in "\x7f\u202e\ufeff" for letter in item.text)
            assert item.text == " ".join(item.text.split())
        elif isinstance(item, Pause):
            assert item.seconds >= 0
