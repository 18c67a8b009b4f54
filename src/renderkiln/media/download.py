"""Files from users' URLs: from public servers only, of bounded size and time, kept in a cache.

    MediaError
    ├── Forbidden        the URL, or a redirect of it, leads where we do not go (see addresses.py)
    ├── Unreachable      no usable answer: name, connection, TLS, time-out, 408, 425, 429, 5xx;
    │                    `temporary` where another try may help, after `retry_after` seconds
    ├── Missing          the server answers, but not with this file: 401, 403, 404, 410 …
    ├── TooLarge         more bytes than allowed
    └── DownloadStopped  ended because its caller said so

The cache is one folder: `<sha256 of the file>.data`, which never changes; for each URL a `.json` that says
which one it is and how to ask whether it is still right; while one is fetched, a `.lock` and a `.part`.
Anything in it may be deleted at any time; access times say what was used last.
"""

from __future__ import annotations

import hashlib
import re
import time
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.message import Message
from email.utils import collapse_rfc2231_value
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from renderkiln.media.addresses import Forbidden, Guard, Unreachable, parse, shown
from renderkiln.media.download_cache import Entry, Facts, source_of
from renderkiln.media.web import Answer, Client, Deadline, DownloadStopped, Missing, TooLarge

__all__ = ["DownloadStopped", "Downloaded", "Forbidden", "Missing", "TooLarge", "Unreachable", "download"]

_PAUSES = (0.5, 1.0)  # seconds before the second and the third try
_NAME_BYTES, _SUFFIX = 150, 16
_TURNS = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}

OnBytes = Callable[[int, int | None], None]


@dataclass(frozen=True)
class Downloaded:
    """A file in the cache, which never changes but may be swept once it is long unused.

    `name` is what the server calls it, fit for a file name; `cached` where nothing of it had to be fetched.
    """

    path: Path
    size: int
    sha256: str
    content_type: str | None
    name: str
    cached: bool


def download(
    url: str,
    *,
    cache: Path,
    largest: int,
    timeout: float = 30.0,
    total_timeout: float = 600.0,
    allow_private: bool = False,
    on_bytes: OnBytes | None = None,
    stop: Callable[[], bool] = lambda: False,
) -> Downloaded:
    """Bring the file at `url`, of at most `largest` bytes, into the folder `cache`, unless it is there.

    `timeout` is for a server that says nothing, `total_timeout` for everything together, both in seconds.
    `on_bytes` hears, with each piece, how many bytes have come and how many there will be; `stop` is asked
    about five times a second. Of several processes that want the same file one fetches it. Raises Forbidden,
    Unreachable, Missing, TooLarge, DownloadStopped, and OSError where the cache cannot be written.
    """
    asked = parse(url)
    deadline = Deadline(asked, total_timeout, stop)
    entry = Entry(cache, f"{allow_private} {asked}")  # what a private server gave is not for those without
    with entry.locked(deadline):
        facts, cached = entry.find(), True
        if facts is None or not facts.are_fresh():
            client = Client(asked, deadline, Guard(deadline, allow_private=allow_private), timeout)
            entry.sweep()
            with entry.part() as part:
                facts, cached = _renew(entry, facts, client, _Arriving(part, largest, on_bytes))
        if facts.size > largest:
            raise _too_large(shown(asked), largest)
        path = entry.path(facts)
    return Downloaded(path, facts.size, facts.sha256, facts.content_type, facts.name, cached)


def _renew(entry: Entry, known: Facts | None, client: Client, arriving: _Arriving) -> tuple[Facts, bool]:
    """The facts as the server has them now, and whether they are those known."""
    facts = _fetch(client, known, arriving)
    if facts is known and entry.find() is None:  # swept while the server was asked
        known = None
        facts = _fetch(client, None, arriving)
    if facts is not known:
        entry.keep(facts, arriving.file)
    entry.note(facts)
    return facts, facts is known


def _fetch(client: Client, known: Facts | None, arriving: _Arriving) -> Facts:
    """What the server gives, or `known` where that is still right. Tries again if anything came at all."""
    for pause in _PAUSES:
        try:
            return _try(client, known, arriving)
        except Unreachable as error:
            if not arriving.size or not error.temporary or error.retry_after is not None:
                raise
        client.deadline.sleep(pause)
    return _try(client, known, arriving)


