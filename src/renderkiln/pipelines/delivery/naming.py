"""Names of finished files: `YYYYMMDD_slug_format_vN`."""

from __future__ import annotations

import unicodedata
from datetime import datetime
from pathlib import Path

MAX_SLUG_BYTES = 120  # file systems allow 255 bytes a name; date, format, version and side files need room
_KEPT = "LMN"  # letters, marks and numbers of every script: without its marks Thai or Hindi loses its vowels


def slug(name: str) -> str:
    """A name for files: lower-case letters and digits of any script, words joined by `_`.

    Never empty, never more than `MAX_SLUG_BYTES` bytes of UTF-8, no separator or control character.
    """
    folded = unicodedata.normalize("NFKC", name).casefold()
    kept = "".join(char if unicodedata.category(char)[0] in _KEPT else " " for char in folded)
    joined = unicodedata.normalize("NFC", "_".join(kept.split()))
    short = joined.encode()[:MAX_SLUG_BYTES].decode(errors="ignore").strip("_")
    return short or "untitled"


def stem(source_name: str, format_name: str, created_at: datetime) -> str:
    """`Test Audio.mp3`, `1080p`, 27 January 2026 → `20260127_test_audio_1080p`.

    The date is the day the job was created, in the local time zone, so a retry after midnight keeps it.
    """
    day = created_at.astimezone().strftime("%Y%m%d")
    return f"{day}_{slug(Path(source_name).stem)}_{slug(format_name)}"


def versioned(base: str, version: int, suffix: str) -> str:
    """`20260127_test_audio_1080p`, 2, `.mp4` → `20260127_test_audio_1080p_v2.mp4`."""
    return f"{base}_v{version}{suffix}"
