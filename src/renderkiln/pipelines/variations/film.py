"""The command that makes one variation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from renderkiln.media.ffmpeg.command import Command
from renderkiln.media.ffmpeg.transcode import Encoding, Picture, Sound, transcode
from renderkiln.media.video.plain import plain
from renderkiln.pipelines.variations.clip import Clip
from renderkiln.pipelines.variations.effect import Effect
from renderkiln.pipelines.variations.effect_set import EffectSet

_MISSING = 50  # of so many frames the last may be missing, for a second at most: the one before stays


@dataclass(frozen=True)
class Film:
    """One variation of a clip, before it is made."""

    clip: Clip
    effects: Sequence[Effect]
    set: EffectSet

    @property
    def frames(self) -> int:
        return self.clip.frames(self.set.speed)

    @property
    def seconds(self) -> float:
        return self.clip.seconds(self.set.speed)

    @property
    def moments(self) -> list[float]:
        """When the frames come, in its own seconds, that show the moments of the clip."""
        last = self.frames - 1
        numbers = (min(last, round(each / self.set.speed * self.clip.fps)) for each in self.clip.moments)
        return [float(number / self.clip.fps) for number in numbers]

    def command(self, source: Path, output: Path, encoding: Encoding, *, title: str) -> Command:
        """What makes it. `title` goes into the file, which says that it is a derivative."""
        tags = {"title": title, "comment": f"A variation: {self.set.words(self.effects)}"}
        return transcode(source, self._picture(), self._sound(), encoding, output, tags=tags)

    def _picture(self) -> Picture:
        clip, speed = self.clip, self.set.speed
        filters = [
            *plain(clip.survey, width=clip.width, height=clip.height),
            f"setpts=(PTS-STARTPTS)/{speed:g}",
            f"fps={clip.fps}:start_time=0",
            f"tpad=stop_mode=clone:stop={2 + min(self.frames // _MISSING, round(clip.fps))}",
            *self.set.picture_filters(self.effects, clip.picture(speed)),
            "setsar=1",  # a window of even size has not to the last digit the shape of the picture
            "format=yuv420p",
        ]
        video = clip.survey.info.video
        assert video is not None  # there is no survey without
        return Picture(video.index, filters, clip.fps, self.frames, self.moments)

    def _sound(self) -> Sound | None:
        clip, found = self.clip, self.clip.survey.audio
        if found is None or not clip.has_sound:
            return None
        samples = clip.samples(self.set.speed)
        layout = [f"aformat=channel_layouts={clip.layout}"] if clip.layout else []
        filters = [
            f"asetpts=PTS-STARTPTS+({found.start - clip.survey.start:.6f})/TB",
            f"aresample={clip.rate}:async=1:first_pts=0",  # begins with the picture: silence, or a piece goes
            *layout,
            *self.set.sound_filters(self.effects),
            f"apad=whole_len={samples}",
            f"atrim=end_sample={samples}",
        ]
        return Sound(found.index, filters, clip.rate, clip.channels)
