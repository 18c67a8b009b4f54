"""What people do on the dashboard, each in a real chromium."""

from __future__ import annotations

import json
import os
import re
import signal
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from acceptance.conftest import tune, write_wav
from waiting import until

from .conftest import Faults, OpenPage, Service

LONG = 240_000  # ms: rendering on a loaded machine


def song(folder: Path, name: str, seconds: float = 0.5) -> Path:
    return write_wav(folder / f"{name}.wav", tune(seconds))


def submit(service: Service, folder: Path, *names: str, seconds: float = 0.5) -> list[str]:
    """Films of these songs, small and quick."""
    songs = [song(folder, name, seconds) for name in names]
    small = ("--format", "preview", "--quality", "draft", "--template", "waveform")
    return service("submit", "visualizer", *songs, *small, "--out", folder / "out").split()


def rows(page: Page) -> Locator:
    return page.get_by_role("list", name="Jobs").get_by_role("listitem")


def test_one_click_on_the_link_and_the_person_is_in(open_page: OpenPage, service: Service) -> None:
    page = open_page(log_in=False)
    page.goto(service.link)
    expect(page.get_by_role("heading", name="Your render room is ready")).to_be_visible()
    expect(page.get_by_role("button", name="Render the demo")).to_be_visible()
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_role("heading", name="Open the render room")).to_be_visible()
    page.reload()
    expect(page.get_by_label("API key")).to_be_visible()


def test_a_job_is_followed_from_its_form_to_its_film(
    open_page: OpenPage, service: Service, tmp_path: Path
) -> None:
    page = open_page()
    service("queues", "pause", "video-rendering")
    page.goto("/submit")
    page.locator("input[type=file]").set_input_files(song(tmp_path, "My song", 2.0))
    page.get_by_label("Format", exact=True).select_option("preview")
    page.get_by_label("Template").fill("waveform")
    expect(page.get_by_text("It takes about")).to_be_visible()
    page.get_by_role("button", name="Submit", exact=True).click()
    expect(page.get_by_role("heading", name="My song.wav")).to_be_visible()
    standing = page.get_by_label("How it stands")
    expect(standing.get_by_text("Waiting in queue…")).to_be_visible()
    service("queues", "resume", "video-rendering")
    expect(standing.get_by_text("Processing video…")).to_be_visible(timeout=LONG)
    expect(standing.get_by_text("Video ready!")).to_be_visible(timeout=LONG)
    expect(page.get_by_role("link", name=re.compile("^Download .*mp4"))).to_be_visible()
    expect(page.get_by_label("Stages").get_by_text("done", exact=True)).to_have_count(5)
    until(lambda: page.evaluate("document.querySelector('video')?.videoWidth === 640"))


def test_a_failure_says_why_and_a_retry_is_one_click(
    open_page: OpenPage, service: Service, tmp_path: Path
) -> None:
    page = open_page()
    broken = tmp_path / "Broken.wav"
    broken.write_bytes(b"RIFF" + b"0" * 3000)
    (id,) = service("submit", "visualizer", broken, "--out", tmp_path / "out").split()
    page.goto(f"/jobs/{id}")
    standing = page.get_by_label("How it stands")
    expect(standing.get_by_text("Processing failed")).to_be_visible(timeout=LONG)
    expect(standing.get_by_role("alert")).to_contain_text("is not a media file we accept")
    write_wav(broken, tune(0.5))
    page.get_by_role("button", name=re.compile("^Retry")).click()
    expect(standing.get_by_text("Video ready!")).to_be_visible(timeout=LONG)


@pytest.mark.timeout(800)
def test_a_worker_that_is_killed_comes_back(open_page: OpenPage, service: Service, tmp_path: Path) -> None:
    page = open_page()
    (id,) = submit(service, tmp_path, "Long", seconds=30.0)
    page.goto(f"/jobs/{id}")
    standing = page.get_by_label("How it stands")
    expect(standing.get_by_text("Processing video…")).to_be_visible(timeout=LONG)
    expect(page.get_by_alt_text("The latest rendered frame")).to_be_visible(timeout=LONG)
    (worker, *_) = service.workers()
    os.kill(worker, signal.SIGKILL)
    expect(page.get_by_label("Attempts").get_by_text("another one went on where it was")).to_be_visible(
        timeout=LONG
    )
    expect(standing.get_by_text("Video ready!")).to_be_visible(timeout=LONG)


