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
from renderkiln.pipelines.scenes.drawing.still import placed, room
from renderkiln.pipelines.scenes.drawing.studio import Studio
from renderkiln.pipelines.scenes.drawing.text import set_text
from renderkiln.pipelines.scenes.timeline import Span, Timeline

_CRAMPED = 0.25  # of the room that it has where it is not moved
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
        case VideoLayer():
            yield from _cramped(layer, studio)
            if layer.rotation % 360:
                yield "clips are not turned"
            survey = studio.found[layer.file].survey
            if survey is not None and survey.transparent:
                yield "the transparency of clips is not used: it is drawn over all that lies behind it"
        case ImageLayer():
            yield from _cramped(layer, studio)
            if layer.ken_burns is not None and layer.rotation % 360:
                yield "pictures that drift are not turned"


def _cramped(layer: ImageLayer | VideoLayer, studio: Studio) -> Iterator[str]:
    """Without a size it is made to fit between its place and the edges, where little may be left."""
    if layer.width is not None or layer.height is not None:
        return
    there, all_of_it = room(layer, studio), room(layer.model_copy(update={"x": 0, "y": 0}), studio)
    if min(some / every for some, every in zip(there, all_of_it, strict=True)) < _CRAMPED:
        yield "x and y leave it little room, so that it is made very small: give it a width or height"


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
