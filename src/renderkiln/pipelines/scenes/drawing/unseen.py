"""What will not be seen of a film as its author wrote it: told before it is drawn."""

from __future__ import annotations

import math
from collections.abc import Iterator

from renderkiln.media.frames.lettering import Lettering, Look
from renderkiln.pipelines.scenes.document.layers import (
    AnyLayer,
    CaptionsLayer,
    ImageLayer,
    TextLayer,
    VideoLayer,
)
from renderkiln.pipelines.scenes.drawing.captions import set_cue
from renderkiln.pipelines.scenes.drawing.scene import cues_of
from renderkiln.pipelines.scenes.drawing.still import placed
from renderkiln.pipelines.scenes.drawing.studio import Studio
from renderkiln.pipelines.scenes.drawing.text import set_text
from renderkiln.pipelines.scenes.timeline import Span, Timeline

_LEEWAY = 2.0  # pixels: places are rounded


def unseen(timeline: Timeline, studio: Studio) -> Iterator[str]:
    """In words, with the scene and the layer: letters without a glyph, and texts that are cut off.

    Raises Unreadable for a font that is none.
    """
    for span in timeline.spans:
        for number, layer in enumerate(span.scene.layers):
            for what in dict.fromkeys(_of(layer, span, studio)):
                yield f"The scene {span.id}, layers[{number}]: {what}"


def _of(layer: AnyLayer, span: Span, studio: Studio) -> Iterator[str]:
    match layer:
        case TextLayer():
            yield from _text(layer.text, *set_text(layer, studio), layer, studio)
        case CaptionsLayer():
            for cue in cues_of(layer, span, studio):
                yield from _text(cue.text, *set_cue(cue, layer, studio), layer, studio)
        case VideoLayer() if layer.rotation % 360:
            yield "clips are not turned"
        case ImageLayer() if layer.ken_burns is not None and layer.rotation % 360:
            yield "pictures that drift are not turned"


def _text(
    text: str, setting: Lettering, look: Look, layer: TextLayer | CaptionsLayer, studio: Studio
) -> Iterator[str]:
    if setting.missing:
        yield f"no font draws {' '.join(setting.missing)}, which is left out"
    beginning = repr(text if len(text) <= 40 else f"{text[:40]}…")
    if setting.shortened:
        yield f"{beginning} does not fit and is cut off: give it more room, or a smaller min_size"
    elif _is_beyond(setting, look, layer, studio):
        yield f"{beginning} reaches beyond the frame"


def _is_beyond(setting: Lettering, look: Look, layer: TextLayer | CaptionsLayer, studio: Studio) -> bool:
    """Whether any corner of it, at rest, lies outside of the frame."""
    padding = look.box.padding if look.box else 0.0
    width, height = setting.width + 2 * padding, setting.height + 2 * padding
    x, y = placed(layer, width, height, studio)
    turn = math.radians(layer.rotation)
    cosine, sine = abs(math.cos(turn)), abs(math.sin(turn))
    across, down = (width * cosine + height * sine) / 2, (width * sine + height * cosine) / 2
    middle, centre = x + width / 2, y + height / 2
    canvas = studio.canvas
    return (
        min(middle - across, centre - down) < -_LEEWAY
        or middle + across > canvas.width + _LEEWAY
        or centre + down > canvas.height + _LEEWAY
    )
