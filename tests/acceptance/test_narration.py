"""A script becomes a file, as a user asks for it; FFmpeg's own meter is the judge of its loudness."""

from __future__ import annotations

import json
import re
import subprocess
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from renderkiln.media import probe
from renderkiln.media.ffmpeg.binary import find
from speech_servers import KEY, openai_server, says

from .conftest import RATE, Command, tune, write_wav

SCRIPT = """# Arriving

Welcome. Sit down, and let your shoulders sink.

[pause 1s]

# Breathing

Breathe in slowly. [pause 500ms] And breathe out.
"""


def narrate(renderkiln: Command, *arguments: object, **kwargs: Any) -> dict[str, Any]:
    """Render one narration; its report."""
    ended = renderkiln("render", "narration", *arguments, "--out", renderkiln.out, "-o", "json", **kwargs)
    assert ended.returncode == 0, ended.stderr
    (report,) = json.loads(ended.stdout)
    found: dict[str, Any] = report
    return found


def said(report: dict[str, Any]) -> list[str]:
    """The texts of its warnings."""
    return [str(each["message"]) for each in report["warnings"]]


def script(renderkiln: Command, text: str = SCRIPT, name: str = "calm.txt") -> Path:
    path = renderkiln.folder / name
    path.write_text(text, encoding="utf-8")
    return path


def song(renderkiln: Command) -> Path:
    return write_wav(renderkiln.folder / "song.wav", tune(6.0, RATE))


def meter(path: str) -> tuple[float, float]:
    """Integrated loudness and true peak, as FFmpeg measures them."""
    command = [
        str(find()),
        "-nostats",
        "-hide_banner",
        "-i",
        path,
        "-af",
        "ebur128=peak=true",
        "-f",
        "null",
        "-",
    ]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stderr
    summary = told[told.rindex("Summary:") :]
    loudness = re.search(r"I:\s+(-?[\d.]+) LUFS", summary)
    peak = re.search(r"Peak:\s+(-?[\d.]+) dBFS", summary)
    assert loudness is not None
    assert peak is not None
    return float(loudness[1]), float(peak[1])


@pytest.mark.parametrize("kind", ["mp3", "wav", "flac", "m4a", "opus"])
def test_every_format_is_as_loud_as_it_should_be(renderkiln: Command, kind: str) -> None:
    layers = ("--music", song(renderkiln), "--solfeggio", 528, "--binaural", "theta")
    report = narrate(renderkiln, script(renderkiln), *layers, "--format", kind, "--title", "Ruhe ☀")
    path = report["artifacts"][0]["path"]
    loudness, peak = meter(path)
    assert loudness == pytest.approx(-16.0, abs=0.15)  # FFmpeg tells tenths
    assert peak <= -0.9
    info = probe.probe(Path(path))
    assert info.audio is not None
    assert info.audio.channels == 2
    assert info.duration == pytest.approx(report["result"]["duration"], abs=0.03)
    assert info.tags["title"] == "Ruhe ☀"
    measured = report["result"]["report"]
    assert measured["layers"] == ["voice", "background", "solfeggio", "binaural"]
    heard = [tone["hz"] for tone in measured["measured"]["tones"]]
    assert heard == pytest.approx([528, 200, 206], abs=0.02)


def test_captions_waveform_and_report_come_with_it(renderkiln: Command) -> None:
    report = narrate(renderkiln, script(renderkiln))
    kinds = {each["kind"]: Path(each["path"]) for each in report["artifacts"]}
    assert set(kinds) == {"audio", "peaks", "subtitles", "captions", "report"}
    assert re.fullmatch(r"\d{8}_calm_mp3_v1\.mp3", kinds["audio"].name)
    captions = kinds["captions"].read_text(encoding="utf-8")
    assert captions.startswith("WEBVTT")
    assert "Breathe in slowly." in captions
    assert "Arriving" not in captions
    told = json.loads(kinds["report"].read_text(encoding="utf-8"))
    assert [chapter["title"] for chapter in told["chapters"]] == ["Arriving", "Breathing"]
    assert told["voice"]["provider"] == "espeak"
    assert json.loads(kinds["peaks"].read_text())["version"] == 2


