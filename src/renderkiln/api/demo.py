"""The demo's track, for who has no song at hand: composed once, then kept in the cache."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from pathlib import Path

from renderkiln.api.envelope import Refused

_PATIENCE = 300.0  # seconds: the first time instruments are compiled


class Composer:
    """Composes it for all who ask at once. To be used from one event loop."""

    def __init__(self, cache: Path) -> None:
        self._cache, self._lock = cache, asyncio.Lock()

    async def track(self) -> Path:
        """The track, a WAV file. Raises Refused if it cannot be composed."""
        track = self._cache / "demo/track.wav"
        async with self._lock:
            if not track.exists():
                await self._compose(track)
        return track

    async def _compose(self, track: Path) -> None:
        command = ("-m", "renderkiln.media.audio.composing", str(self._cache), str(track))
        child = await asyncio.create_subprocess_exec(
            sys.executable, *command, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL
        )
        try:
            status = await asyncio.wait_for(child.wait(), _PATIENCE)
        finally:
            if child.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    child.kill()
                await child.wait()
        if status:
            raise Refused(500, "INTERNAL", "the demo's track could not be composed; the log says why")
