"""Single frames of a film before it is made: for previews and storyboards, without speaking or mixing."""

from __future__ import annotations

from collections.abc import Callable
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
from renderkiln.media.probe import probe_safely
from renderkiln.media.speech.chunk import chunks
from renderkiln.media.speech.estimate import estimate_seconds
from renderkiln.media.speech.script import parse
from renderkiln.media.video.survey import survey
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

_LONGEST = 4500  # characters of what is spoken at once


@dataclass(frozen=True)
class Sketch:
    """A film that is drawn frame by frame. How long speech takes is estimated."""

    timeline: Timeline
    studio: Studio

    @classmethod
    def of(cls, params: ScenesParams, services: Services) -> Sketch:
        """Raises UsageError for files that are not there or not what they should be, and Permanent."""
        found: dict[str, Found] = {}
        for each in named_in(params):
            if each.place not in found or (each.kind == "video" and found[each.place].survey is None):
                found[each.place] = _found(each, Path(params.folder), services)
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

    def frame(self, number: int) -> Frame:
        """Frame `number` of the film."""
        frame = Frame(self.studio.canvas)
        part = self.timeline.at(number)
        with PartDrawer(part, self.studio) as drawer:
            drawer.draw(frame, number - part.start)
        return frame


def _found(named: Named, folder: Path, services: Services) -> Found:
    try:
        if is_url(named.place):
            path = download(
                named.place,
                cache=services.cache / "downloads",
                largest=services.limits.file_size,
                allow_private=services.private_urls,
            ).path
        else:
            path = resolve_place(named.place, folder)
        return Found(path, "", survey(path) if named.kind == "video" else None)
    except (MediaError, UsageError) as error:
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
