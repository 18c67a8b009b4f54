"""What lies over every frame of a film: the title card."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from renderkiln.media.frames.canvas import Canvas, Frame
from renderkiln.media.frames.equirect import panel
from renderkiln.media.frames.image import decode_image
from renderkiln.media.frames.patch import Patch
from renderkiln.media.frames.title import Card, draw_card, set_card

SAFE = 0.05  # margin of the picture's width and height
SCREEN_DEG, CARD_DEG = 58, 56  # in 360°: angle that counts as a screen's height, and the widest card
PANEL_METRES, PANEL_ELEVATION_DEG = 1.5, -24
FADE_IN_AT, FADE_IN = 0.5, 1.0  # seconds
CALM_AT, CALM = 9.0, 3.0
QUIET = 0.78


@dataclass(frozen=True)
class Overlay:
    """Pictures over the frames, and the characters that no font could draw (for a warning)."""

    patches: tuple[Patch, ...]
    missing: tuple[str, ...] = ()

    def blend(self, frame: Frame, opacity: float) -> None:
        """Draw over `frame`; touches only the patches' rectangles."""
        if opacity > 0:
            for patch in self.patches:
                patch.blend(frame, opacity)

    def opacity_at(self, seconds: float, duration: float) -> float:
        """How visible it is: fades in at half a second, calms down to QUIET once it has been read.

        Films shorter than four seconds run through the fade proportionally faster.
        """
        hurry = min(1.0, duration / 4) or 1.0
        appears = _ease((seconds / hurry - FADE_IN_AT) / FADE_IN)
        calms = _ease((seconds / hurry - CALM_AT) / CALM)
        return appears * (1 - (1 - QUIET) * calms)


def title_card(
    canvas: Canvas,
    title: str | None,
    artist: str | None,
    cover: bytes | None = None,
    *,
    fonts: Sequence[Path] = (),
) -> Overlay | None:
    """A lower third for this canvas, or None if there is nothing to show.

    In 360° it is a panel ahead of the viewer, with depth. `cover` is an image file's content, `fonts` are the
    user's font files. Right-to-left titles stand on the right. Raises `Unreadable` or `Unsuitable` for a
    cover or font that cannot be used.
    """
    if not title and not artist and cover is None:
        return None
    picture = None if cover is None else decode_image(cover, "cover image")
    if canvas.projection == "flat":
        unit, room = min(canvas.width, canvas.height), canvas.width * (1 - 2 * SAFE)
    else:
        unit, room = round(SCREEN_DEG / 360 * canvas.width), CARD_DEG / 360 * canvas.width
    card = set_card(title or "", artist or "", picture, unit, room, fonts)
    if not card.width:
        return Overlay((), card.missing)
    patches = (_lower_third(card, canvas),) if canvas.projection == "flat" else _panel(card, canvas)
    return Overlay(patches, card.missing)


def _lower_third(card: Card, canvas: Canvas) -> Patch:
    """The card with the soft edges around it, cut to the canvas."""
    margin = canvas.width * SAFE
    x = round(canvas.width - margin - card.width if card.mirrored else margin)
    y = round(canvas.height * (1 - SAFE) - card.height)
    bleed = card.bleed
    pixels = draw_card(card)
    left, top = max(bleed - x, 0), max(bleed - y, 0)
    right = min(pixels.shape[1], canvas.width - x + bleed)
    bottom = min(pixels.shape[0], canvas.height - y + bleed)
    return Patch.from_rgba(pixels[top:bottom, left:right], x - bleed + left, y - bleed + top)


def _panel(card: Card, canvas: Canvas) -> tuple[Patch, ...]:
    """The card in front of the viewer, bent around them, nearer than anything the templates draw."""
    pixels = draw_card(card)
    height, width = pixels.shape[:2]
    place = panel(
        canvas,
        width / height,
        width_deg=width / canvas.width * 360,
        radius=PANEL_METRES,
        elevation_deg=PANEL_ELEVATION_DEG,
    )
    return tuple(Patch.from_rgba(view.project(pixels), view.x, view.y) for view in place.views)


def _ease(x: float) -> float:
    x = min(max(x, 0.0), 1.0)
    return x * x * (3 - 2 * x)
