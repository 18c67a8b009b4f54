"""Opens the media file of a stranger: regular files, local protocols and known demuxers only."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import av
import av.container

from renderkiln.media.errors import Unreadable
from renderkiln.media.ffmpeg.command import DEMUXERS, PROTOCOLS

_SNIFF_BYTES = 4096
_PLAYLISTS = (b"#EXTM3U", b"ffconcat", b"<?xml", b"<MPD", b"[playlist]", b"v=0", b"file ")


def open_container(path: Path, *, gifs: bool = False) -> av.container.InputContainer:
    """A PyAV container to be used as a context manager. Raises Unreadable with one line for people.

    `gifs` opens them too: we make them, and never take them.
    """
    check_readable(path)
    options = {"protocol_whitelist": PROTOCOLS, "format_whitelist": f"{DEMUXERS},gif" if gifs else DEMUXERS}
    with translated(path):
        return av.open(f"file:{path}", options=options, metadata_errors="replace")


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Every error of PyAV in the block becomes Unreadable, naming `path`."""
    try:
        yield
    except (av.error.FFmpegError, UnicodeError) as error:
        raise Unreadable(_reason(path, error)) from None


def check_readable(path: Path) -> None:
    """Raises Unreadable unless `path` is a regular file with bytes in it that we may read."""
    name = shown(path)
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            raise Unreadable(f"{name} is a directory, not a media file")
        if not stat.S_ISREG(status.st_mode):  # opening a FIFO would wait for ever
            raise Unreadable(f"{name} is not a regular file")
        if status.st_size == 0:
            raise Unreadable(f"{name} is empty (zero bytes)")
        with path.open("rb"):
            pass
    except FileNotFoundError:
        raise Unreadable(f"{name} does not exist") from None
    except PermissionError:
        raise Unreadable(f"{name} cannot be read: permission denied") from None
    except OSError as error:
        raise Unreadable(f"{name} cannot be read: {error.strerror}") from None
    except ValueError:
        raise Unreadable(f"{name} is not a possible file name") from None


def shown(path: Path) -> str:
    """A hostile name on one line: quoted, with newlines and control characters escaped."""
    return repr(str(path))


def _reason(path: Path, error: av.error.FFmpegError | UnicodeError) -> str:
    name = shown(path)
    with path.open("rb") as file:
        head = file.read(_SNIFF_BYTES)
    if head.lstrip().startswith(_PLAYLISTS):
        return f"{name} is not a media file we accept: it looks like a playlist that points at other files"
    if _is_text(head):
        return f"{name} is not a media file we accept: it looks like text"
    if isinstance(error, av.error.InvalidDataError | av.error.EOFError):
        return f"{name} is not a media file, or it is damaged beyond reading"
    if isinstance(error, av.error.MemoryError):
        return f"{name} asks for more memory than a file may: it is damaged, or made to do harm"
    if isinstance(error, av.error.ArgumentError):
        return (
            f"{name} is not a media file we accept (its format is not one of: {DEMUXERS.replace(',', ', ')})"
        )
    return f"{name} cannot be read as media: {error}"


def _is_text(head: bytes) -> bool:
    try:
        text = head.decode()
    except UnicodeDecodeError as error:
        text = head[: error.start].decode() if error.start > len(head) - 4 else ""
    return bool(text) and all(letter.isprintable() or letter in "\r\n\t\f" for letter in text)
