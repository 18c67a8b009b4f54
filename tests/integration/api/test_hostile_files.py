"""Files that are two things, and files that are more than they look: taken for what they are, or not."""

from __future__ import annotations

import gzip
import io
import json
import struct
import wave
import zipfile
import zlib
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pytest

import clips
from renderkiln.database import assets
from renderkiln.media.frames.image import as_jpeg, png

from .conftest import ON_ONE, Api

pytestmark = [pytest.mark.integration, ON_ONE]

PAGE = b"<!doctype html><html><script>alert(document.domain)</script></html>\n"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
PICTURE = np.zeros((8, 8, 3), np.uint8)


def archive() -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as file:
        file.writestr("evil.html", PAGE)
    return content.getvalue()


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def sound(path: Path, rate: int = 8000) -> bytes:
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, rate, 0, "NONE", ""))
        file.writeframes(bytes(2 * 100_000))
    return path.read_bytes()


def two_things(folder: Path) -> dict[str, tuple[bytes, str]]:
    """Files with something else in them, and the one type that each may be told and served as."""
    song = clips.ffmpeg(folder / "song.mp3", *clips.tone(1), "-map_metadata", "-1").read_bytes()
    jpeg = as_jpeg(PICTURE)
    remark = b"\xff\xfe" + struct.pack(">H", len(PAGE) + 2) + PAGE
    return {
        "page.mp3": (PAGE + song, "audio/mpeg"),
        "page.html": (sound(folder / "s.wav") + PAGE, "audio/wav"),
        "archive.zip": (jpeg + archive(), "image/jpeg"),
        "page.svg": (jpeg[:2] + remark + jpeg[2:] + PAGE, "image/jpeg"),
        "script.js": (bytes(png(PICTURE)) + PAGE, "image/png"),
        "page.htm": (b"1\n00:00:00,000 --> 00:00:05,000\n" + PAGE, "application/x-subrip"),
        "page.xhtml": (b"WEBVTT\n\nNOTE\n" + PAGE + b"\n00:00.000 --> 00:05.000\n" + SVG, "text/vtt"),
    }


def test_a_file_that_is_a_page_as_well_is_never_served_as_one(api: Api) -> None:
    for name, (content, kind) in two_things(api.folder).items():
        asset = api.data("POST", "/assets", scope="submit", params={"name": name}, content=content)
        assert asset["contentType"] == kind, name
        with api.kiln.database.read() as connection:
            stored = assets.find(connection, asset["id"])
        assert stored is not None
        url = urlsplit(api.kiln.storage.url("private", stored.storage_key, seconds=60))
        served = api.client.get(f"{url.path}?{url.query}")
        assert served.content == content
        assert served.headers["content-type"].partition(";")[0] == kind
        assert served.headers["x-content-type-options"] == "nosniff"
        policy = served.headers["content-security-policy"]
        assert (policy.startswith("default-src 'none'"), policy.endswith("sandbox")) == (True, True)


def test_what_only_looks_like_media_is_refused(api: Api) -> None:
    gif = b"GIF89a/*" + bytes(100) + b"*/=1;alert(1)"
    for name, content in {
        "picture.png": PAGE,
        "picture.jpg": SVG,
        "song.mp3": archive(),
        "song.wav": gzip.compress(sound(api.folder / "s.wav")),
        "picture.gif": gif,
        "svg.mp3": SVG + bytes(3000),
        "font.ttf": b"\0\1\0\0" + PAGE,
    }.items():
        refused = api.refusal("POST", "/assets", params={"name": name}, content=content)
        assert refused[:2] == (422, "UNSUITABLE_FILE"), name
        assert str(api.folder) not in refused[2]
    assert api.data("GET", "/assets")["items"] == []


def test_what_is_more_than_it_looks_is_not_unpacked(api: Api) -> None:
    film = clips.plain(api.folder, seconds=0.2).read_bytes()
    table = film.index(b"stts") + 8
    jpeg = as_jpeg(PICTURE)
    frame = jpeg.index(b"\xff\xc0") + 5
    flac = clips.ffmpeg(api.folder / "s.flac", *clips.tone(0.2)).read_bytes()
    bombs: dict[str, tuple[bytes, str]] = {
        "years.wav": (sound(api.folder / "slow.wav", rate=1), "lasts 27.8 h"),
        "years.flac": (flac[:21] + bytes([flac[21] | 15]) + b"\xff" * 4 + flac[26:], "lasts"),
        "wide.jpg": (jpeg[:frame] + struct.pack(">HH", 65_500, 65_500) + jpeg[frame + 4 :], "65500x65500"),
        "table.mp4": (film[:table] + b"\x7f\xff\xff\xff" + film[table + 4 :], "asks for more memory"),
    }
    for name, (content, words) in bombs.items():
        status, code, told = api.refusal("POST", "/assets", params={"name": name}, content=content)
        assert (status, code, words in told) == (422, "UNSUITABLE_FILE", True), told
    still = bytes(png(PICTURE))
    endless = still[:33] + chunk(b"acTL", struct.pack(">II", 2**31 - 1, 0)) + still[33:]
    profile = still[:33] + chunk(b"iCCP", b"x\0\0" + zlib.compress(bytes(100_000_000), 9)) + still[33:]
    for content in (endless, profile):
        facts: dict[str, Any] = api.data("POST", "/assets", params={"name": "x.png"}, content=content)[
            "facts"
        ]
        assert facts == {"width": 8, "height": 8}


def test_a_body_is_not_unpacked(api: Api) -> None:
    wish = json.dumps({"eventType": "a.b", "payload": {}}).encode()
    for path, coding in (("/events", "gzip"), ("/events", "BR"), ("/assets?name=x.wav", "deflate")):
        headers = {"Content-Encoding": coding, "Content-Type": "application/json"}
        body = gzip.compress(wish + b" " * 10_000_000)
        refused = api.refusal("POST", path, headers=headers, content=body)
        assert refused[:2] == (415, "BODY_ENCODED")
        assert "Content-Encoding" in refused[2]
    plain = {"Content-Encoding": "identity", "Content-Type": "application/json"}
    assert api.data("POST", "/events", headers=plain, content=wish)["type"] == "a.b"
