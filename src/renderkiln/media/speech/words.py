"""Where the words of a text are, in scripts with and without spaces."""

from __future__ import annotations

import re

# Kana and Chinese characters: written without spaces, and each nearly a word. Thai, Lao, Khmer and Burmese
# are written without spaces too, but only a dictionary could tell their words.
IDEOGRAPHS = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_WORD = re.compile(rf"[{IDEOGRAPHS}][^\w\s]*|[^\s{IDEOGRAPHS}]+")


def spans(text: str) -> list[tuple[int, int]]:
    """Start and end of each word with the punctuation that touches it; a Chinese character is one."""
    return [match.span() for match in _WORD.finditer(text)]
