"""What the packets of a clip tell, and its first frames: fed one by one, kept as sums."""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal, cast

import av
from av.packet import PacketSideData

from renderkiln.media.container import shown
from renderkiln.media.errors import Unreadable
from renderkiln.media.video.rate import Rhythm

Fields = Literal["", "top", "bottom"]

_LOOK = 8  # frames decoded: enough to see whether they are interlaced
_BACK = 1.0  # seconds: decoding times never fall, where no two recordings were joined
_PATIENCE = 300  # packets fed to the decoder before it is given up: recordings begin between key frames

_UNTOLD = 0
# AVFieldOrder, of the field that comes first. FFmpeg's words for 4 and 5 speak of fields that are "swapped",
# but files mean interleaved lines, the top or the bottom field first (Matroska's FieldOrder 9 and 14).
_FIELDS: Mapping[int, Fields] = {2: "top", 3: "bottom", 4: "top", 5: "bottom"}


@dataclass(frozen=True)
class Track:
    """The sound of a clip: its first audio stream. Times in seconds on the clock of `Survey.start`."""

    index: int
    codec: str
    rate: int  # Hz
    channels: int
    layout: str
    start: float
    end: float


class PicturePass:
    """Of the film. Ask it after `finish`."""

    def __init__(self, stream: av.VideoStream) -> None:
        self.stream = stream
        self.tick = cast("Fraction", stream.time_base)
        self.rhythm = Rhythm(self.tick)
        self._first: av.VideoFrame | None = None
        self._end = -math.inf  # in ticks
        self._encrypted = False
        self._seen = self._fed = self._interlaced = 0
        self._latest = -math.inf  # decoding time, in ticks
        self._jump: float | None = None  # seconds, where the clock falls back

    def add(self, packet: av.Packet[av.VideoStream]) -> None:
        """Note the next packet, in the order of the file."""
        if self._seen < _LOOK and self._fed < _PATIENCE:
            self._decode(packet)
        self._encrypted = self._encrypted or packet.has_sidedata("encryption_info")
        moment = packet.pts if packet.pts is not None else packet.dts
        if moment is None or packet.is_discard or not packet.size:  # the end, an edit list, a dropped frame
            return
        self._note_jump(packet.dts if packet.dts is not None else moment)
        self.rhythm.add(moment)
        self._end = max(self._end, moment + (packet.duration or 0))

    def finish(self, path: Path) -> None:
        """There are no more packets. Raises Unreadable when no picture came of them."""
        self.rhythm.finish()
        if self._encrypted:
            raise Unreadable(f"{shown(path)} is encrypted")
        if self._jump is not None:
            raise Unreadable(
                f"the clock of {shown(path)} jumps back after {self._jump:.1f} s: recordings were joined. "
                "Join them anew with FFmpeg's concat, or give them one by one"
            )
        if not self.rhythm.count:
            raise Unreadable(f"{shown(path)} has no frames in it")
        if self._first is None:
            raise Unreadable(f"{shown(path)} is damaged: its first frames cannot be decoded")

    @property
    def first(self) -> av.VideoFrame:
        """The first frame that could be decoded."""
        assert self._first is not None
        return self._first

    @property
    def interlaced(self) -> Fields:
        """Which field is shown first, when there are fields."""
        context = self.stream.codec_context
        if context.field_order != _UNTOLD:
            return _FIELDS.get(context.field_order, "")
        first: Fields = "bottom" if context.name == "dvvideo" else "top"  # DV is so by its standard
        return first if 2 * self._interlaced > self._seen else ""

    @property
    def start(self) -> float:
        """When the first picture is shown: that of a recording may be one that cannot be decoded."""
        frame = self.first
        shown_at = frame.pts if frame.pts is not None else frame.dts
        return float(max(self.rhythm.first, shown_at or self.rhythm.first) * self.tick)

    def end(self, fps: Fraction) -> float:
        """When the last picture is gone."""
        if self._end > self.rhythm.last:
            return self._end * float(self.tick)
        return float(self.rhythm.last * self.tick + 1 / fps)

    def _note_jump(self, moment: int) -> None:
        if self._jump is None and moment < self._latest - _BACK / self.tick:
            self._jump = float((self._latest - self.rhythm.first) * self.tick)
        self._latest = max(self._latest, moment)

    def _decode(self, packet: av.Packet[av.VideoStream]) -> None:
        self._fed += 1
        try:
            frames = packet.decode()
        except av.error.FFmpegError:
            return
        for frame in frames:
            self._first = self._first or frame
            self._seen += 1
            self._interlaced += frame.interlaced_frame


class SoundPass:
    """Of the sound, where there is one."""

    def __init__(self, stream: av.AudioStream | None) -> None:
        self.stream = stream
        self._start, self._end = math.inf, -math.inf  # in ticks
        self._audible = -math.inf  # in seconds

    def add(self, packet: av.Packet[av.AudioStream]) -> None:
        """Note the next packet, in the order of the file."""
        moment = packet.pts if packet.pts is not None else packet.dts
        if moment is None or not packet.size:
            return
        if skipped := _skipped(packet):
            self._audible = float(moment * packet.time_base) + skipped
        if not packet.is_discard:
            self._start = min(self._start, moment)
            self._end = max(self._end, moment + (packet.duration or 0))

    def track(self) -> Track | None:
        """What came; None when nothing did."""
        if self.stream is None or self._end <= self._start:
            return None
        context, tick = self.stream.codec_context, float(self.stream.time_base or 0)
        return Track(
            index=self.stream.index,
            codec=context.codec.canonical_name,
            rate=context.sample_rate,
            channels=context.channels,
            layout=context.layout.name,
            start=max(self._start * tick, self._audible),
            end=self._end * tick,
        )


def _skipped(packet: av.Packet[av.AudioStream]) -> float:
    """Seconds from this packet on that the decoder leaves out (AV_PKT_DATA_SKIP_SAMPLES): priming, edits."""
    if not packet.has_sidedata("skip_samples"):
        return 0.0
    data = bytes(PacketSideData.from_packet(cast("av.Packet[Any]", packet), "skip_samples"))
    samples: int = struct.unpack_from("<I", data)[0]
    return samples / packet.stream.codec_context.sample_rate
