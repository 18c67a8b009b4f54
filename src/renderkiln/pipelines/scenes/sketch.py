"""Single frames of a film before it is made: for previews and storyboards, without speaking or mixing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from renderkiln.domain.errors import UsageError
from renderkiln.domain.place import is_url
from renderkiln.media.captions import Cue, cues_of
from renderkiln.media.download import download
from renderkiln.media.errors import MediaError
from renderkiln.media.ffmpeg.command import Command
from renderkiln.media.ffmpeg.reader import Reader
from renderkiln.media.frames.canvas import Frame
from renderkiln.media.frames.image import Pixels
from renderkiln.media.frames.picture import to_rgb
from renderkiln.media.frames.sheet import MAX_CELLS, Cell, contact_sheet
from renderkiln.media.frames.still import scaled
from renderkiln.media.probe import probe_safely
from renderkiln.media.speech.chunk import chunks
from renderkiln.media.speech.estimate import estimate_seconds
from renderkiln.media.speech.script import parse
from renderkiln.media.video.survey import Survey, survey
from renderkiln.pipelines.contract import Services
from renderkiln.pipelines.scenes.document.background import VideoBackground
from renderkiln.pipelines.scenes.document.layers import WaveformLayer
from renderkiln.pipelines.scenes.document.places import Named, resolve_place
from renderkiln.pipelines.scenes.document.project import Scene
from renderkiln.pipelines.scenes.drawing.part import PartDrawer
from renderkiln.pipelines.scenes.drawing.studio import Found, Studio
from renderkiln.pipelines.scenes.fetch import named_in
from renderkiln.pipelines.scenes.params import ScenesParams
from renderkiln.pipelines.scenes.timeline import Timeline, lay_out

if TYPE_CHECKING:
    from renderkiln.media.audio.bars import Bars

CELL = 640  # pixels: the width of a scene on the storyboard at most
_TINY = 1e-6  # of a frame: 0.58 s of 50 frames a second are 28.999999999999996 frames
_LONGEST = 4500  # characters of what is spoken at once


@dataclass(frozen=True)
class Shot:
    """A frame of a film: at which second it is, and in which scene."""

    picture: Pixels
    second: float
    scene: str


@dataclass(frozen=True)
class Sketch:
    """A film that is drawn frame by frame. How long speech takes is estimated."""

    timeline: Timeline
    studio: Studio

    @classmethod
    def of(cls, params: ScenesParams, services: Services, here: Mapping[str, Path] | None = None) -> Sketch:
        """Files that were uploaded are `here`, by what the project calls them.

        Raises UsageError for files that are not there or not what they should be, and Permanent.
        """
        found: dict[str, Found] = {}
        for each in named_in(params):
            if each.place not in found or (each.kind == "video" and found[each.place].survey is None):
                path = _path(each, Path(params.folder), services, here or {})
                found[each.place] = Found(path, "", _survey(each, path))
        seconds = {id: _seconds(scene, found) for id, scene in params.chosen}
        timeline = lay_out(params.chosen, seconds, params.project.transition, params.canvas.fps)
        studio = Studio(
            canvas=params.canvas,
            brand=params.project.brand,
            found=found,
            open_reader=_opener(services),
            film_frames=timeline.frames,
            spoken={id: _cues(scene) for id, scene in params.chosen},
            bars=_bars(params, timeline.seconds),
            user_fonts=services.fonts,
        )
        return cls(timeline, studio)

    def at(self, seconds: float) -> Shot:
        """The frame at `seconds` of the film. Raises UsageError for a time that it has not."""
        timeline = self.timeline
        if not 0 <= seconds <= timeline.seconds:
            raise UsageError(f"there is no second {seconds:g}: the film lasts {timeline.seconds:.2f} s")
        return self._shot(min(int(seconds * timeline.fps + _TINY), timeline.frames - 1))

    def telling(self) -> Shot:
        """The frame of the first scene in which its layers have come in."""
        first = self.timeline.spans[0]
        return self._shot(first.start + first.telling)

    def storyboard(self, title: str) -> Pixels:
        """A sheet with a picture of every scene, each when its layers have come in. Raises UsageError."""
        timeline = self.timeline
        if len(timeline.spans) > MAX_CELLS:
            raise UsageError(f"a storyboard has at most {MAX_CELLS} scenes: choose some of them")
        cells = []
        for span in timeline.spans:
            picture = to_rgb(self.frame(span.start + span.telling))
            if picture.shape[1] > CELL:
                picture = scaled(picture, CELL)
            length = f"{float(span.frames / timeline.fps):.1f} s"
            cells.append(Cell(picture, span.caption, detail=length, label=str(span.number + 1)))
        return contact_sheet(title, cells, subtitle=self.lasting, fonts=self.studio.user_fonts)

    @property
    def lasting(self) -> str:
        """Its scenes and its length, in words."""
        count = len(self.timeline.spans)
        return f"{count} scene{'' if count == 1 else 's'}, {self.timeline.seconds:.1f} s"

    def _shot(self, number: int) -> Shot:
        second, scene = float(number / self.timeline.fps), self.timeline.at(number).span.id
        return Shot(to_rgb(self.frame(number)), second, scene)

    def frame(self, number: int) -> Frame:
        """Frame `number` of the film."""
        frame = Frame(self.studio.canvas)
        part = self.timeline.at(number)
        with PartDrawer(part, self.studio) as drawer:
            drawer.draw(frame, number - part.start)
        return frame


def _path(named: Named, folder: Path, services: Services, here: Mapping[str, Path]) -> Path:
    if named.place in here:
        return here[named.place]
    try:
        if not is_url(named.place):
            return resolve_place(named.place, folder)
        return download(
            named.place,
            cache=services.cache / "downloads",
            largest=services.limits.file_size,
            allow_private=services.private_urls,
        ).path
    except (MediaError, UsageError) as error:
        raise UsageError(f"{named.path}: {error}") from error


def _survey(named: Named, path: Path) -> Survey | None:
    try:
        return survey(path) if named.kind == "video" else None
    except MediaError as error:
        raise UsageError(f"{named.path}: {error}") from error


def _seconds(scene: Scene, found: dict[str, Found]) -> float:
    if scene.duration is not None:
        return scene.duration
    voice = scene.voice
    if voice is not None:
        return voice.start + _voice_seconds(scene, found) + voice.rest
    assert isinstance(scene.background, VideoBackground)  # or the document was refused
    clip = found[scene.background.file].survey
    assert clip is not None
    return max(0.1, clip.duration - scene.background.trim)


def _voice_seconds(scene: Scene, found: dict[str, Found]) -> float:
    voice = scene.voice
    assert voice is not None
    if voice.speech is not None:
        return estimate_seconds(voice.speech, voice.speed)
    assert voice.file is not None
    return probe_safely(found[voice.file].path).duration or 1.0


def _cues(scene: Scene) -> list[Cue]:
    voice = scene.voice
    if voice is None or voice.speech is None:
        return []
    at, said = voice.start, []
    for piece in chunks(parse(voice.speech), _LONGEST):
        if piece.text:
            seconds = estimate_seconds(piece.text, voice.speed)
            said.append(Cue(at, at + seconds, piece.text))
            at += seconds
        at += piece.silence
    return cues_of(said)


def _bars(params: ScenesParams, seconds: float) -> dict[str, Bars]:
    """Like a chord: what is seen of a waveform in a picture of no moment."""
    layers = (layer for scene in params.film.scenes for layer in scene.layers)
    wanted = {layer.of for layer in layers if isinstance(layer, WaveformLayer)}
    if not wanted:
        return {}
    from renderkiln.media.audio.bars import Bars
    from renderkiln.media.audio.features import BANDS

    heights = (0.3 + 0.25 * np.sin(np.arange(BANDS) * 0.9)).astype(np.float32)
    return dict.fromkeys(wanted, Bars.steady(heights, seconds))


def _opener(services: Services) -> Callable[[Command], Reader]:
    return lambda command: Reader(command, binary=services.ffmpeg)
