from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from renderkiln.pipelines.delivery.naming import MAX_SLUG_BYTES, slug, stem, versioned


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Test Audio", "test_audio"),
        ("  Ночь на Лысой горе!! ", "ночь_на_лысой_горе"),
        ("夜に駆ける — YOASOBI", "夜に駆ける_yoasobi"),
        ("हिन्दी गीत", "हिन्दी_गीत"),
        ("../../etc/passwd", "etc_passwd"),
        ("a\nb\x1b[31m'\"$(rm)`", "a_b_31m_rm"),
        ("🔥🔥", "untitled"),
        ("", "untitled"),
        ("Straße", "strasse"),
    ],
)
def test_slug(name: str, expected: str) -> None:
    assert slug(name) == expected


@given(st.text(max_size=400))
def test_slug_is_always_a_safe_file_name(name: str) -> None:
    result = slug(name)
    assert 0 < len(result.encode()) <= MAX_SLUG_BYTES
    assert not set(result) & set("/\\\0\n\r\t .'\"$`")
    assert slug(result) == result


def test_the_name_carries_the_day_the_job_was_created() -> None:
    created = datetime(2026, 1, 27, 12, 0, tzinfo=UTC)
    assert (
        versioned(stem("Test Audio.mp3", "1080p", created), 1, ".mp4") == "20260127_test_audio_1080p_v1.mp4"
    )


def test_the_day_is_local() -> None:
    created = datetime(2026, 1, 27, 12, 0, tzinfo=timezone(timedelta(hours=5)))
    assert stem("a.mp3", "4k", created) == f"{created.astimezone():%Y%m%d}_a_4k"