def _try(client: Client, known: Facts | None, arriving: _Arriving) -> Facts:
    rest = arriving.rest()
    with client.get(lambda url: rest or (known.conditions(url) if known else {})) as answer:
        if answer.status == 304 and known and not rest:
            return known
        answer.check(*(200, 206, 416) if rest else (200,))
        return arriving.take(answer)


class _Arriving:
    """A file on its way to the disk; one cut off goes on where it ended, if its server can do that."""

    def __init__(self, file: BinaryIO, largest: int, on_bytes: OnBytes | None) -> None:
        self.file = file
        self._largest = largest
        self._on_bytes = on_bytes
        self._begun: Answer | None = None
        self._digest = hashlib.sha256()
        self.size = 0

    def rest(self) -> Mapping[str, str]:
        """Headers that ask for what is still to come. Only a strong ETag tells that it is the same file."""
        etag = self._begun.header("ETag") if self._begun else None
        if not self.size or not etag or etag.startswith("W/"):
            return {}
        return {"Range": f"bytes={self.size}-", "If-Range": etag}

    def take(self, answer: Answer) -> Facts:
        """Write what comes, to the end. Raises TooLarge, as early as it can be known."""
        begun = self._go_on(answer) if answer.status != 200 else self._begin(answer)
        total = answer.total
        if total is not None and total > self._largest:
            raise _too_large(shown(answer.url), self._largest)
        for piece in answer.pieces:
            self.size += len(piece)
            if self.size > self._largest:
                raise _too_large(shown(answer.url), self._largest)
            self.file.write(piece)
            self._digest.update(piece)
            if self._on_bytes:
                self._on_bytes(self.size, total)
        return _facts(begun, self._digest.hexdigest(), self.size)

    def _begin(self, answer: Answer) -> Answer:
        self.file.seek(0)
        self.file.truncate()
        self._begun = answer
        self._digest = hashlib.sha256()
        self.size = 0
        return answer

    def _go_on(self, answer: Answer) -> Answer:
        """The answer that began it: only that one must have all the headers (RFC 9110, 15.3.7)."""
        begun = self._begun
        if begun is None or answer.first != self.size:
            self._begun = None  # the next try begins anew
            raise answer.unreachable("does not go on where the transfer broke")
        return begun


def _facts(begun: Answer, sha256: str, size: int) -> Facts:
    return Facts(
        source=source_of(begun.url),
        sha256=sha256,
        size=size,
        content_type=begun.content_type,
        name=_name(begun),
        etag=begun.header("ETag"),
        modified=begun.header("Last-Modified"),
        checked=time.time(),
    )


def _too_large(name: str, largest: int) -> TooLarge:
    return TooLarge(f"{name} is too large: more than the {largest:,} bytes that are allowed")


def _name(answer: Answer) -> str:
    """What the server calls the file (RFC 6266), or the last part of its path; fit for a file name."""
    message = Message()
    message["Content-Disposition"] = answer.headers.get("Content-Disposition", "")
    parameters = message.get_params([], "Content-Disposition")
    names = [value for key, value in parameters if key == "filename"]
    names.sort(key=lambda value: isinstance(value, str))  # `filename*`, a tuple, has the better spelling
    return safe_name(collapse_rfc2231_value(names[0]) if names and names[0] else answer.url.path)


def safe_name(text: str) -> str:
    """The last part of a path of a stranger as a plain file name; never empty, at most 150 bytes of UTF-8."""
    name = unicodedata.normalize("NFC", text.replace("\\", "/").rpartition("/")[2])
    name = re.sub(r'[<>:"|?*]', "_", "".join(filter(_is_printable, name)).strip()).strip(". ")
    suffix = PurePosixPath(name).suffix
    suffix = suffix if len(suffix) <= _SUFFIX else ""
    stem = name.removesuffix(suffix).encode()[: _NAME_BYTES - len(suffix.encode())].decode(errors="ignore")
    return f"{stem}{suffix}" if any(map(_is_visible, stem)) else "download"


def _is_printable(letter: str) -> bool:
    """No control character, no half of one, no end of a line, nothing that turns the direction of text."""
    return (
        unicodedata.category(letter) not in {"Cc", "Cs", "Zl", "Zp"}
        and unicodedata.bidirectional(letter) not in _TURNS
    )


def _is_visible(letter: str) -> bool:
    return unicodedata.category(letter)[0] not in "CZ"
