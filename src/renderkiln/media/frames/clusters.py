"""What a reader takes for one character: a base with its marks, a conjunct, an emoji sequence."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from renderkiln.media.frames.fonts import INVISIBLE, Faces

MARKS_PER_CLUSTER = 4  # more than any language needs; keeps "zalgo" inside its line
EMOJI_PER_CLUSTER = 16  # code points; the longest in use is a kiss between two skin tones with ten
ZERO_WIDTH_JOINER = "\u200d"
TEXT_STYLE, EMOJI_STYLE = "\ufe0e", "\ufe0f"
_SARA_AM = "\u0e33\u0eb3"  # letters by category, parts of the preceding cluster by UAX #29
_SKIN_TONES = "\U0001f3fb-\U0001f3ff"
_TAGS = "\U000e0020-\U000e007f"  # they spell the flags of Scotland, Wales and England

# Emoji without being asked: the property Emoji_Presentation of UTS #51 below U+1F000, all above it.
_EMOJI = re.compile(
    "[\u231a\u231b\u23e9-\u23ec\u23f0\u23f3\u25fd\u25fe\u2614\u2615\u2648-\u2653\u267f\u2693\u26a1\u26aa\u26ab"
    "\u26bd\u26be\u26c4\u26c5\u26ce\u26d4\u26ea\u26f2\u26f3\u26f5\u26fa\u26fd\u2705\u270a\u270b\u2728\u274c\u274e"
    "\u2753-\u2755\u2757\u2795-\u2797\u27b0\u27bf\u2b1b\u2b1c\u2b50\u2b55\U0001f000-\U0001faff]"
)
_EMOJI_PARTS = re.compile(f"[{EMOJI_STYLE}\u20e3{_SKIN_TONES}]")  # \u20e3 is the key around a digit
_CONTINUES = re.compile(f"[{INVISIBLE}{_SARA_AM}{_SKIN_TONES}{_TAGS}]")
_SELECTORS = re.compile(f"[\ufe00-\ufe0f\U000e0100-\U000e01ef{_TAGS}]")


class Cluster(NamedTuple):
    """One of them; `emoji` says that it comes from the fonts of emoji."""

    text: str
    emoji: bool


def graphemes(text: str) -> Iterator[str]:
    """Split into clusters.

    Follows the rules of UAX #29 that titles need, without its tables for Hangul jamo and prepended marks.
    """
    cluster = ""
    for character in text:
        if cluster and not _continues(cluster, character):
            yield cluster
            cluster = ""
        cluster += character
    if cluster:
        yield cluster


def _continues(cluster: str, character: str) -> bool:
    last = cluster[-1]
    if unicodedata.category(character) in ("Mn", "Me", "Mc") or _CONTINUES.match(character):
        return True
    if last == ZERO_WIDTH_JOINER:
        return True
    if unicodedata.combining(last) == 9:  # virama: the next consonant joins
        return unicodedata.category(character) == "Lo"
    flags = [c for c in cluster if "\U0001f1e6" <= c <= "\U0001f1ff"]
    return len(flags) == len(cluster) == 1 and "\U0001f1e6" <= character <= "\U0001f1ff"


def clean(text: str) -> str:
    """NFC, one line, single spaces; without controls, surrogates and bidirectional overrides."""
    text = unicodedata.normalize("NFC", text.encode("utf-8", "ignore").decode())
    characters = []
    for character in text:
        category = unicodedata.category(character)
        if category in ("Cc", "Zs", "Zl", "Zp"):
            characters.append(" ")
        elif category != "Cf" or character in INVISIBLE or _SELECTORS.match(character):
            characters.append(character)
    return " ".join("".join(characters).split())


def drawable(text: str, opened: Faces, *, emoji: bool) -> tuple[tuple[Cluster, ...], tuple[str, ...]]:
    """The clusters that can be drawn, with single spaces, and the characters that were in the way.

    `emoji` says whether the fonts of emoji may be used.
    """
    kept: list[Cluster] = []
    missing: dict[str, None] = {}
    known: dict[str, tuple[Cluster, str]] = {}
    for grapheme in graphemes(clean(text)):
        if grapheme not in known:
            known[grapheme] = _drawn(grapheme, opened, emoji=emoji)
        cluster, lacking = known[grapheme]
        missing.update(dict.fromkeys(lacking))
        if cluster.text.strip() or (cluster.text and kept and kept[-1].text != " "):
            kept.append(cluster)
    if kept and kept[-1].text == " ":
        kept.pop()
    return tuple(kept), tuple(missing)


def _drawn(grapheme: str, opened: Faces, *, emoji: bool) -> tuple[Cluster, str]:
    """As much of it as one font can draw, and the rest."""
    plain = _SELECTORS.sub("", grapheme)
    if emoji and (_is_emoji(grapheme) or not opened.can_draw(plain)):
        sequence = grapheme[:EMOJI_PER_CLUSTER]
        if plain and opened.can_draw_emoji(_SELECTORS.sub("", sequence)):
            return Cluster(sequence, emoji=True), ""
    if unicodedata.combining(plain[-1:] or " "):
        plain = plain[: 1 + MARKS_PER_CLUSTER]
    end = next((end for end in range(len(plain), 0, -1) if opened.can_draw(plain[:end])), 0)
    shown = plain[:end] if plain[:end].strip(INVISIBLE) else ""
    return Cluster(shown, emoji=False), "".join(c for c in plain[end:] if c not in INVISIBLE)


def _is_emoji(grapheme: str) -> bool:
    if TEXT_STYLE in grapheme:
        return False
    return _EMOJI.match(grapheme) is not None or _EMOJI_PARTS.search(grapheme, 1) is not None


def is_right_to_left(clusters: Sequence[Cluster]) -> bool:
    """The direction of the first strong character: rules P2 and P3 of UAX #9."""
    for character in "".join(cluster.text for cluster in clusters):
        direction = unicodedata.bidirectional(character)
        if direction in ("L", "R", "AL"):
            return direction != "L"
    return False


def can_be_spaced(clusters: Sequence[Cluster]) -> bool:
    """Whether no script among them joins or stacks its letters."""
    return not any(
        unicodedata.bidirectional(character) == "AL" or unicodedata.category(character) == "Mc"
        for cluster in clusters
        for character in cluster.text
    )
