"""What people may call things."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from renderkiln.domain.printable import PATTERN, is_printable, printable
from renderkiln.media.download import safe_name


@pytest.mark.parametrize(
    "name",
    [
        "山田　太郎.mp3",  # with the wide space
        "👨‍👩‍👧 at the lake",  # three, joined
        "prix : 10 €",  # with a space that does not break
        "\U0001fae9",  # younger than Python 3.11
        "کتاب‌ها",  # with what keeps two letters apart
        "",
    ],
)
def test_people_call_things_so(name: str) -> None:
    assert is_printable(name)
    assert printable(name) == name


@pytest.mark.parametrize("letter", list("\0\n\x1b\x7f\x9b\u2028\u202e\u2066\ud800"))
def test_nothing_that_moves_what_stands_beside_it(letter: str) -> None:
    assert not is_printable(f"song{letter}.mp3")
    assert printable(f"song{letter}.mp3") == "song_.mp3"


@given(st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from("\n\x9f\u202e")))
def test_the_pattern_of_the_schema_says_the_same(text: str) -> None:
    assert is_printable(text) == (re.fullmatch(PATTERN, text) is not None)


def test_what_is_downloaded_keeps_the_same_letters() -> None:
    """Media knows nothing of the domain, and says by Unicode's own words what is meant."""
    letters = [chr(code) for code in range(0x10000) if chr(code) not in '/\\<>:"|?*']
    plain = [each for each in letters if unicodedata.normalize("NFC", each) == each]
    assert [each for each in plain if (each in safe_name(f"1{each}2")) != is_printable(each)] == []
