"""Our captions as FFmpeg's demuxers and decoders read them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av
import pytest

from renderkiln.media.captions import Cue, cues_of, srt, vtt

pytestmark = pytest.mark.integration

CUES = [
    Cue(0.0, 1.5, "Breathe in & out, 1 < 2"),
    Cue(1.58, 3.25, "42"),
    Cue(3.5, 6.0, "Close your eyes, and let your shoulders become heavy"),
    Cue(3600.001, 3602.0, "\u200fשלום עולם\u200f"),
    Cue(3602.5, 3604.0, "这是一个很长的句子，需要在字符之间换行。"),
    Cue(3605.0, 3606.0, "emoji 🧘 é"),
]


def packets(path: Path, demuxer: str) -> list[tuple[float, float, str]]:
    with av.open(str(path), format=demuxer) as container:
        found: list[tuple[float, float, str]] = []
        for packet in container.demux():
            if packet.size and packet.pts is not None and packet.duration is not None:
                unit: Any = packet.time_base
                start, length = float(packet.pts * unit), float(packet.duration * unit)
                found.append((start, start + length, bytes(packet).decode()))
        return found


def assert_same(found: list[tuple[float, float, str]], texts: list[str]) -> None:
    assert [text for _, _, text in found] == texts
    for (start, end, _), cue in zip(found, CUES, strict=True):
        assert (start, end) == pytest.approx((cue.start, cue.end), abs=0.001)


def test_subrip_is_read_as_it_was_meant(tmp_path: Path) -> None:
    path = tmp_path / "x.srt"
    path.write_text(srt(CUES), encoding="utf-8")
    texts = [cue.text for cue in CUES]
    texts[2] = "Close your eyes,\nand let your shoulders become heavy"
    texts[4] = "这是一个很长的句子，\n需要在字符之间换行。"
    assert_same(packets(path, "srt"), texts)


def test_webvtt_is_read_as_it_was_meant(tmp_path: Path) -> None:
    path = tmp_path / "x.vtt"
    path.write_text(vtt(CUES), encoding="utf-8")
    texts = [cue.text for cue in CUES]
    texts[0] = "Breathe in &amp; out, 1 &lt; 2"
    texts[2] = "Close your eyes,\nand let your shoulders become heavy"
    texts[4] = "这是一个很长的句子，\n需要在字符之间换行。"
    assert_same(packets(path, "webvtt"), texts)


def test_hostile_texts_do_not_make_cues_of_their_own(tmp_path: Path) -> None:
    hostile = "a\n\n2\n00:00:05,000 --> 00:00:06,000\nb <i>c\n\nNOTE d\n\nSTYLE\x00\ud800 {\\an8}e"
    cues = cues_of([Cue(0, 9, hostile)])
    for name, text in (("srt", srt(cues)), ("webvtt", vtt(cues))):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        assert [round(start, 2) for start, _, _ in packets(path, name)] == [
            round(cue.start, 2) for cue in cues
        ]
