"""Templates over HTTP, and the pictures that they draw."""

from __future__ import annotations

import json

import numpy as np
import pytest

from renderkiln.media.frames.image import decode_image

from .conftest import ON_ONE, Api

pytestmark = [pytest.mark.integration, ON_ONE]


def test_a_template_says_what_it_takes_and_draws_it(api: Api) -> None:
    found = {each["name"]: each for each in api.data("GET", "/templates", scope="read")}
    assert {"flame", "waveform"} <= set(found)
    assert "palette" in found["waveform"]["params"]["properties"]
    assert "portrait" in found["waveform"]["formats"]

    path = "/templates/waveform/preview"
    asked = {"format": "portrait", "at": 9.2}
    first = api("GET", path, scope="read", params=asked, timeout=200)
    assert (first.status_code, first.headers["content-type"]) == (200, "image/webp"), first.text
    picture = decode_image(first.content)
    assert picture.shape[:2] == (640, 360)
    assert np.ptp(picture[..., :3]) > 100  # something is on it
    (kept,) = (api.kiln.settings.home / "cache" / "looks").glob("*.webp")
    kept.write_bytes(b"kept")
    assert api("GET", path, scope="read", params=asked).content == b"kept"  # and is not drawn again
    tag = api("GET", path, params=asked).headers["etag"]
    assert api("GET", path, params=asked, headers={"If-None-Match": tag}).status_code == 304

    palette = found["waveform"]["palettes"][1]
    other = api("GET", path, params=asked | {"look": json.dumps({"palette": palette})}, timeout=100)
    assert not np.array_equal(decode_image(other.content), picture)


@pytest.mark.parametrize(
    ("look", "place", "words"),
    [
        ('{"palette": "mud"}', "query.look", "unknown palette 'mud'"),
        ('{"intensity": 9}', "query.look.intensity", "less than or equal to 2"),
        ('{"cover": "/etc/passwd"}', "query.look.cover", "takes no files"),
        ("[1]", "query.look", "dictionary"),
        ("{", "query.look", "no JSON"),
        ("[" * 3999, "query.look", "no JSON"),
    ],
)
def test_what_is_wrong_with_a_look_is_said_at_its_place(api: Api, look: str, place: str, words: str) -> None:
    answer = api("GET", "/templates/flame/preview", params={"look": look})
    assert answer.status_code == 422
    (detail,) = answer.json()["error"]["details"]
    assert detail["field"] == place
    assert words in detail["message"]


def test_there_is_no_such_template_or_format(api: Api) -> None:
    assert api.refusal("GET", "/templates/mud/preview")[:2] == (404, "TEMPLATE_NOT_FOUND")
    assert "unknown format" in api.refusal("GET", "/templates/flame/preview", params={"format": "9p"})[2]
    assert api.refusal("GET", "/templates", scope=None)[0] == 401
