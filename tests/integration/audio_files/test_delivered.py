"""Files whose measures are known, and every fault put there on purpose."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from integration.audio_files.conftest import RATE, cut, track
from renderkiln.media.audio.delivered import Delivered, Ordered, faults, measure
from renderkiln.media.audio.encode import encode
from renderkiln.media.audio.encodings import FORMATS, Format
from renderkiln.media.audio.loudness import Meter
from renderkiln.media.audio.stereo import Block
from renderkiln.media.audio.tonemeter import Expected
from renderkiln.media.errors import Unreadable

pytestmark = pytest.mark.integration

TONES = (Expected(528.0), Expected(200.0, 0), Expected(207.0, 1))


def written(
    sound: Block, path: Path, format: Format = "wav", tones: tuple[Expected, ...] = TONES
) -> Delivered:
    encode(cut(sound), path, format)
    return measure(path, tones=tones)


@pytest.mark.parametrize("format", FORMATS)
def test_the_binaural_layer_survives_every_codec(format: Format, tmp_path: Path) -> None:
    """Even at the lowest quality: 12 s of tones 10 dB under everything else."""
    path = tmp_path / "x"
    encode(cut(track(12)), path, format, "draft")
    delivered = measure(path, tones=TONES)
    solfeggio, left, right = delivered.tones
    assert solfeggio.hz == pytest.approx(528, abs=0.01)
    assert left.hz == pytest.approx(200, abs=0.01)
    assert right.hz == pytest.approx(207, abs=0.01)
    assert left.level == pytest.approx(20 * np.log10(0.06), abs=0.7)
    assert left.separation is not None
    assert left.separation > 15
    assert delivered.samples == 12 * RATE
    assert not [
        fault for fault in faults(delivered, Ordered(12 * RATE, 0)) if "tone" in fault or "beat" in fault
    ]


def test_the_figures_are_those_of_the_sound(tmp_path: Path) -> None:
    sound = track(8)
    sound[:, 3 * RATE : 5 * RATE] = 0.0
    sound[:, : RATE * 3 // 2] = 0.0
    sound[0] += np.float32(0.0001)
    meter = Meter(RATE)
    meter.add(sound)
    seen = list[int]()
    encode(cut(sound), tmp_path / "x.wav", "wav", "high")
    delivered = measure(tmp_path / "x.wav", on_samples=seen.append)
    figures = delivered.to_json()
    assert json.loads(json.dumps(figures)) == figures
    assert figures["loudness"] == meter.result().to_json()
    assert figures["correlation"] == pytest.approx(np.asarray(np.corrcoef(sound))[0, 1], abs=0.001)
    assert delivered.offset == pytest.approx(sound.mean(axis=1), abs=1e-6)
    assert (figures["head_silence"], figures["tail_silence"]) == (1.5, 0)
    assert figures["gaps"] == [{"start": 3.0, "end": 5.0}]
    assert (delivered.codec, delivered.rate, delivered.channels) == ("pcm_s24le", RATE, 2)
    assert delivered.bit_rate == pytest.approx(48000 * 48, rel=0.001)
    assert delivered.peaks.to_json()["length"] == 8 * RATE // 256
    assert seen[-1] == delivered.samples == 8 * RATE
    assert seen == sorted(seen)


def test_opposite_channels_vanish_in_mono_and_equal_ones_do_not(tmp_path: Path) -> None:
    mono = np.repeat(track(4)[:1], 2, axis=0)
    assert written(mono, tmp_path / "a.wav").fold_loss == pytest.approx(0, abs=0.01)
    t = np.arange(4 * RATE) / RATE
    apart = 0.1 * np.sin(2 * np.pi * np.array([[1000.0], [1100.0]]) * t).astype(np.float32)
    assert written(apart, tmp_path / "b.wav").fold_loss == pytest.approx(3.01, abs=0.02)
    opposite = mono * np.array([[1], [-1]], np.float32)
    loss = written(opposite, tmp_path / "c.wav").fold_loss
    assert loss is None or loss > 40  # the dither alone is left


def test_a_right_file_has_no_faults_and_a_wrong_one_all_of_them(tmp_path: Path) -> None:
    delivered = written(track(6), tmp_path / "x.flac", "flac")
    lufs = delivered.loudness.integrated
    right = Ordered(6 * RATE, lufs)
    assert faults(delivered, right) == []
    assert faults(delivered, replace(right, samples=5 * RATE)) == ["the file is 1.000 s longer than ordered"]
    assert "LUFS" in faults(delivered, replace(right, lufs=lufs + 0.11))[0]
    assert "above the ceiling" in faults(delivered, replace(right, ceiling=-20.0))[0]


def test_a_wrong_tone_is_named(tmp_path: Path) -> None:
    delivered = written(track(12), tmp_path / "x.flac", "flac")
    right = Ordered(12 * RATE, delivered.loudness.integrated)

    def found(*tones: Expected) -> list[str]:
        return faults(measure(tmp_path / "x.flac", tones=tones), right)

    assert found(Expected(528.06)) == ["the tone of 528.06 Hz is at 528.000 Hz"]
    assert found(Expected(963.0)) == ["the tone of 963 Hz is missing"]
    assert found(Expected(207.0, 0)) == ["the tone of 207 Hz in the left ear is missing"]
    (beat,) = found(Expected(200.0, 0), Expected(206.97, 1))
    assert re.fullmatch(r"the beat is (7\.00|6\.99)\d Hz, ordered were 6\.97", beat)
    assert "is heard in both" in found(Expected(528.0, 0))[0]


def test_clipping_silence_and_damage_are_named(tmp_path: Path) -> None:
    loud = written(np.clip(track(4) * 20, -1, 1).astype(np.float32), tmp_path / "loud.wav", tones=())
    assert any(
        "clips in" in fault for fault in faults(loud, Ordered(4 * RATE, loud.loudness.integrated, 9.0))
    )
    silent = written(np.zeros((2, 4 * RATE), np.float32), tmp_path / "silent.mp3", "mp3")
    assert faults(silent, Ordered(4 * RATE, -16)) == ["the file is silent: its peak is below -60 dBFS"]
    whole = tmp_path / "whole.mp3"
    encode(cut(track(4)), whole, "mp3")
    (tmp_path / "cut.mp3").write_bytes(whole.read_bytes()[:50_000])
    half = faults(measure(tmp_path / "cut.mp3"), Ordered(4 * RATE, -16))
    assert "cut off" in half[0]
    assert "shorter than ordered" in half[1]
    (tmp_path / "no.mp3").write_bytes(bytes(5000))
    with pytest.raises(Unreadable):
        measure(tmp_path / "no.mp3")