def test_what_was_spoken_before_is_not_spoken_again(renderkiln: Command) -> None:
    first = narrate(renderkiln, script(renderkiln))["result"]["report"]["voice"]
    again = narrate(renderkiln, script(renderkiln))["result"]["report"]["voice"]
    assert (first["cached"], again["cached"]) == (0, again["chunks"])


def test_music_that_is_not_there_is_left_out_and_said(renderkiln: Command) -> None:
    report = narrate(renderkiln, script(renderkiln), "--music", "missing.mp3", "--noise", "pink")
    assert list(report["result"]["leftOut"]) == ["background"]
    assert any("does not exist" in text for text in said(report))
    assert report["result"]["report"]["layers"] == ["voice", "noise"]


def test_music_that_is_required_fails_the_job(renderkiln: Command) -> None:
    required = ("--set", "layers.background.required=true")
    ended = renderkiln("render", "narration", script(renderkiln), "--music", "missing.mp3", *required)
    assert ended.returncode == 1
    assert "the layer background is required, and failed" in ended.stderr
    assert not (renderkiln.folder / "renderkiln-output").exists() or not list(
        (renderkiln.folder / "renderkiln-output").iterdir()
    )


@pytest.mark.parametrize(
    ("text", "arguments", "says"),
    [
        ("Hello.\n[pause 3x]", (), "The script: line 2:"),
        ("Hello.", ("--voice", "openai:nova"), "TTS provider not configured: set OPENAI_API_KEY"),
        ("Hello.", ("--voice", "nobody:x"), "unknown speech 'nobody'; known are: elevenlabs, espeak, openai"),
        ("Hello.", ("--voice", "espeak:klingon"), "klingon"),
        ("Hello.", ("--duration-min", "20"), "at most 15 minutes are made (setting max_duration_minutes)"),
        ("Hello there. " * 3000, (), "minutes to speak; at most 15 minutes are made"),
        ("Hello.", ("--voice", "file:missing.wav"), "The recorded voice: "),
    ],
)
def test_what_can_never_be_made_fails_before_any_work(
    renderkiln: Command, text: str, arguments: tuple[str, ...], says: str
) -> None:
    ended = renderkiln(
        "render", "narration", script(renderkiln, text), *arguments, "--out", renderkiln.out, "-q"
    )
    assert ended.returncode == 1
    assert says in ended.stderr
    assert "Traceback" not in ended.stderr
    assert not renderkiln.delivered()


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("spec.json", '{"script": "Hi.", "bogus": 1}', "bogus: unknown field; known are "),
        ("spec.json", "{", "no valid JSON"),
        ("spec.json", "[]", "a spec is a JSON object"),
        ("latin.txt", "caf\udce9", "is no text in UTF-8: byte 3 is 0xe9"),
        ("empty.txt", "", "the script is empty"),
    ],
)
def test_a_wrong_spec_is_a_wrong_call(renderkiln: Command, name: str, content: str, says: str) -> None:
    path = renderkiln.folder / name
    path.write_bytes(content.encode(errors="surrogateescape"))
    ended = renderkiln("render", "narration", path)
    assert ended.returncode == 2, ended.stderr
    assert says in ended.stderr


def test_a_script_may_come_through_a_pipe(renderkiln: Command) -> None:
    command = "echo 'Good evening.' | $RENDERKILN render narration - --title Evening --out out -q"
    line = command.replace("$RENDERKILN", " ".join(renderkiln._line(())))
    subprocess.run(line, shell=True, check=True, cwd=renderkiln.folder, env=renderkiln._env(None))
    assert any(name.endswith("_evening_mp3_v1.mp3") for name in renderkiln.delivered())


