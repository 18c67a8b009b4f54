from __future__ import annotations

from dataclasses import replace

import pytest

from renderkiln.media.gif.blocks import Picture

# As FFmpeg repeats a frame: one pixel in the last corner, of color 255, which is transparent
REPEAT = Picture(bytes.fromhex("5703df0101000100"), b"\0" * 768, 5, 5, 255, bytes.fromhex("080400ff050400"))


def test_a_frame_that_changes_nothing() -> None:
    assert REPEAT.changes_nothing


@pytest.mark.parametrize(
    "change",
    [
        {"control": 4},  # no color is transparent
        {"transparent": 254},
        {"data": bytes.fromhex("080400fd050400")},
        {"place": bytes.fromhex("5703df0102000100")},
    ],
)
def test_a_frame_that_changes_a_pixel(change: dict[str, object]) -> None:
    assert not replace(REPEAT, **change).changes_nothing  # type: ignore[arg-type]
