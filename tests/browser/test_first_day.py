"""The first things that somebody does: watch the demo, then work by keys alone."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from acceptance.conftest import tune, write_wav
from waiting import until

from .conftest import OpenPage, Service

LONG = 800_000  # ms: rendering on a loaded machine
# Whatever the page says of how a job stands, and each percent that its bar shows.
LISTEN = """
window.told = [];
window.percents = [];
new MutationObserver(() => {
  const standing = document.querySelector('[aria-label="How it stands"]');
  const sentence = standing?.querySelector('[aria-live]')?.textContent.trim();
  if (sentence && sentence !== told.at(-1)) told.push(sentence);
  const percent = standing?.querySelector('[role=progressbar]')?.getAttribute('aria-valuenow');
  if (percent && Number(percent) !== percents.at(-1)) percents.push(Number(percent));
}).observe(document, { subtree: true, childList: true, characterData: true, attributes: true });
"""


@pytest.mark.timeout(1700)
def test_the_demo_is_rendered_and_watched_to_its_end(
    open_page: OpenPage, service: Service, tmp_path: Path
) -> None:
    page = open_page(log_in=False)
    page.add_init_script(LISTEN)
    service("queues", "pause", "video-rendering")  # so that it is seen waiting
    page.goto(service.link)
    page.get_by_role("button", name="Render the demo").click()
    standing = page.get_by_label("How it stands")
    expect(standing.get_by_text("Waiting in queue…")).to_be_visible(timeout=LONG)
    service("queues", "resume", "video-rendering")
    expect(standing.get_by_text("Video ready!")).to_be_visible(timeout=LONG)
    assert page.evaluate("told") == ["Waiting in queue…", "Processing video…", "Video ready!"]
    percents = page.evaluate("percents")
    assert percents == sorted(percents)
    assert len(percents) > 10
    assert percents[-1] == 100

    verified = page.get_by_role("region", name="Verified")
    expect(verified).to_contain_text("1920×1080")
    expect(verified).to_contain_text("LUFS")
    film = page.locator("video")
    until(lambda: film.evaluate("film => film.readyState >= 2 && film.duration > 19"))
    film.evaluate("film => { film.muted = true; void film.play(); }")
    until(lambda: film.evaluate("film => film.currentTime > 0.2"))

    broken = tmp_path / "Broken.wav"
    broken.write_bytes(b"RIFF" + b"0" * 3000)
    (id,) = service("submit", "visualizer", broken, "--out", tmp_path / "out").split()
    page.goto(f"/jobs/{id}")
    expect(standing.get_by_text("Processing failed")).to_be_visible(timeout=LONG)
    assert page.evaluate("told")[-1] == "Processing failed"


def go_to(page: Page, wanted: Locator) -> None:
    """Press Tab until one is there."""
    wanted.wait_for()
    for _ in range(80):
        if wanted.evaluate("element => element === document.activeElement"):
            return
        page.keyboard.press("Tab")
    pytest.fail(f"no key leads to {wanted}")


@pytest.mark.timeout(600)
def test_a_job_is_submitted_and_cancelled_by_keys_alone(
    open_page: OpenPage, service: Service, tmp_path: Path
) -> None:
    page = open_page()
    page.keyboard.press("g")
    page.keyboard.press("s")
    go_to(page, page.locator("input[type=file]"))
    with page.expect_file_chooser() as chosen:
        page.keyboard.press("Space")
    chosen.value.set_files(write_wav(tmp_path / "My song.wav", tune(60.0)))
    expect(page.get_by_label("It has arrived")).to_be_visible()
    go_to(page, page.get_by_label("Format", exact=True))
    page.keyboard.type("preview")
    go_to(page, page.get_by_role("combobox", name="Template"))
    page.keyboard.type("waveform")
    go_to(page, page.get_by_label("Name", exact=True))
    page.keyboard.type("By hand")
    go_to(page, page.get_by_role("button", name="Submit", exact=True))
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="By hand")).to_be_visible()
    standing = page.get_by_label("How it stands")
    expect(standing.get_by_text("Processing video…")).to_be_visible(timeout=LONG)

    go_to(page, page.get_by_role("button", name="Cancel", exact=True))
    page.keyboard.press("Enter")
    go_to(page, page.get_by_role("alertdialog").get_by_role("button", name="Cancel the job"))
    page.keyboard.press("Enter")
    expect(standing.get_by_text("Cancelled").first).to_be_visible()
    expect(page.get_by_role("button", name=re.compile("^Retry"))).to_be_visible()
    id = page.url.rpartition("/")[2]
    assert '"cancelled"' in service("jobs", "show", id, "-o", "json")
