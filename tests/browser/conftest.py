"""The dashboard in a real browser, before a real service."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect, sync_playwright

import ready
from chromium import FLAGS, chromium
from renderkiln.api.site import BUILT
from waiting import until

HERE = Path(__file__).parent
expect.set_options(timeout=30_000)  # ms: no test rests on how long a loaded machine takes


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.browser)


@dataclass
class Service:
    """`renderkiln serve` with a home of its own, and what it said when it began."""

    home: Path
    url: str = ""
    link: str = ""
    process: ready.Process | subprocess.Popen[bytes] | None = None
    python: Path = Path(sys.executable)
    path: str = os.environ.get("PATH", os.defpath)  # where it finds programs
    settings: Mapping[str, object] = field(default_factory=dict)

    def __call__(self, *arguments: object) -> str:
        """What a command of the same home prints."""
        words = list(map(str, arguments))
        if self._is_ours:
            ended = ready.run(words, Path.cwd(), self._env, 120)
        else:
            line = [str(self.python), "-m", "renderkiln", *words]
            ended = subprocess.run(
                line, env=self._env, capture_output=True, text=True, timeout=120, check=False
            )
        assert ended.returncode == 0, ended.stderr
        return ended.stdout.strip()

    def start(self, *, port: int = 0) -> None:
        said = self.home.parent / "said"
        line = ["serve", "--port", str(port)]
        with said.open("w") as stderr:
            process: ready.Process | subprocess.Popen[bytes]
            if self._is_ours:
                process = ready.start([ready.COMMAND, *line], Path.cwd(), self._env, err=stderr.fileno())
            else:
                process = subprocess.Popen(
                    [self.python, "-m", "renderkiln", *line],
                    env=self._env,
                    stderr=stderr,
                    start_new_session=True,
                )
        self.process = process
        until(lambda: "token=" in said.read_text() or process.poll() is not None)
        told = said.read_text()
        url = re.search(r"(http://[^ ]+)/api/v1 answers", told)
        link = re.search(r"http://\S+/login\?\S+", told)
        assert url is not None, told
        assert link is not None, told
        self.url, self.link = url[1], link[0]

    @property
    def _is_ours(self) -> bool:
        """Not a wheel's: what starts faster than a program of its own may be asked."""
        return self.python == Path(sys.executable)

    @cached_property
    def key(self) -> str:
        """An admin's."""
        return self("keys", "create", "--name", "browser", "--scope", "admin")

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    def workers(self) -> list[int]:
        """Processes of workers of this home."""
        return [pid for pid, line in self._processes() if "worker" in line]

    def end(self) -> None:
        if self.process is not None:
            self.process.kill()  # first: it would start its worker again
            self.process.wait()
        for pid, _ in self._processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    @property
    def _env(self) -> dict[str, str]:
        own = {
            "HOME": self.home,
            "OUTPUT_DIR": self.home.parent / "films",
            "POLL_INTERVAL": 0.2,
            "PRIVATE_URLS": True,  # webhooks to this machine
            **self.settings,
        }
        named = {f"RENDERKILN_{name}": str(value) for name, value in own.items()}
        return {**os.environ, **named, "PATH": self.path}

    def _processes(self) -> Iterator[tuple[int, list[str]]]:
        mark = f"RENDERKILN_HOME={self.home}".encode()
        for entry in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if mark in (entry / "environ").read_bytes().split(b"\0"):
                    yield int(entry.name), (entry / "cmdline").read_text().split("\0")


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """One for all tests of a file: who pauses a queue lets it go on, and who counts jobs names them."""
    made = Service(tmp_path_factory.mktemp("room") / "home")
    made.start()
    yield made
    made.end()


@pytest.fixture(scope="module")  # while it is there, a loop runs in this thread, and asyncio starts no other
def browser() -> Iterator[Browser]:
    if not (BUILT / "index.html").exists():
        pytest.fail("the dashboard is not built: `make dashboard`")
    found = chromium()
    if found is None:
        pytest.skip("no chromium on PATH: the dashboard is not looked at")
    with sync_playwright() as playwright:
        made = playwright.chromium.launch(executable_path=found, args=list(FLAGS))
        yield made
        made.close()


@dataclass
class Faults:
    """What a page complained of."""

    said: list[str] = field(default_factory=list)
    expected: tuple[str, ...] = ()

    def hear(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"} and not any(each in message.text for each in self.expected):
            self.said.append(message.text)


OpenPage = Callable[..., Page]


def log_in_with(key: str, page: Page, url: str) -> None:
    answer = page.request.post("/login", data={"key": key}, headers={"Origin": url})
    assert answer.ok, answer.text()
    page.goto("/")
    page.get_by_role("heading", name="Overview").wait_for()


@pytest.fixture
def faults() -> Faults:
    return Faults()


@pytest.fixture
def open_page(browser: Browser, service: Service, faults: Faults) -> Iterator[OpenPage]:
    """A new window; whatever its console says is a failure."""
    contexts: list[BrowserContext] = []

    def made(*, width: int = 1280, height: int = 800, key: str | None = None, log_in: bool = True) -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": height},
            reduced_motion="reduce",
            base_url=service.url,
        )
        context.set_default_timeout(60_000)
        contexts.append(context)
        page = context.new_page()
        page.on("console", faults.hear)
        page.on("pageerror", lambda error: faults.said.append(str(error)))
        if log_in:
            log_in_with(key or service.key, page, service.url)
        return page

    yield made
    for context in contexts:
        context.close()
    assert not faults.said
