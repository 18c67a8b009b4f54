from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from renderkiln.domain.fingerprint import fingerprint

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(st.text(max_size=5), JSON, max_size=5))
def test_order_does_not_matter(facts: dict[str, object]) -> None:
    assert fingerprint(facts) == fingerprint(dict(reversed(facts.items())))


def test_it_is_the_same_on_every_machine_and_for_ever() -> None:
    text = '{"a":"/x","b":[1,"ä"]}'
    assert fingerprint({"b": [1, "ä"], "a": Path("/x")}) == hashlib.sha256(text.encode()).hexdigest()


def test_names_that_are_no_text_are_taken() -> None:
    assert fingerprint("a\udcff") != fingerprint("a")


@pytest.mark.parametrize("wrong", [object(), float("nan"), {1, 2}])
def test_what_json_cannot_say_is_refused(wrong: object) -> None:
    with pytest.raises((TypeError, ValueError)):
        fingerprint({"wrong": wrong})