def test_failed_jobs_are_retried_all_at_once(open_page: OpenPage, service: Service, tmp_path: Path) -> None:
    page = open_page()
    broken = [tmp_path / f"bulk {name}.wav" for name in ("one", "two", "three")]
    for each in broken:
        each.write_bytes(b"RIFF" + b"0" * 3000)
    service("submit", "visualizer", *broken, "--out", tmp_path / "out")
    page.goto("/jobs?state=failed&q=bulk")
    expect(rows(page)).to_have_count(3, timeout=LONG)
    service("queues", "pause", "video-rendering")
    submit(service, tmp_path, "bulk four")
    page.get_by_role("button", name="Retry all…").click()
    dialog = page.get_by_role("alertdialog")
    expect(dialog.get_by_role("heading", name="Retry 3 jobs?")).to_be_visible()
    dialog.get_by_role("button", name="Retry 3 jobs").click()
    expect(page.get_by_text("3 jobs queued again")).to_be_visible()
    expect(page.get_by_text("No job matches")).to_be_visible()
    page.goto("/jobs?q=bulk")
    expect(rows(page)).to_have_count(4)
    page.get_by_role("button", name="Cancel all…").click()
    page.get_by_role("button", name="Cancel 4 jobs").click()
    expect(page.get_by_text("4 jobs cancelled")).to_be_visible()
    service("queues", "resume", "video-rendering")


def test_a_queue_is_paused_and_the_list_is_live(
    open_page: OpenPage, service: Service, tmp_path: Path
) -> None:
    page, other = open_page(), open_page()
    submit(service, tmp_path, "early bird")
    card = page.get_by_role("article", name="video-rendering")
    card.get_by_role("button", name="Pause video-rendering").click()
    expect(card.get_by_text("paused")).to_be_visible()
    other.goto("/jobs")
    other.get_by_role("searchbox").fill("bird")
    expect(rows(other)).to_have_count(1)
    submit(service, tmp_path, "late bird")
    expect(rows(other)).to_have_count(2)  # without a reload
    expect(other.get_by_role("searchbox")).to_be_focused()
    expect(other.get_by_role("searchbox")).to_have_value("bird")
    card.get_by_role("button", name="Resume video-rendering").click()
    expect(card.get_by_text("paused")).not_to_be_visible()
    expect(other.get_by_text("Completed", exact=True).last).to_be_visible(timeout=LONG)


HIDE = """() => {
    Object.defineProperty(document, 'hidden', { value: true });
    document.dispatchEvent(new Event('visibilitychange', { bubbles: true }));
}"""


def test_windows_that_nobody_sees_leave_their_connection_to_others(open_page: OpenPage) -> None:
    page = open_page()
    for _ in range(6):  # as many as a browser makes to one server
        page.evaluate(HIDE)
        page = page.context.new_page()
        page.goto("/settings/queues")
        expect(page.get_by_role("form", name="Limits of video-rendering")).to_be_visible()


def test_the_keyboard_goes_everywhere(open_page: OpenPage) -> None:
    page = open_page()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("g")
    page.keyboard.press("j")
    expect(page.get_by_role("heading", name="Jobs", exact=True)).to_be_visible()
    page.keyboard.press("/")
    expect(page.get_by_role("searchbox")).to_be_focused()


def test_a_project_is_edited_and_nothing_that_is_typed_is_lost(
    open_page: OpenPage, service: Service, faults: Faults
) -> None:
    faults.expected = ("422",)  # the browser's word for a refused save
    page = open_page()
    page.goto("/projects")
    page.get_by_role("button", name="From the example").click()
    expect(page.get_by_role("heading", name="Three ways to rest")).to_be_visible()
    scenes = page.get_by_role("region", name="Scenes").get_by_role("listitem")
    page.get_by_role("button", name="Move hook down").click()
    expect(scenes.first).to_contain_text("breathe")

    page.get_by_role("link", name="listen").click()
    text = page.get_by_label("JSON of the scene")
    expect(text).to_have_value(re.compile("Close your eyes"))
    scene = json.loads(text.input_value())
    scene["layers"][0]["type"] = "txt"
    mine = json.dumps(scene, indent=2)
    text.fill(mine)
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("did you mean text?")).to_be_visible()
    page.get_by_role("button", name="layers[0].type").click()
    assert text.evaluate("box => box.value.slice(box.selectionStart, box.selectionEnd)") == '"txt"'

    other = scene | {"voice": "Somebody else."}
    other["layers"] = [other["layers"][0] | {"type": "text"}]
    place = f"/api/v1/projects/{page.url.split('/')[-1].partition('?')[0]}/scenes/listen"
    answer = page.request.put(place, data={"scene": other}, headers={"Origin": service.url})
    assert answer.ok, answer.text()
    expect(page.get_by_text("Somebody else has changed this")).to_be_visible()
    page.get_by_role("link", name="the whole document").click()
    expect(page.get_by_label("JSON of the project")).to_have_value(re.compile("Somebody else."))
    page.get_by_role("link", name="listen").click()
    expect(text).to_have_value(mine)
    text.fill(mine.replace('"txt"', '"text"'))
    page.get_by_role("button", name="Save over theirs").click()
    expect(page.get_by_text("Not saved")).to_be_hidden()
    saved = page.request.get(place).json()["data"]["scene"]
    assert saved["voice"]["speech"] == "Two. Close your eyes, and listen."


