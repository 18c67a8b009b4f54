from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from renderkiln.domain.retry import Retry

POLICIES = st.builds(
    Retry,
    attempts=st.integers(1, 20),
    first=st.floats(0, 100),
    factor=st.floats(1, 10),
    cap=st.floats(0, 1000),
    jitter=st.floats(0, 1),
)


def test_three_attempts_wait_ten_and_twenty_seconds() -> None:
    assert [Retry().delay(failed) for failed in (1, 2, 3)] == [10, 20, None]
    assert [Retry(attempts=5).delay(failed) for failed in (3, 4, 5)] == [40, 80, None]


@given(POLICIES, st.integers(0, 2**32))
def test_waits_are_bounded_and_end_with_the_attempts(retry: Retry, seed: int) -> None:
    waits = [retry.delay(failed, random.Random(seed)) for failed in range(1, retry.attempts + 1)]
    assert waits[-1] is None
    assert all(wait is not None and 0 <= wait <= retry.cap for wait in waits[:-1])


@given(POLICIES)
def test_without_jitter_waits_never_shrink(retry: Retry) -> None:
    waits = [wait for failed in range(1, retry.attempts) if (wait := retry.delay(failed)) is not None]
    assert waits == sorted(waits)


@given(st.integers(0, 2**32))
def test_jitter_stays_within_its_share(seed: int) -> None:
    wait = Retry(first=100, jitter=0.25).delay(1, random.Random(seed))
    assert wait is not None
    assert 75 <= wait <= 125


@pytest.mark.parametrize("wrong", [{"attempts": 0}, {"first": -1}, {"factor": 0.5}, {"jitter": 2}])
def test_nonsense_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"attempt|wait"):
        Retry(**wrong)  # type: ignore[arg-type]  # one field each, of its own type