def test_a_flag_counts_more_than_the_spec(renderkiln: Command) -> None:
    spec = {
        "scriptText": "Good evening.",
        "voiceRef": "openai:nova",
        "layers": {"solfeggio": {"hz": 396, "gainDb": -20}},
        "outputOptions": {"format": "wav"},
    }
    path = script(renderkiln, json.dumps(spec), "spec.json")
    report = narrate(renderkiln, path, "--voice", "espeak:en", "--solfeggio", 639, "--format", "flac")
    told = report["result"]["report"]
    assert told["voice"]["provider"] == "espeak"
    assert told["output"]["format"] == "flac"
    (tone,) = told["measured"]["tones"]
    assert tone["hz"] == pytest.approx(639, abs=0.02)


def test_a_service_speaks_and_another_voice_takes_over_when_it_is_down(renderkiln: Command) -> None:
    with openai_server() as server:
        env = {"OPENAI_API_KEY": KEY, "OPENAI_BASE_URL": f"{server.url}/v1"}
        text = script(renderkiln, "Good evening. [pause 1s] Good night.")
        report = narrate(renderkiln, text, "--voice", "openai:nova", env=env)
        spoken = report["result"]["report"]["voice"]
        assert (spoken["provider"], spoken["voice"], spoken["chunks"]) == ("openai", "nova", 2)
        assert report["cost"]["services"] == spoken["cost"] > 0
        assert {each.body["input"] for each in server.received} == {"Good evening.", "Good night."}
        server.faults.extend([says(401, {"error": {"message": "Incorrect API key"}})] * 9)
        env["RENDERKILN_TTS_FALLBACK"] = "espeak:en"
        other = script(renderkiln, "Something new.", "new.txt")
        report = narrate(renderkiln, other, "--voice", "openai:nova", env=env)
        assert report["cost"] is None
        assert report["result"]["report"]["voice"]["provider"] == "espeak"
        assert report["result"]["report"]["voice"]["asked"] == "openai:nova"
        assert any("espeak:en speaks instead" in text for text in said(report))
        assert KEY not in json.dumps(report)


def test_a_queued_narration_is_made_by_a_worker(renderkiln: Command) -> None:
    submitted = renderkiln("submit", "narration", script(renderkiln), "--out", renderkiln.out)
    assert submitted.returncode == 0, submitted.stderr
    worked = renderkiln("worker", "--queues", "audio-rendering", "--idle-timeout", "1")
    assert worked.returncode == 0, worked.stderr
    assert any(name.endswith("_calm_mp3_v1.mp3") for name in renderkiln.delivered())


@pytest.fixture
def website(renderkiln: Command) -> Iterator[str]:
    """Serves the folder the command runs in."""
    handler = partial(SimpleHTTPRequestHandler, directory=str(renderkiln.folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_music_may_come_from_a_url_but_not_from_this_machine(renderkiln: Command, website: str) -> None:
    text, url = script(renderkiln), f"{website}/{song(renderkiln).name}"
    refused = narrate(renderkiln, text, "--music", url)
    assert "is not on the public internet" in refused["result"]["leftOut"]["background"]
    allowed = {"RENDERKILN_PRIVATE_URLS": "true"}
    taken = narrate(renderkiln, text, "--music", url, env=allowed)["result"]
    assert taken["leftOut"] == {}
    assert taken["report"]["background"]["source"] == url
    wrong = narrate(renderkiln, text, "--music", f"{website}/calm.txt", env=allowed)
    assert f"{website}/calm.txt" in wrong["result"]["leftOut"]["background"]


def test_a_voice_of_its_own_is_the_narration(renderkiln: Command) -> None:
    song(renderkiln)
    spec = {"voice": "file:song.wav", "layers": {"noise": {"color": "brown"}}}
    report = narrate(renderkiln, script(renderkiln, json.dumps(spec), "spec.json"))["result"]["report"]
    assert report["voice"]["provider"] == "file"
    assert report["duration"]["made"] == pytest.approx(2 + 6 + 6, abs=0.01)
