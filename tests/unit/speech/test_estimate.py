"""How long scripts take, and what is spoken first."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from renderkiln.media.speech.estimate import beginning, estimate_seconds
from renderkiln.media.speech.script import BadScript

SENTENCES = [
    "Breathe in, and count to four.",
    "Breathe out.",
    "# Part",
    "[pause 2s]",
    "Dr. Who is 4.5 years old!",
]


@given(st.lists(st.sampled_from(SENTENCES), min_size=1), st.floats(1, 60), st.floats(0.5, 2))
def test_a_beginning_is_no_longer_than_asked_unless_it_is_one_sentence(
    lines: list[str], seconds: float, speed: float
) -> None:
    script = "\n".join([*lines, "Rest."])
    said = beginning(script, seconds, speed)
    assert said
    assert said == beginning(said, 1000, speed)  # it is a script itself
    assert estimate_seconds(said, speed) <= seconds + 0.01 or said in {*SENTENCES, "Rest."}
    whole = estimate_seconds(script, speed)
    assert estimate_seconds(beginning(script, 1e6, speed), speed) <= whole + 0.01


def test_what_is_no_script_has_no_beginning() -> None:
    with pytest.raises(BadScript, match="line 2"):
        beginning("Rest.\n[pause x]", 20)
