"""Tells coded pictures by a digest, so that copies of them are known without decoding them again."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, repeat

import av

# What decoders of these need stands in each of their key frames; containers may add to it or leave it out.
_SELF_CONTAINED = {"vp8", "vp9", "av1", "gif"}


@dataclass(frozen=True)
class Packets:
    """The coded pictures of a film: how many, and the SHA-256 of them and of what sets the decoder up.

    Two films of equal packets that begin with a key frame decode to the same pictures.
    """

    count: int
    digest: str


class PacketWatch:
    """Digests the coded pictures of a `stream` in stretches of `counts`, and what follows them in another."""

    def __init__(self, stream: av.VideoStream, counts: Sequence[int] = ()) -> None:
        self_contained = stream.codec_context.name in _SELF_CONTAINED
        self._set_up = b"" if self_contained else bytes(stream.codec_context.extradata or b"")
        self._counts: Iterator[int | None] = chain(counts, repeat(None))
        self._begin()
        self._done: list[Packets] = []

    def add(self, packet: av.Packet[av.VideoStream]) -> None:
        """The next packet, in the order of decoding."""
        if self._count == self._most:
            self._end()
        self._sum.update(packet)
        self._count += 1

    def result(self) -> list[Packets]:
        """All stretches so far; the last of them may be shorter than asked for."""
        return [*self._done, *([Packets(self._count, self._sum.hexdigest())] if self._count else [])]

    def _begin(self) -> None:
        self._most, self._count = next(self._counts), 0
        self._sum = hashlib.sha256(self._set_up)

    def _end(self) -> None:
        self._done.append(Packets(self._count, self._sum.hexdigest()))
        self._begin()
