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

import fcntl
import hashlib
import json
import math
import os
import re
import ssl
import tempfile
import time
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from email.message import Message
from email.utils import collapse_rfc2231_value, parsedate_to_datetime
from pathlib import Path, PurePosixPath
from typing import BinaryIO

import httpcore
import httpx

from renderkiln.media.addresses import Forbidden, Guard, Unreachable, parse, shown
from renderkiln.media.errors import MediaError

__all__ = ["DownloadStopped", "Downloaded", "Forbidden", "Missing", "TooLarge", "Unreachable", "download"]

_FRESH = 600.0  # seconds in which a file is taken as it is
_REDIRECTS = 5
_PAUSES = (0.5, 1.0)  # seconds before the second and the third try
_LATER = frozenset((408, 425, 429))  # and all 5xx
_LONGEST_VALUE = 1000  # characters of a header that is sent back
_LONGEST_WAIT = 86400.0  # seconds: a server that says more means never
_POLL = 0.05  # seconds
_ASKING = 0.2  # seconds
_NAME_BYTES, _SUFFIX = 150, 16
_MOVED = frozenset((301, 302, 303, 307, 308))
_RANGE = re.compile(r"bytes (\d{1,18})-\d{1,18}/(\d{1,18}|\*)$")
_MEANINGS = {
    401: "needs a permission that a URL alone does not give",
    403: "is not open to us, or its link has expired",
    404: "is not there",
    410: "is gone",
    451: "is withheld for legal reasons",
}

OnBytes = Callable[[int, int | None], None]


class Missing(MediaError):
    """The server answers, but not with this file."""


class TooLarge(MediaError):
    """The file has more bytes than allowed."""


class DownloadStopped(MediaError):
    """The download was stopped by its caller."""


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
    deadline = _Deadline(asked, total_timeout, stop)
    entry = _Entry(cache, f"{allow_private} {asked}")  # what a private server gave is not for those without
    with entry.locked(deadline):
        facts, cached = entry.find(), True
        if facts is None or not facts.are_fresh():
            client = _Client(asked, deadline, Guard(deadline, allow_private=allow_private), timeout)
            entry.sweep()
            with entry.part() as part:
                facts, cached = _renew(entry, facts, client, _Arriving(part, largest, on_bytes))
        if facts.size > largest:
            raise _too_large(shown(asked), largest)
        path = entry.path(facts)
    return Downloaded(path, facts.size, facts.sha256, facts.content_type, facts.name, cached)


def _renew(entry: _Entry, known: _Facts | None, client: _Client, arriving: _Arriving) -> tuple[_Facts, bool]:
    """The facts as the server has them now, and whether they are those known."""
    facts = _fetch(client, known, arriving)
    if facts is known and entry.find() is None:  # swept while the server was asked
        known = None
        facts = _fetch(client, None, arriving)
    if facts is not known:
        entry.keep(facts, arriving.file)
    entry.note(facts)
    return facts, facts is known


def _fetch(client: _Client, known: _Facts | None, arriving: _Arriving) -> _Facts:
    """What the server gives, or `known` where that is still right. Tries again if anything came at all."""
    for pause in _PAUSES:
        try:
            return _try(client, known, arriving)
        except Unreachable as error:
            if not arriving.size or not error.temporary or error.retry_after is not None:
                raise
        client.deadline.sleep(pause)
    return _try(client, known, arriving)


def _try(client: _Client, known: _Facts | None, arriving: _Arriving) -> _Facts:
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
        self._begun: _Answer | None = None
        self._digest = hashlib.sha256()
        self.size = 0

    def rest(self) -> Mapping[str, str]:
        """Headers that ask for what is still to come. Only a strong ETag tells that it is the same file."""
        etag = self._begun.header("ETag") if self._begun else None
        if not self.size or not etag or etag.startswith("W/"):
            return {}
        return {"Range": f"bytes={self.size}-", "If-Range": etag}

    def take(self, answer: _Answer) -> _Facts:
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

    def _begin(self, answer: _Answer) -> _Answer:
        self.file.seek(0)
        self.file.truncate()
        self._begun = answer
        self._digest = hashlib.sha256()
        self.size = 0
        return answer

    def _go_on(self, answer: _Answer) -> _Answer:
        """The answer that began it: only that one must have all the headers (RFC 9110, 15.3.7)."""
        begun = self._begun
        if begun is None or answer.first != self.size:
            self._begun = None  # the next try begins anew
            raise answer.unreachable("does not go on where the transfer broke")
        return begun


