"""Captions of strangers: what players forgive is forgiven, what is wrong is named."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from contextlib import suppress
from time import perf_counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from renderkiln.media.captions import Cue, srt, vtt
from renderkiln.media.errors import Unreadable, Unsuitable
from renderkiln.media.subtitles import MOST_CUES, read_captions

SRT = """\
1
00:00:01,000 --> 00:00:02,500
Hello <i>there</i>,
<font color="#fff">world</font> &amp; all

2
01:00:03,250 --> 01:00:04,000
{\\an8}Above
"""
VTT = """\
WEBVTT - with a title
Kind: captions

NOTE
not --&gt; shown

STYLE
::cue { color: red }

REGION
id:fred

intro
00:01.000 --> 00:02.500 position:10%,line-left align:left size:35%
<v Ann>Hello</v> <c.loud>there</c>,
<00:00:01.500>world &amp; all&nbsp;&#8230; 1 &lt; 2

1:00:03.250 --> 1:00:04.000 line:0
Above
"""


def test_subrip() -> None:
    assert read_captions(SRT) == [Cue(1, 2.5, "Hello there,\nworld & all"), Cue(3603.25, 3604, "Above")]


def test_webvtt() -> None:
    expected = [Cue(1, 2.5, "Hello there,\nworld & all … 1 < 2"), Cue(3603.25, 3604, "Above")]
    assert read_captions(VTT) == expected


@pytest.mark.parametrize("end", ["\r\n", "\r", "\n"])
@pytest.mark.parametrize("text", [SRT, VTT])
def test_any_line_ends_and_a_mark_in_front(text: str, end: str) -> None:
    assert read_captions("\ufeff" + text.replace("\n", end)) == read_captions(text)


def test_what_people_write_by_hand() -> None:
    sloppy = """

00:01 --> 0:2
no numbers, no hours, no fraction

7
00:00:05.5 --> 00:00:06.25   X1:40 X2:600
points, empty lines,

42

and a number within
8
00:00:08,000-->00:00:09,000
1 < 2 & <3 R&D {curly} a<b
9
00:00:10,000 --> 00:00:11,000

