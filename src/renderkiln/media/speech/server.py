"""A provider's server: one question, one answer, bounded in time and size, ended at will."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Mapping
from concurrent.futures import Future, wait
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import httpx

from renderkiln.media.speech.contract import JSON, NotConfigured, Refused, SpeechStopped, Stop, Unavailable

MAX_BYTES = 64 << 20  # 22 minutes of 24 kHz PCM: more than the longest chunk
_MAX_ERROR_BYTES = 64 << 10
_TICK = 0.05
_CONNECT_TIMEOUT = 15.0
_TRY_AGAIN = (408, 409, 425, 429)
# What servers quote of a key they do not like: "sk-ab***yz"
_KEYLIKE = re.compile(r"\b(?:sk|xi)[-_][\w*.-]+|\S*\*{3,}\S*")


@dataclass(frozen=True)
class Answer:
    """What came back; for an error the first 64 kB of it."""

    status: int
    headers: httpx.Headers
    body: bytes

    @property
    def kind(self) -> str:
        """Media type without its parameters."""
        return str(self.headers.get("content-type", "")).partition(";")[0].strip().lower()

    def json(self) -> Any:
        """The body as JSON, or None."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None


class Server:
    """Keeps connections open between requests. `secret` is blotted out of all that is ever said of it.

    Raises NotConfigured for an address that is none. Proxies and certificates are those of the environment.
    """

    def __init__(
        self, name: str, base_url: str, *, headers: Mapping[str, str], secret: str, timeout: float
    ) -> None:
        self.name = name
        self.address = _address(name, base_url)
        self._base = base_url.rstrip("/")
        self._headers = {**headers, "accept-encoding": "identity"}  # an endless body must not unpack itself
        self._secret = secret
        self._timeout = timeout
        self._lock = threading.Lock()
        self._client: httpx.Client | None = None

    def post(self, path: str, body: Mapping[str, JSON], *, query: Mapping[str, str], stop: Stop) -> Answer:
        """One request, never repeated. Raises Unavailable without an answer, and SpeechStopped.

        A thread waits for the server, since nothing could interrupt us while it is silent.
        """
        answer: Future[Answer] = Future()
        given_up = threading.Event()

        def ask() -> None:
            try:
                answer.set_result(self._exchange(path, body, query, given_up))
            except BaseException as error:  # noqa: BLE001  raised again in the caller's thread
                answer.set_exception(error)

        if stop():
            raise SpeechStopped
        threading.Thread(target=ask, name=f"{self.name}-request", daemon=True).start()
        deadline = time.monotonic() + self._timeout
        try:
            while not wait([answer], timeout=_TICK).done:
                if stop():
                    raise SpeechStopped
                if time.monotonic() > deadline:
                    raise Unavailable(f"{self.name} did not answer within {self._timeout:g} s")
            return answer.result()
        finally:
            given_up.set()

    def refusal(self, answer: Answer, told: str, code: str = "") -> Refused | Unavailable:
        """What an error status means for the caller; `told` is the server's words, `code` its name for it."""
        said = f": {self.quoted(told)}" if told else ""
        message = f"{self.name} answered {answer.status}{f' {self.quoted(code)}' if code else ''}{said}"
        again = answer.headers.get("x-should-retry")
        if again == "true" or (again != "false" and (answer.status in _TRY_AGAIN or answer.status >= 500)):
            return Unavailable(message, retry_after=retry_after(answer.headers))
        return Refused(message)

    def key_refused(self, answer: Answer, told: str, variable: str) -> Refused:
        """The error of a wrong key; `variable` is where it was set."""
        return Refused(
            f"{self.name} refused the key ({answer.status}): check {variable}. It said: {self.quoted(told)}"
        )

    def quoted(self, told: str) -> str:
        """What a stranger said, on one line, short and without our key."""
        if self._secret:
            told = told.replace(self._secret, "…")
        told = _KEYLIKE.sub("…", " ".join(told.split()))
        return "".join(letter if letter.isprintable() else "�" for letter in told)[:200]

    def close(self) -> None:
        """Close the connections."""
        if self._client is not None:
            self._client.close()

    def _exchange(
        self, path: str, body: Mapping[str, JSON], query: Mapping[str, str], given_up: threading.Event
    ) -> Answer:
        url = f"{self._base}/{path}"
        try:
            with self._connected().stream("POST", url, params=dict(query) or None, json=body) as response:
                limit = MAX_BYTES if response.is_success else _MAX_ERROR_BYTES
                return Answer(response.status_code, response.headers, self._body(response, limit, given_up))
        except httpx.TimeoutException:
            raise Unavailable(f"{self.name} did not answer within {self._timeout:g} s") from None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            why = self.quoted(str(error)) or type(error).__name__
            raise Unavailable(f"{self.name} at {self.address} gave no whole answer: {why}") from None

    def _body(self, response: httpx.Response, limit: int, given_up: threading.Event) -> bytes:
        body = bytearray()
        for piece in response.iter_bytes():
            body += piece
            if given_up.is_set():
                raise SpeechStopped
            if len(body) > limit:
                if response.is_success:
                    raise Unavailable(f"{self.name}'s answer does not end: more than {limit >> 20} MB came")
                return bytes(body[:limit])
        return bytes(body)

    def _connected(self) -> httpx.Client:
        with self._lock:
            if self._client is None:
                timeout = httpx.Timeout(self._timeout, connect=min(self._timeout, _CONNECT_TIMEOUT))
                try:
                    self._client = httpx.Client(headers=self._headers, timeout=timeout)
                except (ValueError, ImportError, OSError) as error:
                    why = self.quoted(str(error)) or type(error).__name__
                    raise NotConfigured(
                        f"the environment's proxy or certificates are of no use: {why}"
                    ) from None
            return self._client


def retry_after(headers: httpx.Headers) -> float | None:
    """Seconds to wait as the server asks: `retry-after-ms`, or `Retry-After` in seconds or as a date."""
    try:
        return max(0.0, float(headers["retry-after-ms"]) / 1000)
    except (KeyError, ValueError):
        pass
    asked = headers.get("retry-after", "")
    try:
        return max(0.0, float(asked))
    except ValueError:
        pass
    try:
        date = parsedate_to_datetime(asked)
    except (ValueError, TypeError):
        return None
    return max(0.0, (date.replace(tzinfo=date.tzinfo or UTC) - datetime.now(UTC)).total_seconds())


def key_header(name: str, key: str) -> str:
    """The key, fit for a header. Raises NotConfigured for one that cannot be right, without showing it."""
    key = key.strip()
    if not key.isascii() or not key.isprintable() or " " in key:
        raise NotConfigured(f"{name} holds characters that no key has; copy it again")
    return key


def _address(name: str, base_url: str) -> str:
    """Scheme, host and path: what may be shown of an address that could hold a password."""
    try:
        parts = urlsplit(base_url)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        parts, port = urlsplit(""), ""
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise NotConfigured(f"the base URL of {name} is no http:// or https:// address")
    return f"{parts.scheme}://{parts.hostname}{port}{parts.path.rstrip('/')}"
