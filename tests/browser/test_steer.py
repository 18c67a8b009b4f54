"""How people steer from the dashboard what went otherwise than they wished."""

from __future__ import annotations

import json
import re
import wave
from pathlib import Path

import httpx
from playwright.sync_api import Route, expect

from waiting import until

from .conftest import OpenPage, Service
from .test_dashboard import LONG, song, submit
from .test_house import Receiver, receiver

__all__ = ["receiver"]


def silence(path: Path, size: int) -> Path:
    """A song of about so many bytes, written quickly."""
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 44_100, 0, "NONE", ""))
        file.writeframes(bytes(size))
    return path


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


def test_a_link_to_a_file_needs_no_key_and_who_is_told_is_shown(
    open_page: OpenPage, service: Service, receiver: Receiver, tmp_path: Path
) -> None:
    page = open_page()
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    headers = {"Authorization": f"Bearer {service('keys', 'create', '--name', 'x', '--scope', 'admin')}"}
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
    (film,) = (tmp_path / "films").glob("*.mp4")
    assert httpx.get(link).content == film.read_bytes()


def test_uploads_are_paused_resumed_and_cancelled(open_page: OpenPage, tmp_path: Path) -> None:
    page = open_page()
    songs = [silence(tmp_path / f"{name}.wav", 70_000_000) for name in ("Large", "Other", "Third")]
    sent: list[int] = []
    held: list[Route] = []

    def patch(route: Route) -> None:
        """The first file stands still after the first of its three requests."""
        if route.request.method == "PATCH":
            offset = int(route.request.headers["upload-offset"])
            sent.append(offset)
            if offset and not held:
                held.append(route)
                return
        route.continue_()

    dropped: list[int] = []
    page.on("response", lambda it: dropped.append(it.status) if it.request.method == "DELETE" else None)
    page.route("**/api/v1/uploads/*", patch)
    page.goto("/submit")
    page.locator("input[type=file]").set_input_files(songs[0])
    until(lambda: page.evaluate("1") and held)  # while it asks, the page may speak
    row = page.get_by_role("list", name="Chosen files").get_by_role("listitem").filter(has_text="Large.wav")
    row.get_by_role("button", name="Pause the upload of Large.wav").click()
    expect(row).to_contain_text("paused at 3")
    expect(page.get_by_text("An upload is paused: resume it, or cancel it.")).to_be_visible()
    resume = row.get_by_role("button", name="Resume the upload of Large.wav")
    expect(resume).to_be_focused()
    resume.click()
    expect(row.get_by_label("It has arrived")).to_be_visible(timeout=LONG)
    assert sent.count(0) == 1, "what had arrived is not sent again"
    page.locator("input[type=file]").set_input_files(songs[1:])
    for name in ("Other", "Third"):
        page.get_by_role("button", name=f"Cancel the upload of {name}.wav").click()
    expect(page.get_by_role("list", name="Chosen files").get_by_role("listitem")).to_have_count(1)
    until(lambda: page.evaluate("1") and dropped == [204, 204])  # the server has nothing left of them
