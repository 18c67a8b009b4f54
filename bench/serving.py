"""A real `renderkiln serve`, in a folder of its own."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from process import Process


class Serving:
    """Commands and a service of one home, without a limit of requests; `settings` are of the environment."""

    def __init__(self, folder: Path, **settings: object) -> None:
        folder.mkdir(exist_ok=True)
        self._folder = folder
        own = {"HOME": folder / "home", "OUTPUT_DIR": folder / "out", "RATE_LIMIT": 0, **settings}
        self._environment = {
            **os.environ, **{f"RENDERKILN_{name}": str(value) for name, value in own.items()}
        }  # fmt: skip

    def key(self) -> str:
        """A new one that opens everything."""
        command = [
            sys.executable,
            "-m",
            "renderkiln",
            "keys",
            "create",
            "--name",
            "bench",
            "--scope",
            "admin",
        ]
        done = subprocess.run(
            command,
            env=self._environment,
            check=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        return done.stdout.strip()

    @contextmanager
    def started(self) -> Iterator[tuple[str, Process]]:
        """Its URL, without a path, and its process."""
        said = self._folder / "said"
        with said.open("w") as stderr:  # not a pipe: one that nobody reads is full after some hours
            command = [sys.executable, "-m", "renderkiln", "serve", "--port", "0"]
            process = subprocess.Popen(command, env=self._environment, cwd=self._folder, stderr=stderr)
        try:
            while (found := re.search(r"(http\S+)/api/v1 answers", said.read_text())) is None:
                if process.poll() is not None:
                    raise SystemExit(said.read_text())
                time.sleep(0.1)
            urllib.request.urlopen(f"{found[1]}/healthz", timeout=20).close()
            yield found[1], Process(process.pid)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=60)
