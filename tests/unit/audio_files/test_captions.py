"""Cues that people can read: their lines, their times, where they break, what the formats must not see."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from renderkiln.media.captions import GAP, MAX_SECONDS, Cue, cues_of, srt, vtt


def words(text: str, rate: float = 2.5, start: float = 0.0) -> list[Cue]:
    """Each word takes 1/rate seconds, without pauses."""
    said = text.split()
    return [Cue(start + i / rate, start + (i + 1) / rate, word) for i, word in enumerate(said)]


def lines(cue: Cue) -> list[str]:
    """As they are shown."""
    return vtt([cue]).split("\n")[3:-2]


def test_a_cue_ends_with_its_sentence() -> None:
    cues = cues_of(words("Breathe in slowly through your nose. Now let the air go out again."))
    assert [cue.text for cue in cues] == [
        "Breathe in slowly through your nose.",
        "Now let the air go out again.",
    ]
    assert cues[0].start == 0
    assert cues[0].end == pytest.approx(2.4 - GAP)
    assert cues[1].start == pytest.approx(2.4)


def test_a_sentence_too_short_to_read_stays_with_the_next() -> None:
    assert [cue.text for cue in cues_of(words("Yes. Now let go."))] == ["Yes. Now let go."]


def test_a_pause_ends_a_cue_and_the_cue_stays_until_it_can_be_read() -> None:
    cues = cues_of([Cue(0, 0.3, "Good"), Cue(5, 5.4, "morning")])
    assert [(cue.start, cue.end, cue.text) for cue in cues] == [(0, 1, "Good"), (5, 6, "morning")]


def test_a_long_sentence_is_divided_at_its_comma() -> None:
    text = (
        "When you are ready you may close your eyes and rest, "
        "and let every thought that comes pass by like a cloud"
    )
    assert [cue.text for cue in cues_of(words(text, rate=5))] == [
        "When you are ready you may close your eyes and rest,",
        "and let every thought that comes pass by like a cloud",
    ]


def test_two_lines_of_similar_length_divided_at_punctuation() -> None:
    assert lines(Cue(0, 4, "Close your eyes, and let your shoulders become heavy")) == [
        "Close your eyes,",
        "and let your shoulders become heavy",
    ]
    assert lines(Cue(0, 4, "a quiet voice that says nothing of importance here")) == [
        "a quiet voice that says",
        "nothing of importance here",
    ]


def test_a_whole_sentence_shares_its_time_out_to_its_words() -> None:
    sentence = (
        "The first part of it is as long as the second part, "
        "which ends the sentence after just as many words of text."
    )
    cues = cues_of([Cue(10, 18, sentence)])
    assert " ".join(cue.text for cue in cues) == sentence
    assert cues[0].start == 10
    assert cues[-1].end == 18
    assert cues[1].start == pytest.approx(10 + 8 * len(cues[0].text) / len(sentence), abs=0.3)


def test_chinese_breaks_between_characters_sixteen_in_a_line() -> None:
    sentence = "这是一个很长的句子没有空格需要在字符之间换行而且标点符号不能放在行的开头，我们来看看结果"
    cues = cues_of([Cue(0, 12, sentence)])
    assert "".join(cue.text for cue in cues) == sentence
    shown = [line for cue in cues for line in lines(cue)]
    assert max(len(line) for line in shown) <= 16
    assert not any(line.startswith("，") for line in shown)


def test_a_word_longer_than_a_line_is_broken() -> None:
    cues = cues_of([Cue(0, 4, "https://" + "x" * 100)])
    assert all(len(line) <= 42 for cue in cues for line in lines(cue))
    assert "".join(line for cue in cues for line in lines(cue)) == "https://" + "x" * 100


def test_marks_of_direction_are_kept() -> None:
    text = "\u200fשלום (hello)\u200f"
    assert text in srt([Cue(0, 1, text)])
    assert text in vtt([Cue(0, 1, text)])


def test_what_would_be_markup_is_text() -> None:
    hostile = Cue(0, 2, "a --> b <i>c</i> & 1 < 2\n\n99\x00")
    assert vtt([hostile]).split("\n\n")[1] == (
        "00:00:00.000 --> 00:00:02.000\na --&gt; b &lt;i&gt;c&lt;/i&gt; &amp; 1 &lt; 2 99"
    )
    assert srt([hostile]) == "1\n00:00:00,000 --> 00:00:02,000\na → b ‹i>c‹/i> & 1 < 2 99\n\n"


def test_times_over_an_hour_are_rounded_once() -> None:
    assert "01:00:00,000 --> 100:00:01,235" in srt([Cue(3599.9996, 360001.2349, "x")])


def test_nothing_gives_nothing() -> None:
    assert cues_of([]) == cues_of([Cue(0, 1, " \x00\n")]) == []
    assert srt([]) == ""
    assert vtt([]) == "WEBVTT\n\n"


_WORD = st.builds(
    lambda start, length, text: Cue(start, start + length, text),
    st.floats(0, 100),
    st.floats(0, 12),
    st.text(max_size=60) | st.text("ab 。日本,.", max_size=150),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(_WORD, max_size=12))
def test_any_words_give_cues_that_never_overlap_and_lose_no_letter(said: list[Cue]) -> None:
    cues = cues_of(said)
    for one, other in itertools.pairwise(cues):
        assert one.end <= other.start
    for cue in cues:
        assert 0 < cue.end - cue.start <= MAX_SECONDS + 1e-9
        assert len(lines(cue)) <= 2
    letters = "".join(char for cue in cues for char in cue.text if char in "ab日本")
    in_order = sorted(said, key=lambda w: (w.start, w.end))
    assert letters == "".join(char for word in in_order for char in word.text if char in "ab日本")
