"""Where the URL of a stranger may lead: web servers on the public internet, by plain spellings only.

The address is judged where the connection is made, and that very address is connected to: a name that means
one server when it is checked and another a moment later (DNS rebinding) gains nothing, and no redirect can go
round. Proxies of the environment are ignored: a proxy resolves names itself, and no guard here would hold.
"""

from __future__ import annotations

import ipaddress
import re
import socket
import ssl
from collections.abc import Iterable
from contextlib import suppress
from typing import Any, Protocol

import httpcore
import httpx

from renderkiln.media.errors import MediaError

_LONGEST = 8192  # characters; signed URLs take up to 2,000
_SHOWN = 120
_PORTS = frozenset((80, 443, *range(1024, 65536)))  # below: mail, shells, printers … no web servers
_NAME = re.compile(
    r"(?=.{1,253}$)([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?"
)
_NUMBER = re.compile(
    r"(.*\.)?(\d+|0x[0-9a-f]*)"
)  # what C libraries read as an IPv4 address: 2130706433, 0x7f.1
_TRIED = 4  # addresses of one name
_PATIENCE = 30.0  # seconds, where no time-out is given
_TICK = 0.2  # seconds
_UNICAST = ipaddress.IPv6Network("2000::/3")  # all that IANA has given out for the public internet

# Beyond what every Python that we run on calls not global
_SPECIAL = tuple(
    ipaddress.ip_network(block)
    for block in (
        "168.63.129.16/32",  # Azure's platform service: public by its number only
        "192.0.0.0/24",  # IETF protocols, and a cloud's metadata
        "192.88.99.0/24",  # 6to4 relays
        "224.0.0.0/4",  # multicast
        "2001::/23",  # IETF protocols; Teredo, which embeds an IPv4 address
        "2002::/16",  # 6to4, which embeds an IPv4 address
        "3fff::/20",  # documentation
    )
)


class Forbidden(MediaError):
    """The URL leads where we do not go."""


