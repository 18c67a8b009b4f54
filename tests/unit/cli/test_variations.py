from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from renderkiln.cli.orders import Order
from renderkiln.cli.variations import FORM
from renderkiln.domain.errors import UsageError


def orders(*clips: str, **given: Any) -> list[Order]:
    values: dict[str, Any] = {"count": None, "total": None, "added": (), "without": (), "only": None, **given}
    return FORM.orders([Path(clip) for clip in clips], **values)


def test_a_total_is_shared_out_and_nothing_is_lost() -> None:
    assert [each.params["count"] for each in orders("a", "b", "c", total=11)] == [4, 4, 3]
    assert [each.params["count"] for each in orders("a", "b")] == [10, 10]
    assert [each.params["count"] for each in orders("a", "b", count=3)] == [3, 3]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"count": 2, "total": 4}, "one of the two"),
        ({"total": 1}, "less than one variation"),
        ({"total": 2001}, "more than 1000"),
        ({"added": ["zoom"], "without": ["zoom"]}, "named twice"),
        ({"added": ["zoom=big"]}, "pinned"),
        ({"added": ["zoom=1..x"]}, "narrowed"),
    ],
)
def test_what_nobody_can_mean_is_refused(given: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        orders("a", "b", **given)


def test_wishes_are_read() -> None:
    (order,) = orders("a", added=["flip", "zoom=3", "speed=0.98..1.02"], without=["blur"], only="zoom, flip,")
    wishes = {"flip": True, "zoom": 3.0, "speed": [0.98, 1.02], "blur": False}
    assert order.params["effects"] == wishes
    assert order.params["only"] == ["zoom", "flip"]


def test_a_clip_that_is_named_twice_goes_on_where_it_was(tmp_path: Path) -> None:
    clip = tmp_path / "clip.mp4"
    clip.touch()
    (tmp_path / "link.mp4").symlink_to(clip)
    made = orders(str(clip), "other.mp4", str(tmp_path / "link.mp4"), count=4, skip=2)
    assert [each.params["skip"] for each in made] == [2, 2, 6]
