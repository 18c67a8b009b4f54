"""What a clip really is: one pass over its packets, and a look at its first frames."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal, cast

import av
import av.container
from av.stream import Discard, Disposition

from renderkiln.media.container import open_container, shown, translated
from renderkiln.media.errors import FFmpegStopped, Unreadable, Unsuitable
from renderkiln.media.probe import MediaInfo, is_cover, probe
from renderkiln.media.video.color import Color, resolve
from renderkiln.media.video.orientation import orientation
from renderkiln.media.video.passes import Fields, PicturePass, SoundPass, Track

MAX_PIXELS = 8192 * 8192
_ASK_EVERY = 256  # packets
_MISSING_SECONDS, _MISSING_SHARE = 1.0, 0.02  # what may lack at the end: headers round, players do not notice
_MATRICES = (0, 1, 2, 3, 4, 5, 6, 7, 9)  # ISO/IEC 23091-2: those that can be converted, or are near enough
_ASPECTS = (Fraction(1, 4), Fraction(4))  # of pixels; beyond them it is nonsense and taken as square


@dataclass(frozen=True)
class Survey:
    """A clip by its packets. Times in seconds on the container's clock, where pictures rarely begin at 0."""

    info: MediaInfo
    width: int  # as stored
    height: int
    rotation: int  # degrees clockwise that set the stored picture upright: 0, 90, 180, 270
    mirrored: bool  # flip it left to right before turning it
    pixel_aspect: Fraction  # width of a pixel over its height
    fps: Fraction  # the constant rate that suits it, 1 … 120
    variable: bool  # its pictures do not come at `fps`
    frames: int
    start: float  # when the first picture is shown
    duration: float  # from the first picture to the end of the last
    promised: float | None  # the duration that the header tells
    interlaced: Fields  # the field that is shown first
    color: Color
    bits: int  # per component
    pixel_format: str
    audio: Track | None

    @property
    def transparent(self) -> bool:
        """Whether something is to be seen through it."""
        return self.info.video is not None and self.info.video.alpha

    @property
    def hdr(self) -> Literal["", "pq", "hlg"]:
        """The kind of high dynamic range, or nothing."""
        return self.color.hdr

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values; fractions as "30000/1001"."""
        fractions = {"pixel_aspect": str(self.pixel_aspect), "fps": str(self.fps)}
        return {**asdict(self), **fractions, "info": self.info.to_json()}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Survey:
        """The inverse of `to_json`."""
        made = {
            "info": MediaInfo.from_json(values["info"]),
            "pixel_aspect": Fraction(values["pixel_aspect"]),
            "fps": Fraction(values["fps"]),
            "color": Color(**values["color"]),
            "audio": None if values["audio"] is None else Track(**values["audio"]),
        }
        return cls(**{**values, **made})


def survey(path: Path, *, stop: Callable[[], bool] | None = None) -> Survey:
    """Read every packet of the first film and the first sound in `path`, keeping none.

    Raises Unsuitable when there is no film or it is too large, Unreadable when it is cut off, encrypted or
    cannot be decoded, and FFmpegStopped when `stop` says so.
    """
    info = probe(path)
    with translated(path), open_container(path) as container:
        film, sound = _film(path, container), _sound(path, container)
        for stream in container.streams:
            if stream not in (film, sound):
                stream.discard = Discard.all
        picture, track = PicturePass(film), SoundPass(sound)
        for count, packet in enumerate(_packets(container, film, sound)):
            (picture if packet.stream_index == film.index else track).add(packet)
            if count % _ASK_EVERY == 0 and stop is not None and stop():
                raise FFmpegStopped("the survey was stopped")
        picture.finish(path)
        return _conclude(path, info, picture, track)


def _film(path: Path, container: av.container.InputContainer) -> av.VideoStream:
    films = [stream for stream in container.streams if stream.type == "video" and not is_cover(stream)]
    if not films:
        lack = "only a cover picture, no film" if container.streams.video else "no picture: it is sound only"
        raise Unsuitable(f"{shown(path)} has {lack}")
    film = cast("av.VideoStream", films[0])
    if film.codec_context is None:
        raise Unreadable(f"{shown(path)} has a film in a codec that cannot be decoded")
    width, height = film.codec_context.width, film.codec_context.height
    if width * height > MAX_PIXELS:
        raise Unsuitable(f"{shown(path)} is too large: {width}x{height}, the limit is {MAX_PIXELS} pixels")
    return film


def _sound(path: Path, container: av.container.InputContainer) -> av.AudioStream | None:
    sounds = [stream for stream in container.streams if stream.type == "audio"]
    known = [s for s in sounds if s.codec_context is not None and cast("Any", s).codec_context.sample_rate]
    if sounds and not known:
        raise Unreadable(f"{shown(path)} has sound in a codec that cannot be decoded")
    first = next(
        (stream for stream in known if stream.disposition & Disposition.default), known[0] if known else None
    )
    return cast("av.AudioStream", first) if first is not None else None


def _packets(
    container: av.container.InputContainer, film: av.VideoStream, sound: av.AudioStream | None
) -> Iterator[av.Packet[Any]]:
    try:
        yield from container.demux(film, *(() if sound is None else (sound,)))
    except (av.error.FFmpegError, OSError):
        return  # the end is missing: what came is compared with what was promised


def _conclude(path: Path, info: MediaInfo, picture: PicturePass, sound: SoundPass) -> Survey:
    film, frame = picture.stream, picture.first
    if not 0 < frame.width * frame.height <= MAX_PIXELS:
        raise Unsuitable(f"{shown(path)} has pictures of {frame.width}x{frame.height}")
    if int(frame.colorspace) not in _MATRICES:
        raise Unsuitable(
            f"the colours of {shown(path)} are coded in a way not known here (matrix {frame.colorspace})"
        )
    fps, variable = picture.rhythm.rate(_claims(film))
    start, end, track = picture.start, picture.end(fps), sound.track()
    _refuse_cut_off(path, info, film, start, end, track)
    rotation, mirrored = orientation(frame)
    return Survey(
        info=info,
        width=frame.width,
        height=frame.height,
        rotation=rotation,
        mirrored=mirrored,
        pixel_aspect=_pixel_aspect(film),
        fps=fps,
        variable=variable,
        frames=picture.rhythm.count,
        start=start,
        duration=end - start,
        promised=_promise(info, film),
        interlaced=picture.interlaced,
        color=resolve(
            info.video.color if info.video else {},
            width=frame.width,
            height=frame.height,
            pixel_format=frame.format.name,
        ),
        bits=frame.format.components[0].bits,
        pixel_format=frame.format.name,
        audio=track,
    )


def _claims(film: av.VideoStream) -> list[Fraction]:
    return [rate for rate in (film.guessed_rate, film.average_rate) if rate]


def _pixel_aspect(film: av.VideoStream) -> Fraction:
    aspect = film.sample_aspect_ratio
    return aspect if aspect and _ASPECTS[0] <= aspect <= _ASPECTS[1] else Fraction(1)


def _promise(info: MediaInfo, film: av.VideoStream) -> float | None:
    """Seconds of film by the header: of its stream, else of the whole file."""
    told = film.duration and float(film.duration * cast("Fraction", film.time_base))
    if info.container == "avi" and film.guessed_rate:  # the demuxer has shortened `duration` to what is there
        told = float(film.frames / film.guessed_rate)
    return told or _clock(film.metadata.get("DURATION", "")) or info.duration


def _clock(text: str) -> float | None:
    """Seconds of Matroska's statistics tag, "00:01:00.500000000"."""
    match = re.fullmatch(r"(\d+):(\d\d):(\d\d(?:\.\d+)?)", text)
    if match is None:
        return None
    hours, minutes, seconds = match.groups()
    return int(hours) * 3600 + int(minutes) * 60 + float(seconds)


def _refuse_cut_off(
    path: Path, info: MediaInfo, film: av.VideoStream, start: float, end: float, track: Track | None
) -> None:
    promised = _promise(info, film)
    reached = end - start
    if film.duration is None:  # the promise is of the file, counted from 0
        reached = max(end, track.end if track else end)
    if promised and promised - reached > max(_MISSING_SECONDS, _MISSING_SHARE * promised):
        raise Unreadable(f"{shown(path)} is cut off at {reached:.1f} s of {promised:.1f} s")
