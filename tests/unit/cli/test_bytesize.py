from __future__ import annotations

import click
import pytest

from renderkiln.cli.bytesize import ByteSize


@pytest.mark.parametrize(
    ("text", "is_"),
    [
        ("8000000", 8_000_000),
        ("8MB", 8_000_000),
        ("8 mb", 8_000_000),
        ("500k", 500_000),
        ("2.5MiB", 2_621_440),
        ("1Gi", 2**30),
        ("12B", 12),
    ],
)
def test_a_size_is_read_as_people_write_it(text: str, is_: int) -> None:
    assert ByteSize().convert(text, None, None) == is_


@pytest.mark.parametrize("text", ["", "MB", "8iB", "-8MB", "8TB", "1e6", "8 M B", "9" * 20, "NaN", "٨MB"])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(click.BadParameter, match="write 8MB, 500kB"):
        ByteSize().convert(text, None, None)


def test_what_is_too_small_is_refused() -> None:
    assert ByteSize(least=1000).convert("1k", None, None) == 1000
    with pytest.raises(click.BadParameter, match="'999' is too small: 1,000 bytes are the least"):
        ByteSize(least=1000).convert("999", None, None)
