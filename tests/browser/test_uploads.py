"""Files on their way from a browser to the render room."""

from __future__ import annotations

import wave
from pathlib import Path

import httpx
from playwright.sync_api import Locator, Page, Route, expect

from waiting import until

from .conftest import Faults, OpenPage, Service
from .test_dashboard import LONG


def silence(path: Path, size: int) -> Path:
    """A song of about so many bytes, written quickly."""
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 44_100, 0, "NONE", ""))
        file.writeframes(bytes(size))
    return path


def row(page: Page, name: str) -> Locator:
    return page.get_by_role("list", name="Chosen files").get_by_role("listitem").filter(has_text=name)


def test_an_upload_goes_on_when_the_network_is_there_again(
    open_page: OpenPage, service: Service, tmp_path: Path, faults: Faults
) -> None:
    faults.expected = ("net::ERR_", "Failed to load resource")
    page = open_page()
    large = silence(tmp_path / "Large.wav", 70_000_000)  # three requests
    sent: list[int] = []
    held: list[Route] = []

    def patch(route: Route) -> None:
        if route.request.method == "PATCH":
            sent.append(int(route.request.headers["upload-offset"]))
            if len(sent) == 2:
                held.append(route)
                return
        route.continue_()

    page.route("**/api/v1/uploads/*", patch)
    page.goto("/submit")
    page.locator("input[type=file]").set_input_files(large)
    until(lambda: page.evaluate("1") and held)  # while it asks, the page may speak
    page.context.set_offline(True)
    held[0].abort("internetdisconnected")
    expect(row(page, "Large.wav")).to_contain_text("cut off, trying again…")
    page.context.set_offline(False)
    expect(page.get_by_label("It has arrived")).to_be_visible(timeout=LONG)
    assert sent[1] == sent[2] > 0  # where it was cut off, and not from the beginning
    headers = {"Authorization": f"Bearer {service.key}"}
    found = httpx.get(f"{service.url}/api/v1/assets", headers=headers).json()["data"]["items"]
    assert ("Large.wav", large.stat().st_size) in [(each["name"], each["size"]) for each in found]


def test_what_is_no_song_is_refused_beside_what_is_one(
    open_page: OpenPage, tmp_path: Path, faults: Faults
) -> None:
    faults.expected = ("status of 422",)
    page = open_page()
    songs = [silence(tmp_path / f"{name}.wav", 9_000) for name in ("One", "Two")]
    text, empty = tmp_path / "Notes.mp3", tmp_path / "Empty.mp3"
    text.write_text("These are only words.")
    empty.touch()
    page.goto("/submit")
    page.locator("input[type=file]").set_input_files([text, empty, *songs])
    expect(row(page, "Notes.mp3").get_by_role("alert")).to_contain_text("it looks like text")
    expect(row(page, "Empty.mp3").get_by_role("alert")).to_contain_text("This file is empty.")
    for name in ("One", "Two"):
        expect(row(page, f"{name}.wav").get_by_label("It has arrived")).to_be_visible()
    expect(page.get_by_role("button", name="Submit 2 jobs")).to_be_enabled()


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
    large = row(page, "Large.wav")
    large.get_by_role("button", name="Pause the upload of Large.wav").click()
    expect(large).to_contain_text("paused at 3")
    expect(page.get_by_text("An upload is paused: resume it, or cancel it.")).to_be_visible()
    resume = large.get_by_role("button", name="Resume the upload of Large.wav")
    expect(resume).to_be_focused()
    resume.click()
    expect(large.get_by_label("It has arrived")).to_be_visible(timeout=LONG)
    assert sent.count(0) == 1, "what had arrived is not sent again"
    page.locator("input[type=file]").set_input_files(songs[1:])
    for name in ("Other", "Third"):
        page.get_by_role("button", name=f"Cancel the upload of {name}.wav").click()
    expect(page.get_by_role("list", name="Chosen files").get_by_role("listitem")).to_have_count(1)
    until(lambda: page.evaluate("1") and dropped == [204, 204])  # the server has nothing left of them
