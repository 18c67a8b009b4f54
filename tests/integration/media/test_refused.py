"""What is no media file we accept is refused with one clear line, whoever asks."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from renderkiln.media.audio.decode import open_audio
from renderkiln.media.errors import FFmpegFailed, Unreadable
from renderkiln.media.ffmpeg.command import copy_audio
from renderkiln.media.ffmpeg.run import run
from renderkiln.media.inspect import inspect
from renderkiln.media.probe import probe, probe_safely

pytestmark = pytest.mark.integration
READERS = pytest.mark.parametrize("read", [probe, probe_safely, open_audio, inspect])
Make = Callable[..., Path]

PLAYLISTS = {
    "m3u": "#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\n{0}\n#EXT-X-ENDLIST\n",
    "concat": "ffconcat version 1.0\nfile {0}\n",
    "bare concat": "file '{0}'\n",
    "dash": '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011"></MPD>',
    "pls": "[playlist]\nFile1={0}\n",
    "sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio 5004 RTP/AVP 0\n",
}


def refused(read: Callable[[Path], Any], path: Path) -> str:
    with pytest.raises(Unreadable) as caught:
        read(path)
    message = str(caught.value)
    assert message.isprintable(), "one line"
    assert len(message) < 600
    return message


@READERS
@pytest.mark.parametrize("kind", PLAYLISTS)
def test_playlists(read: Callable[[Path], Any], kind: str, tmp_path: Path, make: Make) -> None:
    secret = make("secret.wav", "-f", "lavfi", "-i", "sine=duration=1")
    for name in ("song.mp3", "song.m3u8", "song.txt"):
        path = tmp_path / name
        path.write_text(PLAYLISTS[kind].format(secret))
        assert "looks like a playlist" in refused(read, path)


@READERS
def test_text(read: Callable[[Path], Any], tmp_path: Path) -> None:
    path = tmp_path / "song.mp3"
    path.write_text("Dear diary, déjà vu.\n" * 500)
    assert "looks like text" in refused(read, path)


@READERS
def test_subtitles_and_pictures(read: Callable[[Path], Any], tmp_path: Path, make: Make) -> None:
    titles = tmp_path / "a.srt"
    titles.write_text("1\n00:00:00,000 --> 00:00:01,000\nhello\n")
    refused(read, titles)
    refused(read, make("c.png", "-f", "lavfi", "-i", "testsrc=size=64x64", "-frames:v", "1"))


@READERS
@pytest.mark.parametrize(
    "content", [b"\0" * 5000, bytes(range(256)) * 40, b"ID3", b"RIFF\xff\xff\xff\xffWAVE"]
)
def test_rubbish(read: Callable[[Path], Any], content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "song.mp3"
    path.write_bytes(content)
    refused(read, path)


@READERS
def test_files_that_cannot_be_read(read: Callable[[Path], Any], tmp_path: Path) -> None:
    empty, fifo = tmp_path / "empty.mp3", tmp_path / "fifo.mp3"
    empty.touch()
    os.mkfifo(fifo)
    assert "zero bytes" in refused(read, empty)
    assert "directory" in refused(read, tmp_path)
    assert "does not exist" in refused(read, tmp_path / "missing.mp3")
    assert "not a regular file" in refused(read, fifo)
    assert "not a regular file" in refused(read, Path("/dev/zero"))
    assert "cannot be read" in refused(read, tmp_path / ("x" * 300))
    assert "not a possible file name" in refused(read, Path("a\0b"))
    assert "does not exist" in refused(read, tmp_path / "new\nline\x1b[31m.mp3")
    loop = tmp_path / "loop.mp3"
    loop.symlink_to(loop)
    refused(read, loop)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
@READERS
def test_no_permission(read: Callable[[Path], Any], tmp_path: Path) -> None:
    path = tmp_path / "secret.mp3"
    path.write_bytes(b"x")
    path.chmod(0)
    assert "permission denied" in refused(read, path)


@pytest.mark.parametrize("kind", ["m3u", "concat"])
def test_the_binary_refuses_playlists_too(kind: str, ffmpeg: Path, tmp_path: Path, make: Make) -> None:
    secret = make("secret.m4a", "-f", "lavfi", "-i", "sine=duration=1")
    path = tmp_path / "song.m3u8"
    path.write_text(PLAYLISTS[kind].format(secret.name))
    with pytest.raises(FFmpegFailed, match="whitelist"):
        run(copy_audio(source=path, output=tmp_path / "out.m4a"), binary=ffmpeg)
