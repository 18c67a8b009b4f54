"""Voices over HTTP."""

from __future__ import annotations

from pathlib import Path

import pytest

from .conftest import ON_ONE, Api

pytestmark = [pytest.mark.integration, ON_ONE]


def test_who_can_speak_and_who_cannot_yet(api: Api) -> None:
    found = {each["voice"]: each for each in api.data("GET", "/voices", scope="read")}
    assert found["espeak:en-us"]["problem"] is None
    assert "OPENAI_API_KEY" in found["openai:alloy"]["problem"]


def test_how_long_a_script_takes_and_what_comes_first(api: Api) -> None:
    script = "# One\nBreathe in. [pause 30s] Breathe out, and rest for a long while."
    told = api.data("POST", "/voices/length", scope="read", json={"script": script, "beginning": 5})
    assert 32 < told["seconds"] < 40
    assert told["beginning"] == "Breathe in."
    wrong = api.refusal("POST", "/voices/length", json={"script": "In.\n[pause x] Out."})
    assert wrong[:2] == (422, "INVALID_REQUEST")
    assert wrong[2].startswith("line 2: [pause x]")


def test_a_broken_plug_in_takes_no_voice_away(
    api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    info = tmp_path / "site" / "mute-1.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: mute\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[renderkiln.speech]\nmute = nobody_wrote_it:Speaker\n")
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    found = {each["voice"]: each for each in api.data("GET", "/voices", scope="read")}
    assert found["espeak:en-us"]["problem"] is None
    assert "No module named 'nobody_wrote_it'" in found["mute"]["problem"]
