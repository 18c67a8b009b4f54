"""Text that people chose and that is shown on one line: the name of a song, a key, a project.

`str.isprintable` is narrower than people are: to it, the wide space of Japanese names, the joiner in an emoji
of several, and every emoji that is younger than this Python cannot be printed.
"""

from __future__ import annotations

import re

# Control characters, separators of lines, and what turns the direction of text and so makes a name look like
# another one.
_WRONG = r"\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069"
_HALVES = r"\ud800-\udfff"  # of characters: what a file's name may have that is no UTF-8
_NONE = re.compile(f"[{_WRONG}{_HALVES}]")

PATTERN = f"^[^{_WRONG}]*$"  # what it is to a JSON schema


def is_printable(text: str) -> bool:
    """Whether all of it can be shown on one line."""
    return _NONE.search(text) is None


def printable(text: str, instead: str = "_") -> str:
    """The text with `instead` in the place of each character that cannot."""
    return _NONE.sub(instead, text)