"""
    assert read_captions(sloppy) == [
        Cue(1, 2, "no numbers, no hours, no fraction"),
        Cue(5.5, 6.25, "points, empty lines,\n42\nand a number within"),
        Cue(8, 9, "1 < 2 & <3 R&D {curly} a<b"),
    ]


def test_a_caption_that_is_a_number() -> None:
    assert [cue.text for cue in read_captions(srt([Cue(0, 1, "42"), Cue(1, 2, "43")]))] == ["42", "43"]


def test_overlapping_cues_are_kept_and_put_in_order() -> None:
    cues = [Cue(5, 9, "later"), Cue(1, 6, "earlier"), Cue(1, 2, "short")]
    for written in (srt(cues), vtt(cues)):
        assert [cue.text for cue in read_captions(written)] == ["short", "earlier", "later"]


@pytest.mark.parametrize(
    ("times", "message"),
    [
        ("00:00:05,000 --> 00:00:04,000", "ends before it starts"),
        ("-00:00:05,000 --> 00:00:04,000", "has a negative time"),
        ("00:00:05,000 --> -00:00:06,000", "has a negative time"),
        ("00:61:05,000 --> 00:62:06,000", "a time that does not exist"),
        ("00:00:75,000 --> 00:00:76,000", "a time that does not exist"),
        ("00:00:05,000 --> later", "should be times like"),
        ("5 --> 6", "should be times like"),
        ("00:00:05,000 --> 00:00:06,000,5", "should be times like"),
        ("00:00:01,000 --> 00:00:02,000" + "9" * 900, "should be times like"),
    ],
)
def test_times_that_are_none_are_named_with_their_line(times: str, message: str) -> None:
    for before in ("1\n00:00:01,000 --> 00:00:02,000\nHello\n\n2\n", "WEBVTT\n\nNOTE a\nb\n\n"):
        with pytest.raises(Unreadable, match=f"the captions, line 6: '{times[:9]}.*{message}") as raised:
            read_captions(f"{before}{times}\nx\n")
        assert len(str(raised.value)) < 200


@pytest.mark.parametrize("text", ["", "\n \n", "Hello\nworld", "1\n00:00:01,000 --> 00:00:02,000\n<i></i>\n"])
def test_what_has_no_captions_says_what_they_look_like(text: str) -> None:
    with pytest.raises(Unreadable, match=r"has no captions as SRT .* 00:00:01,000 --> 00:00:02,500"):
        read_captions(text)
    with pytest.raises(Unreadable, match="has no captions after its heading WEBVTT"):
        read_captions("WEBVTT\n\n" + text.replace(",", "."))


def test_too_much_is_refused() -> None:
    cue = "00:00:01,000 --> 00:00:02,000\nx\n\n"
    with pytest.raises(Unsuitable, match="more than 50,000 captions"):
        read_captions(cue * (MOST_CUES + 1))
    with pytest.raises(Unsuitable, match="line 4: the caption has 10,000 characters and more"):
        read_captions(cue + "00:00:01,000 --> 00:00:02,000\n" + "x" * 10_001)


@pytest.mark.parametrize("text", ["<", "{\\", "&", "&#9", "<a", "{\\a<b&", "-->", "0:", " ", "\r"])
@pytest.mark.parametrize("heading", ["", "WEBVTT\n\n"])
def test_hostile_text_takes_no_time(heading: str, text: str) -> None:
    begun = perf_counter()
    hostile = f"{heading}00:00:01.000 --> 00:00:02.000\nx\n\n00:00:02.000 --> 00:00:03.000\n" + text * 300_000
    with suppress(Unreadable, Unsuitable):
        read_captions(hostile)
    assert perf_counter() - begun < 3


def test_entities_become_nothing_dangerous() -> None:
    cue = "00:00:01,000 --> 00:00:02,000\na&#0;b&#xD800;c&#27;d&#x1F9D8;&unknown;"
    assert read_captions(cue)[0].text == "a\ufffdb\ufffdcd🧘&unknown;"


_TIME = st.floats(0, 400_000, allow_nan=False)
_CUE = st.builds(
    lambda start, length, text: Cue(start, start + length, text),
    _TIME,
    st.floats(0.001, 100),
    st.text(min_size=1, max_size=80) | st.text("ab<>/&;-{}\\ 。日12:,.\n\r\t'\"", min_size=1, max_size=150),
)


def _letters(text: str) -> str:
    return "".join(c for c in text if c.isalnum())


@settings(max_examples=150, deadline=None)
@given(st.lists(_CUE, min_size=1, max_size=6), st.sampled_from([srt, vtt]))
def test_what_we_write_we_read(cues: list[Cue], write: Callable[[Sequence[Cue]], str]) -> None:
    # An ASS override is none of our business to keep, and SubRip cannot say that & begins no entity.
    unsayable = [{"{", "\\"}, {"&", ";"}] if write is srt else [{"{", "\\"}]
    cues = [c for c in cues if _letters(c.text) and not any(each <= set(c.text) for each in unsayable)]
    if not cues:
        return
    expected = sorted((cue.start, cue.end, _letters(cue.text)) for cue in cues)
    found = sorted((cue.start, cue.end, _letters(cue.text)) for cue in read_captions(write(cues)))
    assert sorted(text for _, _, text in found) == sorted(text for _, _, text in expected)
    assert sorted(cue[0] for cue in found) == pytest.approx(sorted(cue[0] for cue in expected), abs=0.0006)
    assert sorted(cue[1] for cue in found) == pytest.approx(sorted(cue[1] for cue in expected), abs=0.0006)


@settings(max_examples=200, deadline=None)
@given(st.text("0123:,.->\n WEBVTNOS<>&{\\}", max_size=200) | st.text(max_size=200))
def test_any_text_is_captions_or_a_clear_error(text: str) -> None:
    for given_ in (text, "WEBVTT\n\n" + text, "00:01 --> 00:02\n" + text):
        with suppress(Unreadable, Unsuitable):
            cues = read_captions(given_)
            assert cues
            assert all(cue.text.strip() and 0 <= cue.start <= cue.end < math.inf for cue in cues)
