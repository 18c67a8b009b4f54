"""Requests to a stranger's URL: each address checked, each redirect too, and no longer than is allowed."""

from __future__ import annotations

import math
import re
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

import httpcore
import httpx

from renderkiln.media.addresses import Forbidden, Guard, Unreachable, parse, shown
from renderkiln.media.errors import MediaError

_REDIRECTS = 5
_LATER = frozenset((408, 425, 429))  # and all 5xx
_LONGEST_VALUE = 1000  # characters of a header that is sent back
_LONGEST_WAIT = 86400.0  # seconds: a server that says more means never
_ASKING = 0.2  # seconds
_MOVED = frozenset((301, 302, 303, 307, 308))
_RANGE = re.compile(r"bytes (\d{1,18})-\d{1,18}/(\d{1,18}|\*)$")
_MEANINGS = {
    401: "needs a permission that a URL alone does not give",
    403: "is not open to us, or its link has expired",
    404: "is not there",
    410: "is gone",
    451: "is withheld for legal reasons",
}
POLL = 0.05  # seconds


class Missing(MediaError):
    """The server answers, but not with this file."""


class TooLarge(MediaError):
    """The file has more bytes than allowed."""


class DownloadStopped(MediaError):
    """The download was stopped by its caller."""


class Deadline:
    """The end of a request: its total time-out, or its caller's word. `must` is what the server has to do."""

    def __init__(
        self, url: httpx.URL, seconds: float, stop: Callable[[], bool], must: str = "arrive"
    ) -> None:
        self._must = must
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
            message = f"{shown(self._url)} did not {self._must} within {self._seconds:g} s"
            raise Unreachable(message, temporary=True)

    def within(self, seconds: float) -> float:
        self.check()
        return max(0.001, min(seconds, self._end - time.monotonic()))

    def sleep(self, seconds: float) -> None:
        """Wait, if there is that much time left."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            time.sleep(self.within(min(left, POLL)))


@dataclass(frozen=True)
class Answer:
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
            raise self.unreachable(f"answers {self.status}, try again later", retry_after=self.retry_after)
        if self.status not in wanted:
            meaning = _MEANINGS.get(self.status, "is not to be had there")
            raise Missing(f"{shown(self.url)} {meaning} (status {self.status})")
        encoding = self.headers.get("Content-Encoding", "identity").strip().lower()
        if encoding not in ("", "identity"):
            raise Missing(f"{shown(self.url)} comes compressed ({encoding[:20]!r}), unasked")

    def unreachable(self, reason: str, *, retry_after: float | None = None) -> Unreachable:
        return Unreachable(f"{shown(self.url)} {reason}", temporary=True, retry_after=retry_after)

    @property
    def retry_after(self) -> float | None:
        """Seconds that the server wants us to wait, if it says so (RFC 9110, 10.2.3: seconds, or a date)."""
        value = self.headers.get("Retry-After", "").strip()
        with suppress(ValueError, OverflowError):
            if value.isdecimal():
                return min(float(value), _LONGEST_WAIT)
            return min(max(parsedate_to_datetime(value).timestamp() - time.time(), 0.0), _LONGEST_WAIT)
        return None


class Client:
    """GET and POST over plain HTTP/1.1: no cookies, no credentials, no proxy, nothing compressed."""

    def __init__(self, url: httpx.URL, deadline: Deadline, guard: Guard, timeout: float) -> None:
        self._url = url
        self.deadline = deadline
        self._guard = guard
        self._timeouts = dict.fromkeys(("connect", "read", "write", "pool"), timeout)

    @contextmanager
    def get(self, headers: Callable[[httpx.URL], Mapping[str, str]]) -> Iterator[Answer]:
        """The answer after all redirects, each checked like the first; `headers` may differ for each."""
        url = self._url
        for _ in range(_REDIRECTS + 1):
            with translated(url, "downloaded"), self._send("GET", url, headers(url)) as answer:
                if answer.status not in _MOVED or "Location" not in answer.headers:
                    yield answer
                    return
            url = _followed(answer)
        raise Missing(f"{shown(self._url)} redirects more than {_REDIRECTS} times")

    @contextmanager
    def post(self, body: bytes, headers: Mapping[str, str]) -> Iterator[Answer]:
        """The answer of the server itself: no redirect is followed."""
        with translated(self._url, "reached"), self._send("POST", self._url, headers, body) as answer:
            yield answer

    @contextmanager
    def _send(
        self, method: str, url: httpx.URL, headers: Mapping[str, str], body: bytes | None = None
    ) -> Iterator[Answer]:
        always = {"Host": url.netloc.decode(), "User-Agent": "renderkiln", "Accept-Encoding": "identity"}
        if body is not None:
            always["Content-Length"] = str(len(body))
        place = httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path)
        trusted = httpx.create_ssl_context() if url.scheme == "https" else None
        with (
            httpcore.ConnectionPool(trusted, network_backend=self._guard) as pool,
            pool.stream(
                method,
                place,
                headers=[*always.items(), *headers.items()],
                content=body,
                extensions={"timeout": self._timeouts},
            ) as response,
        ):
            yield Answer(url, response.status, httpx.Headers(response.headers), response.iter_stream())


def _followed(answer: Answer) -> httpx.URL:
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
def translated(url: httpx.URL, what: str) -> Iterator[None]:
    """Every error of the network in the block becomes Unreachable: `url` cannot be this."""
    try:
        yield
    except httpcore.TimeoutException:
        raise Unreachable(f"{shown(url)} does not answer any more", temporary=True) from None
    except (httpcore.NetworkError, httpcore.ProtocolError) as error:
        cause = error.args[0] if error.args else None  # what httpcore made its error of
        refused = isinstance(error, httpcore.ConnectError) and _is_refusal(cause)
        message = f"{shown(url)} cannot be {what}: {_reason(error, cause)}"
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
