"""Which encoders really work on this machine, found by using each of them for a tenth of a second."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

from renderkiln.media.errors import MediaError
from renderkiln.media.ffmpeg.binary import build
from renderkiln.media.ffmpeg.command import trial_encode
from renderkiln.media.ffmpeg.run import run

_TIMEOUT = 20.0
_VAAPI = ("-init_hw_device", "vaapi=gpu", "-filter_hw_device", "gpu")
_UPLOAD = "format=nv12,hwupload"


@dataclass(frozen=True)
class Encoder:
    """One encoder of this FFmpeg; `why_not` holds its own last words when it does not work here."""

    name: str
    codec: str
    hardware: str  # "" for software, else "NVIDIA", "VAAPI", …
    works: bool
    why_not: str = ""


_CANDIDATES: Mapping[str, tuple[str, str]] = {
    "libx264": ("h264", ""),
    "libx265": ("hevc", ""),
    "libsvtav1": ("av1", ""),
    "h264_nvenc": ("h264", "NVIDIA"),
    "hevc_nvenc": ("hevc", "NVIDIA"),
    "av1_nvenc": ("av1", "NVIDIA"),
    "h264_vaapi": ("h264", "VAAPI"),
    "hevc_vaapi": ("hevc", "VAAPI"),
    "av1_vaapi": ("av1", "VAAPI"),
    "h264_qsv": ("h264", "Intel Quick Sync"),
    "hevc_qsv": ("hevc", "Intel Quick Sync"),
    "av1_qsv": ("av1", "Intel Quick Sync"),
    "h264_amf": ("h264", "AMD"),
    "hevc_amf": ("hevc", "AMD"),
    "av1_amf": ("av1", "AMD"),
    "h264_videotoolbox": ("h264", "Apple"),
    "hevc_videotoolbox": ("hevc", "Apple"),
}


def working(binary: Path, cache: Path) -> dict[str, Encoder]:
    """Every encoder we know of, tried once per FFmpeg build; the answers are kept in the folder `cache`.

    Delete `encoders-*.json` there after changing drivers. Raises MediaError when `binary` is no FFmpeg.
    """
    stored = cache / f"encoders-{build(binary)}.json"
    try:
        return {name: Encoder(**values) for name, values in json.loads(stored.read_text()).items()}
    except (OSError, ValueError, TypeError):  # not there yet, or written by another version
        pass
    with ThreadPoolExecutor(max_workers=4) as pool:
        encoders = dict(zip(_CANDIDATES, pool.map(lambda name: _try(name, binary), _CANDIDATES), strict=True))
    _store(stored, encoders)
    return encoders


def _try(name: str, binary: Path) -> Encoder:
    codec, hardware = _CANDIDATES[name]
    command = trial_encode(name)
    if hardware == "VAAPI":
        if not Path("/dev/dri").exists():  # this FFmpeg aborts where libva is missing too
            return Encoder(name, codec, hardware, works=False, why_not="no graphics device at /dev/dri")
        command = trial_encode(name, before=_VAAPI, upload=_UPLOAD)
    try:
        run(command, binary=binary, stall_timeout=_TIMEOUT)
    except (MediaError, OSError) as error:
        return Encoder(name, codec, hardware, works=False, why_not=str(error))
    return Encoder(name, codec, hardware, works=True)


def _store(path: Path, encoders: Mapping[str, Encoder]) -> None:
    """Replaced in one step: another process may be reading or writing it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(f".{os.getpid()}.part")
    part.write_text(json.dumps({name: asdict(encoder) for name, encoder in encoders.items()}, indent=1))
    part.replace(path)
