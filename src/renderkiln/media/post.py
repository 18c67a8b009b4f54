"""POST of a small body to a stranger's URL, with the guard and the patience of downloads."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass

import httpcore

from renderkiln.media.addresses import Guard, Unreachable, parse
from renderkiln.media.web import Client, Deadline

_READ = 4096  # bytes of an answer; the rest is not looked at


@dataclass(frozen=True)
class Reply:
    """An answer: its status, how its body begins, and the seconds after which to come again, if it says."""

    status: int
    text: str
    retry_after: float | None = None


def post(
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    *,
    timeout: float,
    allow_private: bool = False,
    stop: Callable[[], bool] = lambda: False,
) -> Reply:
    """What the server answers, within `timeout` seconds for all of it. Redirects are answers, too.

    Raises Forbidden where the URL leads where we do not go, Unreachable where nothing comes of it, and
    DownloadStopped soon after `stop` says so.
    """
    parsed = parse(url)
    deadline = Deadline(parsed, timeout, stop, "answer")
    client = Client(parsed, deadline, Guard(deadline, allow_private=allow_private), timeout)
    with client.post(body, headers) as answer:
        begun = b""
        # The status is the answer: a body that breaks off, or drips for ever, changes nothing about it.
        with suppress(httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException, Unreachable):
            for piece in answer.pieces:
                begun += piece
                if len(begun) >= _READ:
                    break
        return Reply(answer.status, begun[:_READ].decode("utf-8", "replace"), answer.retry_after)
