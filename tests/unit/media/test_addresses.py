from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from renderkiln.media.addresses import Forbidden, is_public, parse, shown


def outcome(text: str) -> str:
    """What a user is told of this URL."""
    try:
        return shown(parse(text))
    except Forbidden as error:
        return str(error)


@pytest.mark.parametrize(
    "address",
    [
        "8.8.8.8",
        "1.1.1.1",
        "100.63.255.255",  # just below carrier-grade NAT
        "100.128.0.0",  # just above it
        "172.15.255.255",
        "172.32.0.0",
        "168.63.129.15",
        "223.255.255.255",
        "2606:4700:4700::1111",
        "2001:4860:4860::8888",
        "2a00:1450:4001:81b::200e",
    ],
)
def test_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0",
        "0.1.2.3",
        "10.0.0.1",
        "100.64.0.1",  # carrier-grade NAT
        "100.100.100.200",  # a cloud's metadata
        "127.0.0.1",
        "127.255.255.254",
        "168.63.129.16",  # a cloud's platform service
        "169.254.169.254",  # a cloud's metadata
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.9",
        "192.0.2.1",
        "192.88.99.1",
        "192.168.1.1",
        "198.18.0.1",
        "198.51.100.1",
        "203.0.113.1",
        "224.0.0.1",
        "239.255.255.255",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::127.0.0.1",  # IPv4-compatible
        "::8.8.8.8",
        "::ffff:127.0.0.1",  # IPv4-mapped
        "::ffff:8.8.8.8",
        "64:ff9b::7f00:1",  # NAT64
        "64:ff9b::808:808",
        "64:ff9b:1::1",
        "100::1",  # discard
        "2001::1",  # Teredo
        "2001:1::1",  # of IETF protocols, which newer Pythons call global
        "2001:10::1",
        "2001:20::1",
        "2001:db8::1",
        "2002:7f00:1::1",  # 6to4
        "2002:808:808::1",
        "3fff::1",  # documentation
        "4000::1",  # not given out
        "5f00::1",  # segment routing
        "fc00::1",
        "fd00:ec2::254",  # a cloud's metadata
        "fe80::1",
        "fe80::1%eth0",
        "fec0::1",
        "ff02::1",
    ],
)
def test_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("http://example.com", "http://example.com"),
        ("HTTPS://Example.COM/A%20b?q=1#part", "https://example.com/A%20b?q=1"),
        ("https://example.com./a", "https://example.com/a"),
        ("https://bücher.example/ü", "https://xn--bcher-kva.example/%C3%BC"),
        ("http://example.com:8080/a b", "http://example.com:8080/a%20b"),
        ("http://93.184.215.14/", "http://93.184.215.14/"),
        ("http://[2606:4700::1111]:8443/", "http://[2606:4700::1111]:8443/"),
        ("http://127。0。0。1/", "http://127.0.0.1/"),  # so that the guard sees what it is
        ("http://localhost./", "http://localhost/"),
        ("https://my_bucket.example/", "https://my_bucket.example/"),
    ],
)
def test_meant(text: str, meant: str) -> None:
    assert str(parse(text)) == meant


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "http or https"),
        ("song.mp3", "http or https"),
        ("/etc/passwd", "http or https"),
        ("file:///etc/passwd", "http or https"),
        ("ftp://example.com/", "http or https"),
        ("gopher://example.com/", "http or https"),
        (" http://example.com/", "http or https"),
        ("//example.com/", "http or https"),
        ("http:///a", "names no server"),
        ("http:example.com", "names no server"),
        ("http://./", "names no server"),
        ("http://user@example.com/", "password"),
        ("http://user:secret@example.com/", "password"),
        ("http://example.com\\@127.0.0.1/", "password"),
        ("http://example.com%00@127.0.0.1/", "password"),
        ("http://2130706433/", "plainly"),  # 127.0.0.1 in decimal
        ("http://134744072/", "plainly"),  # 8.8.8.8: public, but who writes it so?
        ("http://0x7f000001/", "plainly"),
        ("http://0x7f.1/", "plainly"),
        ("http://127.1/", "plainly"),
        ("http://127.0.0.0x1/", "plainly"),
        ("http://example.1/", "plainly"),
        ("http://0177.0.0.1/", "not a URL"),  # octal
        ("http://1.2.3.256/", "not a URL"),
        ("http://１２７.0.0.1/", "not a URL"),  # full-width digits
        ("http://ⓛocalhost/", "not a URL"),
        ("http://%31%32%37.0.0.1/", "plainly"),
        ("http://exa mple.com/", "plainly"),
        ("http://example.com\\evil/", "plainly"),
        ("http://a..b/", "plainly"),
        (f"http://{'a' * 64}.com/", "plainly"),
        ("http://[fe80::1%25eth0]/", "plainly"),
        ("http://[::1/", "not a URL"),
        ("http://example.com/\r\nHost: evil", "not a URL"),
        ("http://example.com/\0", "not a URL"),
        ("http://example.com/\ud800", "not a URL"),
        ("http://example.com:22/", "port 22"),
        ("http://example.com:25/", "port 25"),
        ("http://example.com:0/", "port 0"),
        ("http://example.com:-1/", "port -1"),
        ("http://example.com:65536/", "port 65536"),
        ("http://example.com:http/", "not a URL"),
        (f"http://example.com/{'a' * 9000}", "too long"),
    ],
)
def test_refused(text: str, reason: str) -> None:
    with pytest.raises(Forbidden, match=reason):
        parse(text)


@pytest.mark.parametrize(
    "text",
    [
        "https://example.com/a?token=SECRET#SECRET",
        "http://user:SECRET@example.com/",
        "http://user:a?SECRET@example.com/",
        "http://user:a/SECRET@example.com/",
        "http://user:a\nSECRET@example.com/",
        "nonsense://SECRET@example.com?SECRET",
    ],
)
def test_messages_keep_secrets(text: str) -> None:
    assert "SECRET" not in shown(text)
    assert "SECRET" not in outcome(text)


def test_messages_show_where() -> None:
    assert shown(parse("https://Example.com:8443/a%0Ab?q=1")) == "'https://example.com:8443/a%0Ab?…'"
    assert shown("http://a\n\x1b[2J") == r"'http://a\n\x1b[2J'"
    assert len(shown(parse(f"https://example.com/{'a' * 5000}"))) < 130


@given(st.one_of(st.text(), st.text().map("http://{}".format), st.from_regex(r"https?://[^/]{0,20}/.{0,9}")))
@example("http://x:٣/")
def test_hostile_text_is_a_plain_url_or_forbidden(text: str) -> None:
    assert outcome(text).isprintable()
    with suppress(Forbidden):
        url = parse(text)
        assert url.scheme in ("http", "https")
        assert str(url).isascii()
        assert parse(str(url)) == url
