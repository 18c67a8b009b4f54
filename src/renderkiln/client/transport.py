"""What both clients need of httpx: requests built, answers read, errors told in our words."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from renderkiln.client.address import Address
from renderkiln.client.effects import Answer, Request
from renderkiln.client.errors import ServerUnreachable
from renderkiln.domain.errors import UsageError

if TYPE_CHECKING:
    import httpx


def options(timeout: float) -> dict[str, Any]:
    """For either kind of httpx client. Redirects are followed by hand: see `address`."""
    from renderkiln import __version__

    agent = {"User-Agent": f"renderkiln/{__version__}"}
    return {"timeout": timeout, "follow_redirects": False, "headers": agent}


def build(
    client: httpx.Client | httpx.AsyncClient, address: Address, request: Request, content: Any
) -> httpx.Request:
    """`content`: the body as this kind of client takes it, if it has one."""
    import httpx

    url = address.resolve(request.path)
    headers = {**request.headers, **address.headers(url)}
    if request.json is not None:
        content, headers["Content-Type"] = _written(request.json), "application/json"
    usual = client.timeout
    patience = usual if request.patience is None else httpx.Timeout(request.patience, connect=usual.connect)
    with told(url):
        return client.build_request(
            request.method,
            url,
            params=request.query or None,
            content=content,
            headers=headers,
            timeout=patience,
        )


def answer(response: httpx.Response, body: bytes) -> Answer:
    """What an operation sees of a response."""
    headers = {name.lower(): value for name, value in response.headers.items()}
    return Answer(response.status_code, headers, body, str(response.url))


@contextmanager
def told(url: object) -> Iterator[None]:
    """What httpx raises becomes ServerUnreachable, whose words name the server and no secret."""
    import httpx

    try:
        yield
    except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as error:
        unsent = isinstance(error, (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout))
        slow = isinstance(error, httpx.TimeoutException)
        why = "it takes too long" if slow else str(error) or type(error).__name__
        message = f"the server at {_server(url)} does not answer: {why}"
        raise ServerUnreachable(message, was_sent=not unsent) from None


async def awaited(blocks: Iterator[bytes]) -> AsyncIterator[bytes]:
    """The same for who awaits: reading a block of a file takes less than handing it to a thread."""
    for block in blocks:
        yield block


def _server(url: object) -> str:
    """Without its path: the query of a signed URL is a secret."""
    try:
        parts = urlsplit(str(url))
    except ValueError:
        return "this address"
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


def _written(value: Any) -> bytes:
    try:
        return json.dumps(value, allow_nan=False).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise UsageError(f"what is to be sent is no JSON: {error}") from None
