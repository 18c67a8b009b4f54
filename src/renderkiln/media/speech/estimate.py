"""How long a script will take to speak, before anyone speaks it."""

from __future__ import annotations

import re

from renderkiln.media.speech.script import Passage, Pause, parse
from renderkiln.media.speech.sentences import sentences

# Seconds for each, measured with eSpeak NG at 160 words a minute, which is about how fast all providers speak
_SECONDS = tuple(
    (re.compile(pattern), seconds)
    for pattern, seconds in (
        (r"[^\W\d\u0590-\u1fff\u2e80-\U0003ffff]|[\u0370-\u03ff\u1e00-\u1fff]", 0.064),  # alphabets
        ("[\u0590-\u08ff]", 0.1),  # Hebrew, Arabic: vowels are spoken, not written
        ("[\u0900-\u0dff\u1000-\u109f\u1780-\u17ff]", 0.085),  # of India and its east; vowel signs count
        ("[\u0e00-\u0eff]", 0.115),  # Thai, Lao
        ("[\u3040-\u30ff]", 0.13),  # kana
        ("[\uac00-\ud7af]", 0.2),  # Korean syllables
        ("[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]", 0.31),  # Chinese characters
        (r"\d", 0.38),
        ("[.,;:!?…。、，；：！？।؟،](?!\\d)|[—–]", 0.2),
        ("[%&+=@€$£¥§°\u2600-\u27bf\U0001f000-\U0001faff]", 0.4),  # named, as emoji are
    )
)


def estimate_seconds(script: str, speed: float = 1.0) -> float:
    """Seconds of speech and pauses, mostly within a quarter of the truth. Raises BadScript as `parse`."""
    items = parse(script)
    pauses = sum(item.seconds for item in items if isinstance(item, Pause))
    return pauses + sum(spoken_seconds(item.text) for item in items if isinstance(item, Passage)) / speed


def beginning(script: str, seconds: float, speed: float = 1.0) -> str:
    """What of a script is spoken in its first `seconds`, whole sentences and one at least; without chapters.

    Raises BadScript as `parse`.
    """
    said, rest, left = "", "", seconds
    for item in parse(script):
        if isinstance(item, Pause) and said:
            rest, left = f"[pause {item.seconds:g}s] ", left - item.seconds
        for sentence in sentences(item.text) if isinstance(item, Passage) else ():
            left -= spoken_seconds(sentence) / speed
            if said and left < 0:
                return said
            said, rest = f"{said} {rest}{sentence}".strip(), ""
    return said


def spoken_seconds(text: str) -> float:
    """Seconds of speech of plain text at normal speed."""
    return sum(seconds * len(kind.findall(text)) for kind, seconds in _SECONDS)
