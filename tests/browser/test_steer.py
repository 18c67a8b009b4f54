"""How people steer from the dashboard what went otherwise than they wished."""

from __future__ import annotations

import json
import re
from pathlib import Path

import httpx
from playwright.sync_api import expect

from waiting import until

from .conftest import OpenPage, Service
from .test_dashboard import LONG, song, submit
from .test_house import Receiver, receiver

__all__ = ["receiver"]


def test_a_job_is_made_anew_from_a_stage_on(open_page: OpenPage, service: Service, tmp_path: Path) -> None:
    page = open_page()
    (id,) = submit(service, tmp_path, "Steered", seconds=20.0)
    page.goto(f"/jobs/{id}")
    standing, stages = page.get_by_label("How it stands"), page.get_by_label("Stages")
    expect(page.get_by_alt_text("The latest rendered frame")).to_be_visible(timeout=LONG)
    page.get_by_role("button", name="Cancel", exact=True).click()
    page.get_by_role("button", name="Cancel the job").click()
    expect(standing.get_by_text("Cancelled").first).to_be_visible()
    expect(page.get_by_role("button", name="Make anew from Verifying")).to_have_count(0)  # not begun
    page.get_by_role("button", name="Make anew from Rendering").click()
    page.get_by_role("button", name="Make it anew").click()
    expect(page.get_by_text("Queued again, from “Rendering frames” on")).to_be_visible()
    expect(stages.get_by_text("done before", exact=True).first).to_be_visible(timeout=LONG)
    told = json.loads(service("jobs", "show", id, "--events", "-o", "json"))["events"]
    assert "Queued again, from the stage render" in [each["message"] for each in told]
    service("jobs", "cancel", id)


def test_a_link_to_a_file_needs_no_key_and_who_is_told_is_shown(
    open_page: OpenPage, service: Service, receiver: Receiver, tmp_path: Path
) -> None:
    page = open_page()
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    headers = {"Authorization": f"Bearer {service.key}"}
    with httpx.Client(base_url=f"{service.url}/api/v1", headers=headers) as api:
        music = song(tmp_path, "Song").read_bytes()
        asset = api.post("/assets", params={"name": "Song.wav"}, content=music).json()["data"]["id"]
        look = {"format": "preview", "quality": "draft", "template": "waveform"}
        order = {"pipeline": "visualizer", "params": look, "assets": [asset], "webhookUrl": receiver.url}
        id = api.post("/jobs", json=order).json()["data"]["id"]
    page.goto(f"/jobs/{id}")
    told = page.get_by_role("region", name="Who is told")
    sent = told.get_by_role("listitem").filter(has_text="job.completed")
    expect(sent).to_contain_text("Arrived", timeout=LONG)
    sent.locator("summary").click()
    sent.get_by_role("button", name="Send it again").click()
    until(lambda: len(receiver.came) == 2)
    page.get_by_role("button", name=re.compile("^Copy a link to .*mp4")).click()
    expect(page.get_by_text(re.compile(r"^Copied: whoever has this link gets .*mp4, until "))).to_be_visible()
    link = page.evaluate("navigator.clipboard.readText()")
    assert link.startswith(service.url)
    (film,) = (service.home.parent / "films").glob("*.mp4")
    assert httpx.get(link).content == film.read_bytes()
