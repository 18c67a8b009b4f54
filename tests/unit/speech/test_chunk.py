"""Nothing is lost, nothing is out of order, nothing is too long, and cuts fall where they should."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from renderkiln.media.speech.chunk import CLAUSE_GAP, NEIGHBOUR, SENTENCE_GAP, Chunk, chunks
from renderkiln.media.speech.script import Chapter, Item, Passage, Pause
from renderkiln.media.speech.sentences import clauses, graphemes, sentences, words

ALPHABET = "ab cé. ,!?1.5 。你好、नि।\u0301👩\u200d👧🇩🇪\"')—"
TEXTS = st.text(st.sampled_from(ALPHABET), min_size=1, max_size=200)
PASSAGES = TEXTS.map(lambda text: " ".join(text.split())).filter(bool).map(Passage)
ITEMS = st.lists(
    st.one_of(PASSAGES, st.builds(Pause, st.integers(0, 9).map(float)), st.builds(Chapter, st.just("T")))
)


def squeezed(text: str) -> str:
    return "".join(text.split())


@given(ITEMS, st.integers(1, 60))
def test_nothing_is_lost_and_nothing_too_long(items: list[Item], limit: int) -> None:
    found = chunks(items, limit)
    spoken = "".join(squeezed(item.text) for item in items if isinstance(item, Passage))
    assert "".join(squeezed(chunk.text) for chunk in found) == spoken
    assert all(len(chunk.text) <= limit for chunk in found)
    assert all(chunk.text == chunk.text.strip() for chunk in found)
    assert sum(len(chunk.chapters) for chunk in found) == sum(isinstance(item, Chapter) for item in items)
    written = sum(item.seconds for item in items if isinstance(item, Pause))
    gaps = sum(chunk.silence for chunk in found) - written
    assert gaps >= -1e-6
    if not any(len(item.text) > limit for item in items if isinstance(item, Passage)):
        assert gaps == pytest.approx(0, abs=1e-6)


@given(TEXTS, st.integers(1, 60))
def test_words_are_never_cut_that_fit(text: str, limit: int) -> None:
    line = " ".join(text.split())
    if not line:
        return
    pieces = [word for chunk in chunks([Passage(line)], limit) for word in chunk.text.split(" ")]
    for word in line.split(" "):
        if len(word) <= limit and all(cut(word) == [word] for cut in (sentences, clauses, words)):
            assert pieces.count(word) >= 1


@pytest.mark.parametrize("cut", [sentences, clauses, words, graphemes])
@given(text=st.text(max_size=100))
def test_pieces_joined_are_the_text(cut, text: str) -> None:  # type: ignore[no-untyped-def]
    pieces = cut(text)
    assert "".join(pieces) == text
    assert all(pieces)


@pytest.mark.parametrize(
    "expected",
    [
        ["Breathe in. ", "Breathe out! ", "Are you calm? ", "Yes… ", "Good"],
        ['He said "Go!" ', "Then he (really.) left. ", "“Why?” ", "Why not?"],
        ["Dr. Smith met J. R. Doe at St. Mary's, e.g. in approx. 3.5 hours. ", "Then he slept."],
        ["In 1990. ", "Then."],
        ["1. Breathe in. ", "2. Breathe out."],
        ["你好。", "今天「好！」", "再见"],
        ["नमस्ते। ", "दो॥ ", "तीन"],
        ["كيف حالك؟ ", "أنا بخير. ", "شكرا"],
        ["Das ist z.B. gut. ", "Nr. 5 lebt."],
        ["v2.0 of example.com is out! ", "Wow"],
        ["Խաղաղ։ ", "Այո"],
    ],
)
def test_sentences(expected: list[str]) -> None:
    assert sentences("".join(expected)) == expected


def test_clauses() -> None:
    assert clauses("In 1,000 years, we — perhaps; who knows: rest") == [
        "In 1,000 years, ", "we — ", "perhaps; ", "who knows: ", "rest"
    ]  # fmt: skip


def test_graphemes() -> None:
    expected = ["e\u0301", "👩\u200d👧", "👍🏽", "🇩🇪", "🇫🇷", "नि", "❤\ufe0f", "a"]
    assert graphemes("".join(expected)) == expected


def test_cuts_are_as_coarse_as_can_be() -> None:
    text = "First one here. Second, with a clause, and another. Third uninterruptedlylongword end."
    found = [(chunk.text, chunk.silence) for chunk in chunks([Passage(text)], 20)]
    assert found == [
        ("First one here.", SENTENCE_GAP),
        ("Second,", CLAUSE_GAP),
        ("with a clause,", CLAUSE_GAP),
        ("and another.", SENTENCE_GAP),
        ("Third", 0.0),
        ("uninterruptedlylongw", 0.0),
        ("ord end.", 0.0),
    ]


def test_sentences_share_a_chunk_while_they_fit() -> None:
    found = chunks([Passage("One. Two. Three. Four.")], 12)
    assert [chunk.text for chunk in found] == ["One. Two.", "Three. Four."]


def test_pauses_and_chapters_end_a_chunk() -> None:
    items: list[Item] = [
        Pause(2),
        Chapter("A"),
        Passage("One."),
        Pause(3),
        Passage("Two."),
        Chapter("B"),
        Passage("Three."),
    ]
    assert chunks(items, 100) == [
        Chunk("", 2),
        Chunk("One.", 3, "", "Two.", ("A",)),
        Chunk("Two.", 0, "One.", "Three."),
        Chunk("Three.", 0, "Two.", "", ("B",)),
    ]


def test_a_pause_at_the_start_of_a_chapter_belongs_to_it() -> None:
    items: list[Item] = [Passage("One."), Chapter("B"), Pause(3), Passage("Two.")]
    assert [(chunk.text, chunk.silence, chunk.chapters) for chunk in chunks(items, 100)] == [
        ("One.", 0, ()),
        ("", 3, ("B",)),
        ("Two.", 0, ()),
    ]


def test_neighbours_are_words_nearby() -> None:
    first, last = (f"{name} " * 200 for name in ("before", "after"))
    middle = chunks(
        [Passage(first.strip()), Pause(1), Passage("Here."), Pause(1), Passage(last.strip())], 5000
    )[1]
    assert middle.before.endswith("before before")
    assert middle.after.startswith("after after")
    assert {*middle.before.split(), *middle.after.split()} == {"before", "after"}
    assert NEIGHBOUR - 10 <= len(middle.before) <= NEIGHBOUR >= len(middle.after)


@pytest.mark.parametrize(
    "text", ["a" * 199_999, "你" * 199_999, "a, " * 66_666, "\U0001f1e6" * 199_999, "." * 199_999]
)
def test_much_text_takes_little_time(text: str) -> None:
    started = time.process_time()
    found = chunks([Passage(text.strip())], 4096)
    assert time.process_time() - started < 3
    assert all(len(chunk.text) <= 4096 for chunk in found)
