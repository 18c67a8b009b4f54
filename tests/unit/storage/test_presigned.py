"""Signed URLs and ETags of S3, compared with what AWS documents."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime

import pytest

from renderkiln.storage.bucket import Bucket
from renderkiln.storage.etag import ETag
from renderkiln.storage.presigned import presigned


def test_the_example_of_aws() -> None:
    """From "Authenticating Requests: Using Query Parameters (AWS Signature Version 4)"."""
    bucket = Bucket(
        "examplebucket",
        "AKIAIOSFODNN7EXAMPLE",
        "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        endpoint="https://s3.amazonaws.com",
        path_style=False,
    )
    url = presigned(bucket, "test.txt", seconds=86400, now=datetime(2013, 5, 24, tzinfo=UTC))
    assert url == (
        "https://examplebucket.s3.amazonaws.com/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256"
        "&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request"
        "&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host"
        "&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"
    )


@pytest.mark.parametrize("size", [0, 1, 9, 10, 11, 20, 25])
@pytest.mark.parametrize("step", [1, 3, 10, 100])
def test_etags_of_parts(size: int, step: int) -> None:
    content = bytes(range(size))
    etag = ETag(10)
    for start in range(0, size, step):
        etag.add(content[start : start + step])
    parts = [hashlib.md5(content[at : at + 10]).digest() for at in range(0, size, 10)]
    assert etag.value == f'"{hashlib.md5(b"".join(parts)).hexdigest()}-{len(parts)}"'


def test_the_etag_of_a_whole() -> None:
    etag = ETag(None)
    for each in (b"hel", b"", b"lo"):
        etag.add(each)
    assert etag.value == '"5d41402abc4b2a76b9719d911017c592"'
