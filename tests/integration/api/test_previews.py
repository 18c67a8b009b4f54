"""Pictures of a project's film before it is made."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from renderkiln.media.frames.image import decode_image, write_image

from .conftest import ON_ONE, Api
from .test_projects import made

pytestmark = [pytest.mark.integration, ON_ONE]


def test_a_frame_and_a_sheet_of_a_film_that_is_not_made(api: Api, tmp_path: Path) -> None:
    write_image(tmp_path / "red.png", np.full((90, 160, 3), (200, 10, 20), np.uint8))
    asset = api.upload(tmp_path / "red.png")["id"]
    scenes = [
        {"id": "blue", "duration": 2, "background": {"type": "color", "color": "#0000ff"}},
        {"id": "red", "duration": 1, "background": {"type": "image", "file": f"asset:{asset}"}},
    ]
    path = f"{made(api, {'title': 'Two', 'scenes': scenes})}/preview"

    def picture(**order: Any) -> tuple[np.ndarray[Any, Any], dict[str, str]]:
        answer = api("POST", path, scope="submit", json=order)
        assert (answer.status_code, answer.headers["content-type"]) == (200, "image/png"), answer.text
        return decode_image(answer.content), dict(answer.headers)

    frame, told = picture(at=2.5)
    assert frame.shape[:2] == (480, 854)
    assert np.abs(frame[240, 427, :3].astype(int) - (200, 10, 20)).max() <= 3
    assert (told["preview-scene"], told["preview-second"]) == ("red", "2.500")
    assert told["preview-duration"] == "3.000"
    sheet, told = picture()
    assert sheet.shape[1] > 854
    assert "preview-scene" not in told

    late = api.refusal("POST", path, json={"at": 9})
    assert late[:2] == (422, "INVALID_REQUEST")
    assert "the film lasts 3.00 s" in late[2]
    assert api.refusal("POST", path, json={"scenes": ["green"]})[:2] == (422, "INVALID_REQUEST")
    assert api.refusal("POST", path, scope="read")[0] == 403
    stranger = api.stranger()
    assert api.refusal("POST", path, key=stranger)[:2] == (404, "PROJECT_NOT_FOUND")
    own = f"{made(api, {'scenes': scenes}, key=stranger)}/preview"
    assert api.refusal("POST", own, key=stranger)[:2] == (404, "ASSET_NOT_FOUND")
    assert api.data("GET", "/jobs")["items"] == []
