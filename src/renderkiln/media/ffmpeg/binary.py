"""Finds the FFmpeg binary and says which build it is."""

from __future__ import annotations

import functools
import hashlib
import os
import shutil
import subprocess
from pathlib import Path

from renderkiln.media.errors import MediaError

_MEND = "install it with `pip install imageio-ffmpeg`, or name a working binary in the setting `ffmpeg`"


def find(setting: Path | None = None) -> Path:
    """The binary to use: the one set, else the one of the imageio-ffmpeg wheel, else the first on PATH.

    Raises MediaError when there is none, or when the one set cannot be run.
    """
    if setting is not None:
        if setting.is_file() and os.access(setting, os.X_OK):
            return setting
        raise MediaError(f"the FFmpeg set as {str(setting)!r} is not a program that can be run; {_MEND}")
    found = _from_wheel() or shutil.which("ffmpeg")
    if found is None:
        raise MediaError(f"no FFmpeg was found; {_MEND}")
    return Path(found)


def build(binary: Path) -> str:
    """Version and a hash of the configuration, e.g. `n9.0.2-17-g2a571b6068+1c9e3b7a`.

    Encoders' output depends on it, so it belongs in every fingerprint. Raises MediaError when the binary does
    not answer.
    """
    return _build(str(binary), binary.stat().st_mtime_ns if binary.exists() else 0)


def _from_wheel() -> str | None:
    try:
        import imageio_ffmpeg

        return str(imageio_ffmpeg.get_ffmpeg_exe())
    except (ImportError, RuntimeError):  # RuntimeError: a wheel without a binary for this platform
        return None


@functools.lru_cache(maxsize=8)
def _build(binary: str, _changed: int) -> str:
    try:
        answer = subprocess.run(
            [binary, "-hide_banner", "-version"], capture_output=True, text=True, timeout=30, check=True
        ).stdout
        version = answer.split("\n", 1)[0].split()[2]
    except (OSError, subprocess.SubprocessError, IndexError) as error:
        raise MediaError(f"{binary} does not answer as FFmpeg does ({error}); {_MEND}") from None
    return f"{version}+{hashlib.sha256(answer.encode()).hexdigest()[:8]}"