class _Deadline:
    """The end of a download: its total time-out, or its caller's word."""

    def __init__(self, url: httpx.URL, seconds: float, stop: Callable[[], bool]) -> None:
        self._url = url
        self._seconds = seconds
        self._stop = stop
        self._end = time.monotonic() + seconds
        self._asked = -math.inf

    def check(self) -> None:
        now = time.monotonic()
        if now - self._asked >= _ASKING:
            self._asked = now
            if self._stop():
                raise DownloadStopped(f"the download of {shown(self._url)} was stopped")
        if now >= self._end:
            message = f"{shown(self._url)} did not arrive within {self._seconds:g} s"
            raise Unreachable(message, temporary=True)

    def within(self, seconds: float) -> float:
        self.check()
        return max(0.001, min(seconds, self._end - time.monotonic()))

    def sleep(self, seconds: float) -> None:
        """Wait, if there is that much time left."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            time.sleep(self.within(min(left, _POLL)))


def _too_large(name: str, largest: int) -> TooLarge:
    return TooLarge(f"{name} is too large: more than the {largest:,} bytes that are allowed")


def _name(answer: _Answer) -> str:
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
    name = re.sub(r'[<>:"|?*]', "_", "".join(filter(_is_visible, name))).strip(". ")
    suffix = PurePosixPath(name).suffix
    suffix = suffix if len(suffix) <= _SUFFIX else ""
    stem = name.removesuffix(suffix).encode()[: _NAME_BYTES - len(suffix.encode())].decode(errors="ignore")
    return f"{stem}{suffix}" if stem else "download"


def _is_visible(letter: str) -> bool:
    return unicodedata.category(letter)[0] not in "CZ" or letter == " "


@dataclass(frozen=True)
class _Answer:
    """The response of a server, its body still to be read."""

    url: httpx.URL
    status: int
    headers: httpx.Headers
    pieces: Iterator[bytes]

    def header(self, name: str) -> str | None:
        """A header, if it can be sent back as it is."""
        value = self.headers.get(name)
        return value if value and value.isascii() and len(value) <= _LONGEST_VALUE else None

    @property
    def content_type(self) -> str | None:
        return self.headers.get("Content-Type", "").partition(";")[0].strip().lower() or None

    @property
    def first(self) -> int | None:
        """The position of the first byte of a partial body."""
        match = _RANGE.match(self.headers.get("Content-Range", ""))
        return int(match[1]) if match else None

    @property
    def total(self) -> int | None:
        """The bytes of the whole file, if the server says."""
        if self.status == 206:
            match = _RANGE.match(self.headers.get("Content-Range", ""))
            return int(match[2]) if match and match[2] != "*" else None
        length = self.headers.get("Content-Length", "")
        return int(length) if length.isdecimal() else None

    def check(self, *wanted: int) -> None:
        """Raises Missing or Unreachable unless this is the file, as it is."""
        if self.status in _LATER or self.status >= 500:
            raise self.unreachable(f"answers {self.status}, try again later", retry_after=self._retry_after())
        if self.status not in wanted:
            meaning = _MEANINGS.get(self.status, "is not to be had there")
            raise Missing(f"{shown(self.url)} {meaning} (status {self.status})")
        encoding = self.headers.get("Content-Encoding", "identity").strip().lower()
        if encoding not in ("", "identity"):
            raise Missing(f"{shown(self.url)} comes compressed ({encoding[:20]!r}), unasked")

    def unreachable(self, reason: str, *, retry_after: float | None = None) -> Unreachable:
        return Unreachable(f"{shown(self.url)} {reason}", temporary=True, retry_after=retry_after)

    def _retry_after(self) -> float | None:
        """RFC 9110, 10.2.3: seconds, or a date."""
        value = self.headers.get("Retry-After", "").strip()
        with suppress(ValueError, OverflowError):
            if value.isdecimal():
                return min(float(value), _LONGEST_WAIT)
            return min(max(parsedate_to_datetime(value).timestamp() - time.time(), 0.0), _LONGEST_WAIT)
        return None


class _Client:
    """GET over plain HTTP/1.1: no cookies, no credentials, no proxy, nothing compressed."""

    def __init__(self, url: httpx.URL, deadline: _Deadline, guard: Guard, timeout: float) -> None:
        self._url = url
        self.deadline = deadline
        self._guard = guard
        self._timeouts = dict.fromkeys(("connect", "read", "write", "pool"), timeout)

    @contextmanager
    def get(self, headers: Callable[[httpx.URL], Mapping[str, str]]) -> Iterator[_Answer]:
        """The answer after all redirects, each checked like the first; `headers` may differ for each."""
        url = self._url
        for _ in range(_REDIRECTS + 1):
            with _translated(url), self._send(url, headers(url)) as answer:
                if answer.status not in _MOVED or "Location" not in answer.headers:
                    yield answer
                    return
            url = _followed(answer)
        raise Missing(f"{shown(self._url)} redirects more than {_REDIRECTS} times")

    @contextmanager
    def _send(self, url: httpx.URL, headers: Mapping[str, str]) -> Iterator[_Answer]:
        always = {"Host": url.netloc.decode(), "User-Agent": "renderkiln", "Accept-Encoding": "identity"}
        place = httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path)
        trusted = httpx.create_ssl_context() if url.scheme == "https" else None
        with (
            httpcore.ConnectionPool(trusted, network_backend=self._guard) as pool,
            pool.stream(
                "GET",
                place,
                headers=[*always.items(), *headers.items()],
                extensions={"timeout": self._timeouts},
            ) as response,
        ):
            yield _Answer(url, response.status, httpx.Headers(response.headers), response.iter_stream())


def _followed(answer: _Answer) -> httpx.URL:
    """Where a redirect leads. Raises Forbidden."""
    here = shown(answer.url)
    try:
        url = parse(str(answer.url.join(answer.headers["Location"])))
    except (Forbidden, httpx.InvalidURL, ValueError) as error:
        raise Forbidden(f"{here} redirects to what we do not follow: {error}") from None
    if answer.url.scheme == "https" and url.scheme != "https":
        raise Forbidden(f"{here} redirects from https to {shown(url)}, where others can listen in")
    return url


@contextmanager
def _translated(url: httpx.URL) -> Iterator[None]:
    """Every error of the network in the block becomes Unreachable, naming `url`."""
    try:
        yield
    except httpcore.TimeoutException:
        raise Unreachable(f"{shown(url)} does not answer any more", temporary=True) from None
    except (httpcore.NetworkError, httpcore.ProtocolError) as error:
        cause = error.args[0] if error.args else None  # what httpcore made its error of
        refused = isinstance(error, httpcore.ConnectError) and _is_refusal(cause)
        message = f"{shown(url)} cannot be downloaded: {_reason(error, cause)}"
        raise Unreachable(message, temporary=not refused) from None


def _is_refusal(cause: object) -> bool:
    """Whether TLS cannot be agreed on, and not just the connection broke."""
    return isinstance(cause, ssl.SSLError) and not isinstance(cause, ssl.SSLEOFError)


def _reason(error: Exception, cause: object) -> str:
    if isinstance(cause, ssl.SSLCertVerificationError):
        return f"the certificate of its server cannot be trusted ({cause.verify_message})"
    if isinstance(cause, ssl.SSLError):
        return f"no secure connection ({(cause.reason or 'TLS failed').lower().replace('_', ' ')})"
    if isinstance(cause, OSError) and cause.strerror:
        return cause.strerror.lower()
    return str(error)


@dataclass(frozen=True)
class _Facts:
    """What the cache knows of the file of a URL."""

    source: str  # the URL that gave it, after all redirects
    sha256: str
    size: int
    content_type: str | None
    name: str
    etag: str | None
    modified: str | None
    checked: float  # seconds since 1970

    def are_fresh(self) -> bool:
        return 0 <= time.time() - self.checked < _FRESH

    def conditions(self, url: httpx.URL) -> Mapping[str, str]:
        """Headers that ask whether the file has changed: only of the very place that gave it."""
        if self.source != _source(url):
            return {}
        if self.etag:
            return {"If-None-Match": self.etag}
        return {"If-Modified-Since": self.modified} if self.modified else {}


class _Entry:
    """The place of one URL in the cache."""

    def __init__(self, folder: Path, key: str) -> None:
        self._folder = folder
        self._key = hashlib.sha256(key.encode()).hexdigest()[:32]
        self._facts = folder / f"{self._key}.json"

    def path(self, facts: _Facts) -> Path:
        return self._folder / f"{facts.sha256}.data"

    def find(self) -> _Facts | None:
        """What is there, now touched; None where anything of it is missing or damaged."""
        try:
            facts = _Facts(**json.loads(self._facts.read_text()))
            os.utime(self._facts)
            os.utime(self.path(facts))
            return facts if self.path(facts).stat().st_size == facts.size else None
        except (OSError, ValueError, TypeError):
            return None

    def note(self, facts: _Facts) -> None:
        """Write down that the server has just said so."""
        checked = replace(facts, checked=time.time())
        with self.part() as part, suppress(FileNotFoundError):  # swept already: then it is not remembered
            part.write(json.dumps(asdict(checked)).encode())
            part.flush()
            Path(part.name).replace(self._facts)

    def keep(self, facts: _Facts, file: BinaryIO) -> None:
        """Put the file in its place for good."""
        file.flush()
        os.fsync(file.fileno())
        try:
            Path(file.name).replace(self.path(facts))
        except FileNotFoundError:
            raise Unreachable("the cache was emptied during a download", temporary=True) from None

    @contextmanager
    def locked(self, deadline: _Deadline) -> Iterator[None]:
        """Be the only one, of all processes and threads, that works on this entry."""
        self._folder.mkdir(parents=True, exist_ok=True)
        while (lock := self._lock(self._key)) is None:
            deadline.sleep(_POLL)
        try:
            yield
        finally:
            self._unlock(self._key, lock)

    @contextmanager
    def part(self) -> Iterator[BinaryIO]:
        """A new file, gone at the end unless it was moved to its place. Others may be made beside it."""
        descriptor, name = tempfile.mkstemp(".part", f"{self._key}.", self._folder)
        os.close(descriptor)
        path = Path(name)
        try:
            with path.open("wb") as file:
                yield file
        finally:
            path.unlink(missing_ok=True)

    def sweep(self) -> None:
        """Remove what killed processes left, here or elsewhere in the cache: parts whose lock is free."""
        for part in self._folder.glob("*.part"):
            key = part.name.partition(".")[0]
            if key == self._key:
                part.unlink(missing_ok=True)
            elif (lock := self._lock(key)) is not None:
                part.unlink(missing_ok=True)
                self._unlock(key, lock)

    def _lock(self, key: str) -> int | None:
        path = self._folder / f"{key}.lock"
        lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        with suppress(BlockingIOError, FileNotFoundError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if path.stat().st_ino == os.fstat(lock).st_ino:  # else we locked what was just removed
                return lock
        os.close(lock)
        return None

    def _unlock(self, key: str, lock: int) -> None:
        (self._folder / f"{key}.lock").unlink(missing_ok=True)
        os.close(lock)


def _facts(begun: _Answer, sha256: str, size: int) -> _Facts:
    return _Facts(
        source=_source(begun.url),
        sha256=sha256,
        size=size,
        content_type=begun.content_type,
        name=_name(begun),
        etag=begun.header("ETag"),
        modified=begun.header("Last-Modified"),
        checked=time.time(),
    )


def _source(url: httpx.URL) -> str:
    """Without its query, which may be a signature that is new each time, and a secret."""
    return str(url.copy_with(query=None))
