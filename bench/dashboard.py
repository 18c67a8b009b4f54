"""What the dashboard costs who looks at it: in a real chromium, before a real service that renders.

Ten films are made at once, on however many cores there are, so wall times are those of a busy machine.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from playwright.sync_api import Browser, BrowserContext, CDPSession, Page, sync_playwright

from chromium import FLAGS, chromium
from row import Row
from serving import Serving
from song import song

_JOBS = 10  # at once
_LISTED = 5_000
_SECONDS = 60.0  # that the CPU time of a page is counted
_MINUTES = 20  # that its memory is watched
# Notes when the heading and the queues are there, in ms since the navigation began.
_READY = """new MutationObserver(() => {
  const title = document.querySelector('h1')?.textContent;
  if (title === 'Overview' && document.querySelector('article')) window.ready ??= performance.now();
}).observe(document, { childList: true, subtree: true });"""
# Notes how long each frame took, in ms.
_FRAMES = """window.frames_ = []; let last = performance.now();
const frame = (now) => { window.frames_.push(now - last); last = now; requestAnimationFrame(frame); };
requestAnimationFrame(frame);"""


class DashboardBench:
    """Measures in `folder`; `scale` shortens it."""

    def __init__(self, folder: Path, scale: float) -> None:
        self._folder = folder / "dashboard"
        self._scale = scale

    def rows(self) -> Iterator[Row]:
        serving = Serving(self._folder, VIDEO_RENDERING=_JOBS, MAX_OPEN_JOBS=2 * _LISTED)
        with serving.started() as (url, _), sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium(), args=list(FLAGS))
            look = _Look(browser, url, serving.key())
            music = song(self._folder, 600)
            asset = look.ask("POST", "/assets?name=song.wav", content=music.read_bytes())["id"]
            order = {"pipeline": "visualizer", "params": {"format": "preview", "quality": "draft"}}
            look.ask("POST", "/batches", json={**order, "assets": [asset] * 4 * _JOBS})
            _until(lambda: len(_running(look)) == _JOBS)
            later = {**order, "assets": [asset], "startAt": "2099-01-01T00:00:00Z"}
            yield from self._start(look)
            yield from self._lag(look, later)
            yield from self._processor(look, _running(look)[0])
            yield from self._memory(look, _running(look)[0], later)
            look.ask("POST", "/jobs/cancel", json={"state": ["processing", "pending"]})
            for _ in range(_LISTED // 1000):
                look.ask("POST", "/batches", json={**later, "assets": [asset] * 1000})
            yield from self._list(look)
            browser.close()

    def _start(self, look: _Look) -> Iterator[Row]:
        times: dict[str, list[float]] = {"nothing": [], "everything": []}
        for _ in range(5):
            with look.context() as context:
                for kept in times:
                    page = context.new_page()
                    page.add_init_script(_READY)
                    page.goto("/")
                    _until(lambda page=page: page.evaluate("window.ready"))  # type: ignore[misc]
                    times[kept].append(page.evaluate("window.ready"))
                    page.close()
                    time.sleep(1)  # until it is gone, and the browser is as idle as for the first
        for kept, found in times.items():
            yield Row(
                f"overview ready, {kept} in the browser's cache", statistics.median(found), "ms", "< 1000"
            )

    def _lag(self, look: _Look, order: dict[str, Any]) -> Iterator[Row]:
        """From the moment that a job is submitted until its row is in the list of another window."""
        lags = []
        with look.page("/jobs") as page:
            page.locator("[data-job]").first.wait_for()
            for _ in range(20):
                began = time.monotonic()
                made = look.ask("POST", "/jobs", json=order)["id"]
                page.locator(f"[data-job='{made}']").wait_for()
                lags.append((time.monotonic() - began) * 1000)
                page.wait_for_timeout(1500)
        yield Row("a new job in the list, p50", _percentile(sorted(lags), 50), "ms", "< 1000")
        yield Row("a new job in the list, p95", _percentile(sorted(lags), 95), "ms")

    def _processor(self, look: _Look, job: str) -> Iterator[Row]:
        for path in ("/", "/jobs", f"/jobs/{job}", "/events"):
            with look.page(path) as page:
                page.wait_for_timeout(3_000)
                before, began = look.processors(), time.monotonic()
                page.wait_for_timeout(_SECONDS * self._scale * 1000)
                spent = sum(used - before.get(id, 0.0) for id, used in look.processors().items())
                name = path if job not in path else "/jobs/ID"
                target = "< 5"
                yield Row(
                    f"{name} while {_JOBS} jobs run",
                    spent / (time.monotonic() - began) * 100,
                    "% of a core",
                    target,
                )

    def _memory(self, look: _Look, job: str, order: dict[str, Any]) -> Iterator[Row]:
        """Of pages that are open all the time, while jobs run, come and go, and events happen."""
        minutes = max(4, round(_MINUTES * self._scale))
        with look.context() as context:
            pages = {}
            for path in ("/", "/jobs", f"/jobs/{job}", "/events"):
                pages[path.replace(job, "ID")] = page = context.new_page()
                page.goto(path)
            lines = {name: context.new_cdp_session(page) for name, page in pages.items()}
            found: dict[str, list[tuple[float, int]]] = {name: [] for name in pages}
            for _ in range(minutes):
                end = time.monotonic() + 60
                while time.monotonic() < end:
                    look.ask("POST", "/events", json={"eventType": "bench.happened", "payload": {"n": 1}})
                    made = look.ask("POST", "/jobs", json=order)["id"]
                    look.ask("POST", f"/jobs/{made}/cancel")
                    pages["/"].wait_for_timeout(500)
                for name, line in lines.items():
                    found[name].append(_held(line))
        for name, samples in found.items():
            # The first samples still grow: lists fill up to what they keep.
            half = samples[len(samples) // 4 :]
            first, last = half[: len(half) // 3 or 1], half[-(len(half) // 3 or 1) :]
            for what, unit, column in (("heap", "MB", 0), ("nodes of the DOM", "", 1)):
                means = [statistics.mean(each[column] for each in part) for part in (first, last)]
                yield Row(f"{name}, {what} at first", means[0], unit)
                yield Row(f"{name}, {what} after {minutes} minutes", means[1], unit, "flat")

    def _list(self, look: _Look) -> Iterator[Row]:
        with look.page("/jobs") as page:
            page.locator("[data-job]").first.wait_for()
            page.mouse.move(700, 500)
            page.evaluate(_FRAMES)
            for way in (1, -1):
                before = None
                while (place := page.evaluate(_PLACE)) != before:
                    before = place
                    for _ in range(40):
                        page.mouse.wheel(0, way * 400)
                        page.wait_for_timeout(16)
            frames = sorted(page.evaluate("window.frames_"))
            height = page.evaluate("document.querySelector('[role=list] > div').scrollHeight")
            yield Row("jobs that the list has shown", height / 64, "")
            yield Row("scrolling through them, frames p50", _percentile(frames, 50), "ms")
            yield Row("scrolling through them, frames p95", _percentile(frames, 95), "ms", "< 34")
            yield Row(
                "nodes of the DOM", page.evaluate("document.querySelectorAll('*').length"), "", "bounded"
            )


_PLACE = "document.querySelector('[role=list] > div').scrollTop"


class _Look:
    """Windows of a browser that has logged in."""

    def __init__(self, browser: Browser, url: str, key: str) -> None:
        self._browser, self._url, self._key = browser, url, key
        self._line = browser.new_browser_cdp_session()
        self._asking = httpx.Client(headers={"Authorization": f"Bearer {key}"}, timeout=120)

    @contextmanager
    def context(self) -> Iterator[BrowserContext]:
        """One that has nothing in its cache."""
        made = self._browser.new_context(base_url=self._url, viewport={"width": 1440, "height": 900})
        answer = made.request.post("/login", data={"key": self._key}, headers={"Origin": self._url})
        assert answer.ok, answer.text()
        yield made
        made.close()

    @contextmanager
    def page(self, path: str) -> Iterator[Page]:
        with self.context() as context:
            page = context.new_page()
            page.goto(path)
            yield page

    def ask(self, method: str, path: str, **order: Any) -> Any:
        """What the API answers."""
        answer = self._asking.request(method, f"{self._url}/api/v1{path}", **order)
        if answer.is_error:
            raise SystemExit(f"{method} {path}: {answer.text}")
        return answer.json()["data"]

    def processors(self) -> dict[int, float]:
        """Seconds that each process of a page has computed."""
        told = self._line.send("SystemInfo.getProcessInfo")["processInfo"]
        return {each["id"]: float(each["cpuTime"]) for each in told if each["type"] == "renderer"}


def _running(look: _Look) -> list[str]:
    """Ids of the jobs that run, the newest first."""
    return [each["id"] for each in look.ask("GET", "/jobs?state=processing")["items"]]


def _held(line: CDPSession) -> tuple[float, int]:
    """MB of JavaScript and nodes of the DOM that are in use."""
    for _ in range(2):
        line.send("HeapProfiler.collectGarbage")
    counters = line.send("Memory.getDOMCounters")
    return line.send("Runtime.getHeapUsage")["usedSize"] / 1e6, counters["nodes"]


def _until(happened: Callable[[], object], seconds: float = 300.0) -> None:
    deadline = time.monotonic() + seconds
    while not happened():
        if time.monotonic() > deadline:
            raise SystemExit("the dashboard or its jobs do not come")
        time.sleep(0.05)


def _percentile(values: list[float], percent: float) -> float:
    return values[min(len(values) - 1, int(len(values) * percent / 100))]
