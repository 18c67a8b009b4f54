"""Every page, with something of everything on it: for all eyes and hands, on phones and on walls.

SCREENSHOTS=folder keeps what was seen.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Request, Response, ViewportSize, expect

from waiting import until

from .conftest import Faults, Service, log_in_with
from .lived_in import live_in, neighbours

pytestmark = pytest.mark.timeout(900)  # the first one waits until the room is lived in
PHONE: ViewportSize = {"width": 390, "height": 844}
DESK: ViewportSize = {"width": 1280, "height": 800}
WALL: ViewportSize = {"width": 3840, "height": 2160}
SIZES = {"light": (DESK, WALL), "dark": (PHONE, DESK)}
# What sticks out, and is not within something that scrolls or clips.
OUTSIDE = """() => {
  const clips = (element) => {
    for (let at = element.parentElement; at && at !== document.body; at = at.parentElement)
      if (getComputedStyle(at).overflowX !== 'visible') return true;
    return false;
  };
  const name = (each) => `${each.tagName} ${each.className} ${each.textContent.trim().slice(0, 40)}`;
  const wide = document.documentElement.scrollWidth - innerWidth;
  const out = [...document.body.querySelectorAll('*')].filter((each) => {
    const { left, right, width, height } = each.getBoundingClientRect();
    return width && height && (left < -1 || right > innerWidth + 1) && !clips(each);
  });
  return [...(wide > 0 ? [`the page is ${wide} pixels too wide`] : []), ...out.map(name)];
}"""

Act = Callable[[Page], None]


def button(name: str) -> Act:
    return lambda page: page.get_by_role("button", name=name).first.click()


def write_a_script(page: Page) -> None:
    page.get_by_role("textbox", name="Script").fill("Breathe in. [pause 2s] And out.")
    page.get_by_text("Noise", exact=True).click()
    expect(page.get_by_text("with its pauses")).to_be_visible()


def open_everything(page: Page) -> None:
    for summary in page.locator("main summary").all():
        summary.click()


def make_a_mistake(page: Page) -> None:
    text = page.get_by_label("JSON of the scene")
    text.fill(text.input_value().replace('"text"', '"txt"'))
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("did you mean text?").first).to_be_visible()


@dataclass(frozen=True)
class Visit:
    """Where somebody goes, what is there then, and what they do."""

    path: str
    sees: str
    does: Act = lambda _: None
    refused: str = ""  # what the browser says of an answer that is part of it


VISITS = {
    "overview": Visit("/", "audio-rendering"),
    "help": Visit("/", "audio-rendering", lambda page: page.keyboard.press("?")),
    "jobs": Visit("/jobs", "Under the pines"),
    "jobs-none": Visit("/jobs?q=nowhere", "No job matches"),
    "confirm": Visit("/jobs", "Under the pines", button("Cancel all…")),
    "job-completed": Visit("/jobs/{completed}", "Verified", open_everything),
    "job-audio": Visit("/jobs/{audio}", "Verified"),
    "job-sphere": Visit("/jobs/{sphere}", "See it flat"),
    "job-failed": Visit("/jobs/{failed}", "Processing failed", open_everything),
    "job-processing": Visit("/jobs/{processing}", "Processing video…"),
    "job-pending": Visit("/jobs/{pending}", "Waiting in queue…"),
    "job-cancelled": Visit("/jobs/{cancelled}", "Cancelled"),
    "batches": Visit("/batches", "Two songs"),
    "batch": Visit("/batches/{batch}", "of 2 jobs"),
    "submit": Visit("/submit", "Drop files here"),
    "submit-narration": Visit("/submit?pipeline=narration", "Script"),
    "submit-scenes": Visit("/submit?pipeline=scenes", "The project document"),
    "submit-variations": Visit("/submit?pipeline=variations", "Drop files here"),
    "templates": Visit("/templates?template=waveform", "as you like it"),
    "projects": Visit("/projects", "Three ways to rest"),
    "project": Visit("/projects/{project}", "The whole document"),
    "scene": Visit("/projects/{project}?scene=listen", "the whole document"),
    "scene-wrong": Visit("/projects/{project}?scene=listen", "the whole document", make_a_mistake, "422"),
    "narration": Visit("/narration", "What is heard", write_a_script),
    "workers": Visit("/workers", "video-rendering"),
    "events": Visit("/events", "user.upgraded"),
    "webhooks": Visit("/webhooks", "Studio bot"),
    "webhooks-new": Visit("/webhooks", "Studio bot", button("Add a webhook")),
    "webhook": Visit("/webhooks/{hook}", "Arrived", open_everything),
    "webhook-down": Visit("/webhooks/{down}", "/down", open_everything),
    "settings": Visit("/settings", "Kiosk", button("Make a key")),
    "settings-costs": Visit("/settings/costs", "Kiosk"),
    "settings-queues": Visit("/settings/queues", "audio-rendering"),
    "settings-system": Visit("/settings/system", "sqlite"),
    "nowhere": Visit("/jobs/2026/nowhere", "There is nothing at this address"),
}


@pytest.fixture(scope="module")
def places(service: Service, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    with neighbours() as beside:
        yield live_in(service, beside, tmp_path_factory.mktemp("room"))


@pytest.fixture(scope="module", params=SIZES)
def theme(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def page(browser: Browser, service: Service, places: dict[str, str], theme: str) -> Iterator[Page]:
    """A window that is shared: who visits leaves nothing behind."""
    context = browser.new_context(
        color_scheme="dark" if theme == "dark" else "light", reduced_motion="reduce", base_url=service.url
    )
    context.set_default_timeout(60_000)
    page = context.new_page()
    log_in_with(service.key, page, service.url)
    yield page
    context.close()


@pytest.fixture
def heard(page: Page, faults: Faults) -> Iterator[Faults]:
    """What the page complains of, and what it asked in vain."""

    def failed(request: Request) -> None:
        if request.failure != "net::ERR_ABORTED":  # given up by the page itself
            faults.said.append(f"{request.url}: {request.failure}")

    def answered(response: Response) -> None:
        if response.status >= 400 and str(response.status) not in faults.expected:
            faults.said.append(f"{response.url}: {response.status}")

    page.on("console", faults.hear)
    page.on("requestfailed", failed)
    page.on("response", answered)
    yield faults
    page.remove_listener("console", faults.hear)
    page.remove_listener("requestfailed", failed)
    page.remove_listener("response", answered)


@pytest.mark.parametrize("name", VISITS)
def test_a_page(page: Page, theme: str, places: dict[str, str], heard: Faults, name: str) -> None:
    visit = VISITS[name]
    # The first is chromium's word for having no GPU, of the 360° view, and may come when that is gone.
    heard.expected = ("GPU stall", *filter(None, [visit.refused]))
    first, *others = SIZES[theme]
    page.set_viewport_size(first)
    answer = page.goto(visit.path.format(**places))
    assert answer is not None
    rules = answer.headers["content-security-policy"]
    assert re.search("script-src 'self'(;|$)", rules)
    assert "unsafe-eval" not in rules
    expect(page.get_by_text(visit.sees).first).to_be_visible()
    visit.does(page)
    page.evaluate("document.fonts.ready")
    assert violations(page) == []
    for size in (first, *others):
        page.set_viewport_size(size)
        if folder := os.environ.get("SCREENSHOTS"):
            page.screenshot(path=Path(folder) / f"{name}-{theme}-{size['width']}.png")
        assert page.evaluate(OUTSIDE) == []
    assert heard.said == []


def test_who_chooses_a_scene_on_a_phone_is_led_to_it(page: Page, places: dict[str, str]) -> None:
    page.set_viewport_size(PHONE)
    page.goto(f"/projects/{places['project']}")
    page.get_by_role("link", name="listen").click()
    editor = page.get_by_role("heading", name="Scene listen")
    expect(editor).to_be_focused()
    expect(editor).to_be_in_viewport()
    page.get_by_role("button", name="Scenes").click()
    expect(page.get_by_role("heading", name="Scenes")).to_be_in_viewport()
    for way, first in (("down", "breathe"), ("up", "hook")):
        button = page.get_by_role("button", name=f"Move hook {way}")
        button.focus()
        page.keyboard.press("Enter")
        expect(page.get_by_role("region", name="Scenes").get_by_role("listitem").first).to_contain_text(first)
        until(lambda: page.evaluate("document.activeElement.ariaLabel?.startsWith('Move hook')"))


def test_the_way_in(browser: Browser, service: Service, theme: str) -> None:
    context = browser.new_context(
        color_scheme="dark" if theme == "dark" else "light", reduced_motion="reduce", base_url=service.url
    )
    page = context.new_page()
    page.goto("/")
    page.get_by_label("API key").fill("rk_wrong")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("alert")).to_contain_text("opens nothing")
    assert violations(page) == []
    for size in SIZES[theme]:
        page.set_viewport_size(size)
        assert page.evaluate(OUTSIDE) == []
    context.close()


LONGEST_MOTION = """Math.max(...[...document.querySelectorAll('*')].flatMap((each) => {
  const { transitionDuration, animationDuration } = getComputedStyle(each);
  return `${transitionDuration},${animationDuration}`.split(',').map(parseFloat);
}))"""  # seconds


def test_nothing_moves_for_who_wants_no_motion(page: Page, places: dict[str, str]) -> None:
    page.emulate_media(reduced_motion="no-preference")
    page.goto(f"/jobs/{places['processing']}")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    assert page.evaluate(LONGEST_MOTION) > 0.05
    page.emulate_media(reduced_motion="reduce")
    assert page.evaluate(LONGEST_MOTION) < 0.001


def violations(page: Page) -> list[str]:
    """What axe-core finds, its rule for the size of what one touches too."""
    options = {"resultTypes": ["violations"], "rules": {"target-size": {"enabled": True}}}
    found: list[dict[str, Any]] = Axe().run(page, options=options).response["violations"]
    return [
        f"{each['impact']} {each['id']}: {node['html'][:200]} {node['failureSummary'][:200]}"
        for each in found
        for node in each["nodes"]
    ]
