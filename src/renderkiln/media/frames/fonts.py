"""The fonts that text is set in: the user's own files first, then the bundled ones.

The system's fonts are never consulted: the same text looks the same on every machine.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from importlib.util import find_spec
from pathlib import Path

import fontpkg  # it ships no types
import noto_cjk_sans_jp_regular
import skia

from renderkiln.media.errors import Unreadable

BUNDLED = ("Inter", "Noto Sans", "Noto Sans Arabic", "Noto Sans Devanagari", "Noto Sans Thai")
# Of each: NotoSans<name>[wght].ttf
MORE = (
    *("Hebrew", "Armenian", "Bengali", "Ethiopic", "Georgian", "Gujarati", "Gurmukhi", "Kannada", "Khmer"),
    *("Lao", "Malayalam", "Myanmar", "Oriya", "Sinhala", "Tamil", "Telugu", "Symbols"),
)
OPTICAL_SIZES = (14.0, 32.0)  # Inter's axis: sturdy small text, fine large text
COLOR_TABLES = frozenset(int.from_bytes(tag, "big") for tag in (b"COLR", b"CBDT", b"sbix"))
INVISIBLE = "\u200c\u200d"  # joiners: they need no glyph


def font_files(own: Sequence[Path] = ()) -> tuple[Path, ...]:
    """The font files in the order they are tried for a character; `own` are the user's."""
    return (*own, *_bundled())


def font_fingerprint(own: Sequence[Path] = ()) -> str:
    """A hash of the contents of all font files, in their order: other fonts, other pictures.

    Raises `Unreadable` if a file cannot be read.
    """
    return _fingerprint(font_files(own))


@dataclass(frozen=True, eq=False)
class Faces:
    """The typefaces of all files at one weight, ready for a paragraph: those of letters, those of emoji."""

    collection: skia.textlayout.FontCollection
    typefaces: tuple[skia.Typeface, ...]
    emoji_typefaces: tuple[skia.Typeface, ...]

    @cached_property
    def families(self) -> list[skia.String]:
        """For letters, in the order they are tried."""
        return _families(self.typefaces)

    @cached_property
    def emoji_families(self) -> list[skia.String]:
        """For emoji, in the order they are tried."""
        return _families((*self.emoji_typefaces, *self.typefaces))

    def can_draw(self, cluster: str) -> bool:
        """Whether one of the fonts of letters has glyphs for all its characters."""
        return _can_draw(self.typefaces, cluster)

    def can_draw_emoji(self, cluster: str) -> bool:
        """Whether one of the fonts of emoji has glyphs for all its characters."""
        return _can_draw(self.emoji_typefaces, cluster)


def faces_for(size: float, weight: int, own: Sequence[Path] = ()) -> Faces:
    """The faces for letters of `size` pixels at a weight from 100 to 900.

    Raises `Unreadable` for a file that is not a font.
    """
    return _faces(font_files(own), weight, OPTICAL_SIZES[size >= 24])


@lru_cache(maxsize=16)
def _faces(files: tuple[Path, ...], weight: int, optical_size: float) -> Faces:
    """Open the files at a weight and an optical size in points, as far as they have these axes."""
    provider = skia.textlayout.TypefaceFontProvider()
    typefaces = tuple(_variation(_typeface(path), weight, optical_size) for path in files)
    for typeface in typefaces:
        provider.registerTypeface(typeface)
    collection = skia.textlayout.FontCollection()
    collection.setDefaultFontManager(provider)
    emoji = tuple(face for face in typefaces if not COLOR_TABLES.isdisjoint(face.getTableTags()))
    letters = tuple(face for face in typefaces if face not in emoji or face.unicharToGlyph(ord("A")))
    return Faces(collection, letters, emoji)


@cache
def _bundled() -> tuple[Path, ...]:
    cjk = Path(str(noto_cjk_sans_jp_regular.FONT_PATH))
    more = [_within("manimgx_fonts", f"NotoSans{name}[wght].ttf") for name in MORE]
    emoji = _within("dynamic_font", "assets/fonts/NotoColorEmoji-Regular.ttf")
    return (*(Path(fontpkg.path(family)) for family in BUNDLED), cjk, *more, emoji)


def _within(package: str, name: str) -> Path:
    """A file of an installed package, which is not imported: it holds more than fonts."""
    found = find_spec(package)
    folders = (found.submodule_search_locations if found else None) or [package]
    return Path(folders[0]) / name


def _families(typefaces: Sequence[skia.Typeface]) -> list[skia.String]:
    names = dict.fromkeys(typeface.getFamilyName() for typeface in typefaces)
    return [skia.String(name) for name in names]


def _can_draw(typefaces: Sequence[skia.Typeface], cluster: str) -> bool:
    wanted = [ord(character) for character in cluster if character not in INVISIBLE]
    return any(all(face.unicharToGlyph(code) for code in wanted) for face in typefaces)


def _typeface(path: Path) -> skia.Typeface:
    typeface = skia.FontMgr.New_Custom_Empty().makeFromFile(str(path))
    if typeface is None:
        raise Unreadable(f"{path}: not a readable font file; use a TrueType or OpenType font")
    return typeface


def _variation(typeface: skia.Typeface, weight: int, optical_size: float) -> skia.Typeface:
    wanted = {"wght": float(weight), "opsz": optical_size}
    axes = {axis.tag: axis for axis in typeface.getVariationDesignParameters()}
    coordinates = skia.FontArguments.VariationPosition.Coordinates()
    for name, value in wanted.items():
        tag = int.from_bytes(name.encode(), "big")
        if axis := axes.get(tag):
            place = min(max(value, axis.min), axis.max)
            coordinates.append(skia.FontArguments.VariationPosition.Coordinate(tag, place))
    if not coordinates:
        return typeface
    # Skia keeps pointers into these two: they must outlive the call.
    position = skia.FontArguments.VariationPosition(coordinates)
    arguments = skia.FontArguments()
    arguments.setVariationDesignPosition(position)
    return typeface.makeClone(arguments)


@lru_cache(maxsize=8)
def _fingerprint(files: tuple[Path, ...]) -> str:
    digest = hashlib.sha256()
    for path in files:
        try:
            digest.update(hashlib.sha256(path.read_bytes()).digest())
        except OSError as error:
            raise Unreadable(f"{path}: cannot read this font file: {error.strerror}") from None
    return digest.hexdigest()
