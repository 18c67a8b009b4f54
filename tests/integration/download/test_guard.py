"""Where downloads do not go, whatever the URL, the name server or a redirect says."""

from __future__ import annotations

from pathlib import Path

import pytest

from renderkiln.media.download import Forbidden, Missing, Unreachable, download

from .conftest import CERTIFICATE, PUBLIC, Get, Server

pytestmark = pytest.mark.integration

Names = dict[str, list[list[str]]]
Tried = list[tuple[str, int]]


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost",
        "localhost.",
        "0.0.0.0",
        "10.0.0.1",
        "169.254.169.254",
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "[fe80::1]",
        "127。0。0。1",
        "2130706433",
        "0x7f000001",
        "017700000001",
        "0177.0.0.1",
        "127.1",
    ],
)
def test_private_addresses_however_spelled(host: str, internet: Tried, server: Server, cache: Path) -> None:
    with pytest.raises(Forbidden):
        download(f"http://{host}:{server.port}/", cache=cache, largest=100)
    assert internet == []


@pytest.mark.parametrize("private", ["127.0.0.1", "169.254.169.254", "::1", "100.64.0.1", "::ffff:10.0.0.1"])
def test_one_private_address_among_public_ones(
    private: str, names: Names, internet: Tried, cache: Path
) -> None:
    names["mixed.test"] = [[PUBLIC, "2606:4700:4700::1111", "1.1.1.1", "1.0.0.1", "8.8.8.8", private]]
    with pytest.raises(Forbidden, match=r"'mixed\.test' is not on the public internet"):
        download("http://mixed.test/", cache=cache, largest=100)
    assert internet == []


def test_rebinding(names: Names, internet: Tried, server: Server, cache: Path) -> None:
    """The name server says a public address to who checks, and would say a private one to who connects."""
    server.says("/", 200, b"public")
    names["rebind.test"] = [[PUBLIC], ["127.0.0.1"]]
    assert download("http://rebind.test/", cache=cache, largest=100).size == 6
    assert internet == [(PUBLIC, 80)]
    assert names["rebind.test"] == [["127.0.0.1"]]  # nobody asked again


def test_rebinding_between_redirects(names: Names, internet: Tried, server: Server, cache: Path) -> None:
    names["rebind.test"] = [[PUBLIC], ["127.0.0.1"]]
    server.says("/", 302, location="/secret")
    with pytest.raises(Forbidden):
        download("http://rebind.test/", cache=cache, largest=100)
    assert internet == [(PUBLIC, 80)]


@pytest.mark.parametrize(
    "location",
    [
        "http://127.0.0.1:8000/",
        "http://private.test/",
        "//private.test/",
        "http://[::ffff:169.254.169.254]/latest/meta-data/",
        "http://2130706433/",
        "file:///etc/passwd",
        "gopher://example.com/",
        "http://user:secret@public.test/",
        "http://public.test:25/",
        "http://[",
        "http://\\x00/",
    ],
)
def test_redirects_to_where_we_do_not_go(
    location: str, names: Names, internet: Tried, server: Server, cache: Path
) -> None:
    names["public.test"] = [[PUBLIC], [PUBLIC]]
    names["private.test"] = [["10.0.0.1"]]
    server.says("/", 302, location=location)
    with pytest.raises(Forbidden) as caught:
        download("http://public.test/", cache=cache, largest=100)
    assert internet == [(PUBLIC, 80)]
    assert "secret" not in str(caught.value)


def test_redirects_are_followed(server: Server, get: Get) -> None:
    server.says("/end.bin", 200, b"here")
    for hop, status in enumerate((301, 302, 303, 307, 308)):
        server.says(f"/{hop}", status, location=f"/{hop + 1}" if hop < 4 else "end.bin?sig=1#part")
    assert get(server.url("/0")).name == "end.bin"
    assert [path for path, _ in server.seen] == ["/0", "/1", "/2", "/3", "/4", "/end.bin?sig=1"]


def test_redirects_in_a_circle(server: Server, get: Get) -> None:
    url = server.says("/", 302, location="/")
    with pytest.raises(Missing, match="redirects more than 5 times"):
        get(url)
    assert len(server.seen) == 6


def test_every_address_of_a_name_is_tried(names: Names, server: Server, get: Get) -> None:
    server.says("/", 200, b"here")
    names["some.test"] = [["127.0.0.2", "::1", "127.0.0.1"]]
    assert get(server.url("/", "some.test")).size == 4
    assert server.seen[0][1]["Host"] == f"some.test:{server.port}"


def test_ipv6(get: Get) -> None:
    try:
        server = Server("::1")
    except OSError:
        pytest.skip("this machine has no IPv6")
    server.says("/", 200, b"here")
    assert get(server.url("/", "[::1]")).size == 4
    assert server.seen[0][1]["Host"] == f"[::1]:{server.port}"
    server.close()


def test_proxies_of_the_environment_are_ignored(
    server: Server, get: Get, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert get(server.says("/", 200, b"here")).size == 4


def test_nothing_secret_is_sent(server: Server, get: Get) -> None:
    get(server.says("/", 200, b"here"))
    assert set(server.seen[0][1]) == {"Host", "User-Agent", "Accept-Encoding"}


def test_self_signed_certificate(tls_server: tuple[Server, list[str | None]], names: Names, get: Get) -> None:
    server, _ = tls_server
    names["media.test"] = [["127.0.0.1"]]
    with pytest.raises(
        Unreachable, match=r"certificate of its server cannot be trusted \(self-signed"
    ) as caught:
        get(server.url("/", "media.test"))
    assert not caught.value.temporary
    assert server.seen == []


def test_certificate_is_compared_with_the_name(
    tls_server: tuple[Server, list[str | None]], names: Names, get: Get, monkeypatch: pytest.MonkeyPatch
) -> None:
    server, asked = tls_server
    server.says("/", 200, b"here")
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
    names["media.test"] = names["other.test"] = [["127.0.0.1"], ["127.0.0.1"]]
    assert get(server.url("/", "media.test")).size == 4
    with pytest.raises(Unreachable, match=r"Hostname mismatch.*'other\.test'"):
        get(server.url("/", "other.test"))
    assert asked == ["media.test", "other.test"]


def test_no_way_back_from_https_to_http(
    tls_server: tuple[Server, list[str | None]],
    server: Server,
    names: Names,
    get: Get,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    secure, _ = tls_server
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
    names["media.test"] = [["127.0.0.1"], ["127.0.0.1"]]
    server.says("/", 302, location=secure.url("/up", "media.test"))
    secure.says("/up", 302, location=server.url("/down"))
    with pytest.raises(Forbidden, match="from https to"):
        get(server.url("/"))
    assert [path for path, _ in server.seen + secure.seen] == ["/", "/up"]


def test_https_from_a_server_that_speaks_http(server: Server, get: Get) -> None:
    with pytest.raises(Unreachable, match="no secure connection") as caught:
        get(server.url("/").replace("http:", "https:"))
    assert not caught.value.temporary
