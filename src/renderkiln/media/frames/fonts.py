"""The fonts that text is set in: the user's own files first, then the bundled ones.

The system's fonts are never consulted: the same text looks the same on every machine.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import fontpkg  # it ships no types
import noto_cjk_sans_jp_regular
import skia

from renderkiln.media.errors import Unreadable

BUNDLED = ("Inter", "Noto Sans", "Noto Sans Arabic", "Noto Sans Devanagari", "Noto Sans Thai")


def font_files(own: Sequence[Path] = ()) -> tuple[Path, ...]:
    """The font files in the order they are tried for a character; `own` are the user's."""
    bundled = [Path(fontpkg.path(family)) for family in BUNDLED]
    cjk = Path(str(noto_cjk_sans_jp_regular.FONT_PATH))
    return (*own, *bundled, cjk)


def font_fingerprint(own: Sequence[Path] = ()) -> str:
    """A hash of the contents of all font files, in their order: other fonts, other pictures.

    Raises `Unreadable` if a file cannot be read.
    """
    return _fingerprint(font_files(own))


@dataclass(frozen=True)
class Faces:
    """The typefaces of all files at one weight, ready for a paragraph."""

    families: tuple[str, ...]
    collection: skia.textlayout.FontCollection
    typefaces: tuple[skia.Typeface, ...]

    def can_draw(self, character: str) -> bool:
        """Whether any of the fonts has a glyph for it."""
        return any(face.unicharToGlyph(ord(character)) for face in self.typefaces)


@lru_cache(maxsize=16)
def faces(files: tuple[Path, ...], weight: int, optical_size: float) -> Faces:
    """Open the files at a weight (100–900) and an optical size in points, as far as they have these axes.

    Raises `Unreadable` for a file that is not a font.
    """
    provider = skia.textlayout.TypefaceFontProvider()
    typefaces = tuple(_variation(_typeface(path), weight, optical_size) for path in files)
    for typeface in typefaces:
        provider.registerTypeface(typeface)
    collection = skia.textlayout.FontCollection()
    collection.setDefaultFontManager(provider)
    families = tuple(dict.fromkeys(typeface.getFamilyName() for typeface in typefaces))
    return Faces(families, collection, typefaces)


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
