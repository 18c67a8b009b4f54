"""Makes the documentation's pictures of the dashboard, from the real one: run it by `.venv/bin/python`.

Songs are composed and rendered in a home of their own; it takes some minutes, and needs chromium on PATH.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from renderkiln.media.audio.compose import compose, excerpt, write

PICTURES = Path(__file__).parent / "pictures"
SONGS = ("Night drive", "Morning ember", "Slow river", "Under the pines")


def main() -> None:
    """Photograph a job while it renders, and a batch that is done."""
    with tempfile.TemporaryDirectory(prefix="renderkiln-pictures-") as folder:
        home = Path(folder)
        environment = {
            **os.environ,
            "RENDERKILN_HOME": str(home),
            "RENDERKILN_OUTPUT_DIR": str(home / "films"),
        }
        process = subprocess.Popen(
            [sys.executable, "-m", "renderkiln", "serve", "--port", "0"],
            env=environment,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert process.stderr is not None
        link = next(
            found[0] for line in process.stderr if (found := re.search(r"http://\S+/login\?\S+", line))
        )
        try:
            photograph(link, home, environment)
        finally:
            process.terminate()
            process.wait()


def photograph(link: str, home: Path, environment: dict[str, str]) -> None:
    """Render what is to be seen, and take the pictures."""

    def submit(*arguments: object) -> list[str]:
        line = [sys.executable, "-m", "renderkiln", "submit", "visualizer", *map(str, arguments)]
        return subprocess.run(
            line, env=environment, check=True, capture_output=True, text=True
        ).stdout.split()

    track = compose()
    for number, name in enumerate(SONGS):
        write(home / f"{name}.wav", excerpt(track, 2.0 * number, 8.0))
    write(home / "First Fire.wav", track)
    looks = ("flame", "particles", "spectrum", "waveform")
    for name, look in zip(SONGS, looks, strict=True):
        submit(home / f"{name}.wav", "--template", look, "--format", "720p", "--quality", "draft")
    (film,) = submit(home / "First Fire.wav", "--format", "1080p", "--title", "First Fire")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--headless", "--no-sandbox", "--disable-gpu"]
        )
        page = chromium.new_page(
            viewport={"width": 1280, "height": 860}, color_scheme="dark", device_scale_factor=1.5
        )
        page.set_default_timeout(900_000)
        page.goto(link)
        base = link.partition("/login")[0]
        page.goto(f"{base}/jobs/{film}")
        page.get_by_alt_text("The latest rendered frame").wait_for()
        page.get_by_text(re.compile(r"^[456]\d %$")).first.wait_for()
        take(page, "dashboard")
        page.goto(f"{base}/")
        take(page, "overview")
        chromium.close()


def take(page: Page, name: str) -> None:
    """The page as it is, once all of it is drawn."""
    time.sleep(3)  # charts and pictures come after the page
    page.screenshot(path=PICTURES / f"{name}.jpg", type="jpeg", quality=82)


if __name__ == "__main__":
    main()