class Unreachable(MediaError):
    """No usable answer from the server.

    `temporary` where another try may help, then not before `retry_after` seconds where the server said so.
    """

    def __init__(self, message: str, *, temporary: bool, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.temporary = temporary
        self.retry_after = retry_after


def parse(text: str) -> httpx.URL:
    """The http or https URL that `text` spells, without its fragment and a dot that ends the host.

    Says nothing of the addresses behind it. Raises Forbidden.
    """
    try:
        url = httpx.URL(text[: _LONGEST + 1])
    except (httpx.InvalidURL, ValueError):  # ValueError: surrogates
        raise Forbidden(f"{shown(text)} is not a URL") from None
    reason = "is too long for a URL" if len(text) > _LONGEST else _objection(url)
    if reason:
        raise Forbidden(f"{shown(text)} {reason}")
    return url.copy_with(host=_host(url), fragment=None)


def shown(url: httpx.URL | str) -> str:
    """A URL for messages, quoted, on one line: no credentials, no query, which may be secrets."""
    if isinstance(url, httpx.URL):
        path = url.raw_path.decode("ascii").partition("?")[0]  # still quoted: hostile letters cannot show
        start, query = f"{url.scheme}://{url.netloc.decode('ascii')}{path}", bool(url.query)
    else:  # perhaps not a URL: who knows where its password ends
        start, *rest = re.split(r"[?#]", re.sub(r"//.*@", "//…@", url, flags=re.DOTALL), maxsplit=1)
        query = bool(rest)
    if len(start) > _SHOWN:
        start = f"{start[:_SHOWN]}…"
    return repr(f"{start}?…" if query else start)


def is_public(address: str) -> bool:
    """Whether `address`, IPv4 or IPv6, is one of a single host on the public internet (IANA registries).

    No IPv6 address with an IPv4 address inside is: mapped, NAT64, 6to4 and Teredo could lead anywhere.
    """
    ip = ipaddress.ip_address(address)
    if isinstance(ip, ipaddress.IPv6Address) and ip not in _UNICAST:
        return False
    return ip.is_global and not any(ip in block for block in _SPECIAL)


def refuse_private(url: httpx.URL) -> None:
    """Raises Forbidden for what is plainly no public server: what a name stands for is not looked up."""
    host = url.host.strip("[]")
    if host == "localhost" or (_is_literal(host) and not is_public(host)):
        raise Forbidden(f"{host} is not on the public internet; the setting private_urls allows it")


class Watch(Protocol):
    """Ends what it watches over by raising an error."""

    def check(self) -> None:
        """Raise if it is time to end."""

    def within(self, seconds: float) -> float:
        """Of `seconds` as many as are left. Raises like `check`."""


class Guard(httpcore.NetworkBackend):
    """Connects to public addresses only, or to any with `allow_private`; `watch` sees to every byte.

    Raises Forbidden if a single address of a name is not public, and Unreachable if it has none. How long a
    name server may take is the system's affair.
    """

    def __init__(self, watch: Watch, *, allow_private: bool) -> None:
        self._watch = watch
        self._allow_private = allow_private
        self._network = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,  # noqa: ARG002  httpcore's interface
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,  # noqa: ARG002
    ) -> httpcore.NetworkStream:
        """Connect to the first address that answers, within `timeout` seconds for all of them."""
        addresses = _resolve(host, port)
        if not self._allow_private and not all(map(is_public, addresses)):
            raise Forbidden(f"{host!r} is not on the public internet: only public servers are asked")
        *others, last = addresses[:_TRIED]
        share = (timeout or _PATIENCE) / (len(others) + 1)
        for address in others:
            with suppress(httpcore.ConnectError, httpcore.ConnectTimeout):
                return self._connect(address, port, share)
        return self._connect(last, port, share)

    def _connect(self, address: str, port: int, timeout: float) -> httpcore.NetworkStream:
        stream = self._network.connect_tcp(address, port, self._watch.within(timeout))
        return _Watched(stream, self._watch)


class _Watched(httpcore.NetworkStream):
    """A connection that looks up from its waiting, so that no trickle of bytes holds it beyond the watch."""

    def __init__(self, stream: httpcore.NetworkStream, watch: Watch) -> None:
        self._stream = stream
        self._watch = watch

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        left = timeout or _PATIENCE
        while True:
            tick = min(_TICK, left)
            try:
                return self._stream.read(max_bytes, self._watch.within(tick))
            except httpcore.ReadTimeout:
                left -= tick
                if left <= 0:
                    raise

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._watch.within(timeout or _PATIENCE))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        left = self._watch.within(timeout or _PATIENCE)
        return _Watched(self._stream.start_tls(ssl_context, server_hostname, left), self._watch)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def _objection(url: httpx.URL) -> str | None:
    host = _host(url)
    if url.scheme not in ("http", "https"):
        return "is not an http or https URL"
    if url.userinfo:
        return "holds a user name or password: use a URL without"
    if not host:
        return "names no server"
    if not _is_literal(host) and (not _NAME.fullmatch(host) or _NUMBER.fullmatch(host)):
        return "does not name its server plainly: use a host name or an ordinary IP address"
    if url.port is not None and url.port not in _PORTS:
        return f"has port {url.port}: use 80, 443 or one from 1024 to 65535"
    return None


def _host(url: httpx.URL) -> str:
    return url.raw_host.decode("ascii").removesuffix(".")


def _is_literal(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return "%" not in host  # an IPv6 zone names a network card


def _resolve(host: str, port: int) -> list[str]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except socket.gaierror as error:
        again = error.errno == socket.EAI_AGAIN
        reason = "the name server does not answer" if again else "there is no server of this name"
        raise Unreachable(f"{host!r} cannot be found: {reason}", temporary=again) from None
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))
