"""What parts of a project call each other by name, and whether all of it goes together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain, islice
from typing import Any

from renderkiln.domain.errors import UsageError
from renderkiln.domain.nearest import nearest
from renderkiln.media.frames.colorcode import NAMED, parse_color
from renderkiln.media.speech.script import BadScript, parse
from renderkiln.pipelines.scenes.document.background import Gradient
from renderkiln.pipelines.scenes.document.layers import AnyLayer, CaptionsLayer, TextLayer, WaveformLayer
from renderkiln.pipelines.scenes.document.mistakes import Found, Mistake, Where, path_of, quoted
from renderkiln.pipelines.scenes.document.pieces import pieces
from renderkiln.pipelines.scenes.document.project import Brand, Project, Scene
from renderkiln.pipelines.scenes.document.style import PLAIN, STYLES, TextStyle
from renderkiln.pipelines.scenes.document.times import wrong_times

_COLORS = ("color", "track")  # fields that hold one


def check_references(project: Project, document: Any = None) -> list[Mistake]:
    """What is wrong between the parts of a project, in plain words; no file is looked at.

    `document` is the JSON it was written as, so that paths are those that its author knows. A thousand
    mistakes are enough for anybody.
    """
    written = project if document is None else document
    found = chain(_names(project), _ids(project), _sources(project), _spoken(project), wrong_times(project))
    return [Mistake(path_of(where, written), message) for where, message in islice(found, 1000)]


def check_scenes(project: Project, ids: Iterable[str]) -> list[Mistake]:
    """Ids that were asked for and that no scene of the project has."""
    known = dict.fromkeys(project.ids)
    return [
        Mistake("", f"there is no scene {quoted(id)}; {nearest(id, known)}")
        for id in dict.fromkeys(ids)
        if id not in known
    ]


def color_of(color: str, brand: Brand) -> tuple[int, int, int, int]:
    """A colour of the document as sRGB with straight alpha, each 0 … 255; the brand's names count most.

    Raises UsageError for an unknown name, and for names that lead back to themselves.
    """
    way = [color]
    while (name := way[-1]) in brand.colors:
        way.append(brand.colors[name])
        if way[-1] in way[:-1]:
            raise UsageError(f"the colour leads back to itself: {' → '.join(way)}")
    if not name.startswith("#") and name not in NAMED:
        raise UsageError(_unknown("colour", name, (*brand.colors, *NAMED)))
    return parse_color(name)


def style_of(name: str, own: TextStyle, brand: Brand) -> TextStyle:
    """How a text looks: what it says itself, over the brand's style of that name, over the built-in one.

    What none of them says is as in `PLAIN`; font, min_size, shadow, stroke and box may still be None.
    """
    look: dict[str, Any] = {}
    for style in (PLAIN, STYLES.get(name), brand.styles.get(name), own):
        if style is not None:
            given = ((field, getattr(style, field)) for field in TextStyle.model_fields)
            look |= {field: value for field, value in given if value is not None}
    return TextStyle.model_construct(**look)


def _names(project: Project) -> Found:
    """Colours, fonts and styles that are named and are not there."""
    brand = project.brand
    styles = dict.fromkeys((*STYLES, *brand.styles))
    # Names that lead in circles are told once, at the brand.
    good = brand.model_copy(update={"colors": dict.fromkeys(brand.colors, "#000")})
    for where, piece in pieces(project):
        for place, color in _colors_of(piece):
            try:
                color_of(color, brand if isinstance(piece, Brand) else good)
            except UsageError as error:
                yield (*where, *place), str(error)
        font = getattr(piece, "font", None)
        if font is not None and font not in brand.fonts:
            yield (*where, "font"), _unknown("font", font, brand.fonts)
        if isinstance(piece, TextLayer | CaptionsLayer) and piece.style not in styles:
            yield (*where, "style"), _unknown("style", piece.style, styles)


def _colors_of(piece: Any) -> Iterator[tuple[Where, str]]:
    for field in _COLORS:
        if (color := getattr(piece, field, None)) is not None:
            yield (field,), color
    match piece:
        case Brand(colors=named):
            yield from ((("colors", name), color) for name, color in named.items())
        case Gradient(colors=several):
            yield from ((("colors", n), each) for n, each in enumerate(several) if isinstance(each, str))


def _unknown(kind: str, name: str, known: Iterable[str]) -> str:
    return f"there is no {kind} {quoted(name)}; {nearest(name, known) or 'the brand names none'}"


def _ids(project: Project) -> Found:
    first: dict[str, int] = {}
    for number, id in enumerate(project.ids):
        if id in first:
            # A scene without an id has one made up: then the other's author can change it.
            mine, other = (first[id], number) if project.scenes[number].id is None else (number, first[id])
            yield ("scenes", mine, "id"), f"{quoted(id)} is the id of scenes[{other}] as well"
        first.setdefault(id, number)


def _sources(project: Project) -> Found:
    """Layers that show something that is not there."""
    for number, scene in enumerate(project.scenes):
        for index, layer in enumerate(scene.layers):
            for field, message in _missing(project, scene, layer):
                yield ("scenes", number, "layers", index, field), message


def _spoken(project: Project) -> Found:
    """Texts of which nothing can be spoken."""
    for number, scene in enumerate(project.scenes):
        if scene.voice is not None and scene.voice.speech is not None:
            try:
                parse(scene.voice.speech)
            except BadScript as error:
                yield ("scenes", number, "voice", "speech"), str(error).removeprefix("the script ")


def _missing(project: Project, scene: Scene, layer: AnyLayer) -> Iterator[tuple[str, str]]:
    match layer:
        case CaptionsLayer(file=None) if scene.voice is None:
            yield "file", "is missing: nothing is spoken in this scene that could be shown"
        case CaptionsLayer(file=None) if scene.voice is not None and scene.voice.speech is None:
            yield "file", "is missing: what a recording says is not known; name an SRT or WebVTT file"
        case WaveformLayer(of="voice") if scene.voice is None:
            yield "of", 'must be "mix" or "music": nobody speaks in this scene'
        case WaveformLayer(of="music") if project.music is None:
            yield "of", 'must be "mix" or "voice": the project has no music'