def test_a_narration_is_written_and_its_beginning_heard(open_page: OpenPage) -> None:
    page = open_page()
    page.goto("/narration")
    script = page.get_by_role("textbox", name="Script")
    script.fill("Hello.")
    script.press("End")
    page.get_by_role("button", name="Insert a pause of 1s").click()
    page.keyboard.type("And rest.")
    expect(script).to_have_value("Hello. [pause 1s] And rest.")
    expect(page.get_by_text("with its pauses")).to_be_visible()
    page.get_by_text("Noise", exact=True).click()
    page.reload()
    expect(script).to_have_value("Hello. [pause 1s] And rest.")
    page.get_by_role("button", name="Listen to 20 seconds").click()
    audio = page.get_by_label("The first seconds", exact=True)
    expect(audio).to_be_visible(timeout=LONG)
    until(lambda: audio.evaluate("audio => audio.duration > 2 && audio.currentTime > 0.5"))  # it plays
    loudest = """async ({ src }) => {
        const file = await (await fetch(src)).arrayBuffer();
        const sound = await new OfflineAudioContext(1, 1, 48000).decodeAudioData(file);
        return sound.getChannelData(0).reduce((most, each) => Math.max(most, Math.abs(each)), 0);
    }"""
    assert audio.evaluate(loudest) > 0.05


def test_a_chosen_look_is_where_submitting_begins(open_page: OpenPage) -> None:
    page = open_page()
    page.goto("/templates?template=waveform")
    page.get_by_label("Palette").select_option(index=2)
    page.get_by_label("Seed").fill("7")
    page.get_by_role("link", name="Use it").click()
    expect(page.get_by_role("combobox", name="Template")).to_have_value("waveform")
    offered = page.evaluate("[...document.querySelector('datalist').options].map((each) => each.value)")
    assert {"flame", "particles", "spectrum", "waveform"} <= set(offered)
    expect(page.get_by_role("spinbutton", name="Seed")).to_have_value("7")
    expect(page.get_by_role("textbox", name="Look")).to_have_value(re.compile('{"palette":"[a-z]+"}'))


def test_the_server_goes_away_and_nobody_loses_their_place(
    open_page: OpenPage, service: Service, faults: Faults, tmp_path: Path
) -> None:
    faults.expected = ("net::ERR_", "Failed to load resource")
    page = open_page()
    service("queues", "pause", "video-rendering")
    submit(service, tmp_path, *(f"away {n}" for n in range(24)), seconds=0.1)
    page.goto("/jobs?q=away")
    expect(rows(page).first).to_be_visible()
    for _ in range(16):
        page.keyboard.press("j")
    place = """() => {
        const at = document.activeElement;
        return [at.dataset.job, Math.round(at.getBoundingClientRect().top)];
    }"""
    before = page.evaluate(place)
    assert 0 < before[1] < 800
    job = open_page()
    job.goto(f"/jobs/{before[0]}")
    standing = job.get_by_label("How it stands")
    expect(standing.get_by_text("Waiting in queue…")).to_be_visible()
    port = service.port
    service.end()
    for each in (page, job):
        expect(each.get_by_text("The server is away")).to_be_visible()
    expect(page.get_by_role("alert")).to_have_count(0)  # it is said once, and nothing moves
    service.start(port=port)
    for each in (page, job):
        expect(each.get_by_text("The server is away")).not_to_be_visible()
    service("jobs", "cancel", before[0])
    expect(standing.get_by_text("Cancelled").first).to_be_visible()
    expect(page.locator(f"a[data-job='{before[0]}']").get_by_text("Cancelled")).to_be_visible()  # live again
    assert page.evaluate(place) == before
