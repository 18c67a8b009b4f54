"""What `renderkiln doctor` looks at."""

from __future__ import annotations

import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from renderkiln import __version__
from renderkiln.cli.words import size
from renderkiln.database.condition import Condition, address_of, look
from renderkiln.database.schema import REVISION
from renderkiln.domain.clock import SystemClock
from renderkiln.domain.errors import UsageError, UserError
from renderkiln.engine.diskusage import usage
from renderkiln.media import kernels
from renderkiln.media.errors import MediaError
from renderkiln.media.ffmpeg import binary, encoders
from renderkiln.media.frames.fonts import font_files, font_fingerprint
from renderkiln.pipelines import catalog
from renderkiln.settings import Settings

LITTLE_MEMORY = 1_500_000_000  # bytes; a 4k or 360 render takes about a gigabyte
LITTLE_DISK = 5_000_000_000
NO_DISK = 200_000_000


@dataclass(frozen=True)
class Check:
    """One finding. A `broken` thing prevents renders, a `poor` one hampers some; `mend` says what to do."""

    name: str
    state: Literal["fine", "note", "poor", "broken"]
    found: str
    mend: str = ""


def examine(settings: Settings) -> list[Check]:
    """Every check, whatever the others found."""
    return [
        renderkiln(),
        *ffmpeg(settings),
        *plug_ins(),
        fonts(settings),
        machine(settings),
        kernel_cache(settings),
        folder("Home", settings.home, "RENDERKILN_HOME"),
        folder("Output", settings.output_dir, "RENDERKILN_OUTPUT_DIR or --out"),
        *storage(settings),
        *database(settings),
    ]


def renderkiln() -> Check:
    """Which version of what this is."""
    python = f"Python {platform.python_version()}"
    return Check("Renderkiln", "note", f"{__version__}, {python}, {platform.platform()}")


def ffmpeg(settings: Settings) -> Iterator[Check]:
    """The binary, and which of its encoders really encode here."""
    try:
        path = binary.find(settings.ffmpeg)
        yield Check("FFmpeg", "fine", f"{binary.build(path)} at {path}")
        with tempfile.TemporaryDirectory() as scratch:  # tried anew: drivers may have changed
            tried = encoders.working(path, Path(scratch)).values()
    except MediaError as error:
        yield Check("FFmpeg", "broken", str(error), "pip install --force-reinstall imageio-ffmpeg")
        return
    for encoder in (each for each in tried if not each.hardware):
        if encoder.works:
            yield Check(f"Encoder {encoder.name}", "fine", f"{encoder.codec}: a test encode worked")
        else:
            state: Literal["broken", "poor"] = "broken" if encoder.codec == "h264" else "poor"
            mend = f"use another FFmpeg, or do without --codec {encoder.codec}"
            yield Check(f"Encoder {encoder.name}", state, encoder.why_not, mend)
    hardware = [each.name for each in tried if each.hardware and each.works]
    yield Check("Hardware encoders", "note", ", ".join(hardware) or "none works here; none is needed")


def plug_ins() -> Iterator[Check]:
    """The installed pipelines and templates, each of them loaded."""
    for group in (catalog.PIPELINES, catalog.TEMPLATES, catalog.SPEECH):
        kind = group.rpartition(".")[2].capitalize()
        wrong = catalog.broken(group)
        sound = [name for name in catalog.names(group) if name not in wrong]
        if not sound:
            yield Check(kind, "broken", "none can be loaded", "pip install --force-reinstall renderkiln")
        else:
            yield Check(kind, "fine", ", ".join(sound))
        for name, why in wrong.items():
            yield Check(
                f"{kind.removesuffix('s')} {name}", "poor", why, "mend or uninstall the package it comes from"
            )


def fonts(settings: Settings) -> Check:
    """Whether every font file can be read."""
    try:
        font_fingerprint(settings.fonts)
    except (MediaError, OSError) as error:
        mend = "correct the setting `fonts`, or reinstall the font packages"
        return Check("Fonts", "broken", str(error), mend)
    return Check("Fonts", "fine", f"{len(font_files())} bundled, {len(settings.fonts)} of yours")


def machine(settings: Settings) -> Check:
    """Cores and memory."""
    memory = available_memory()
    found = f"{settings.cores} of {os.cpu_count()} cores used, {size(memory)} of memory free"
    if memory < LITTLE_MEMORY:
        return Check("Machine", "poor", found, "close other programs before rendering 4k or 360stereo")
    return Check("Machine", "fine", found)


def kernel_cache(settings: Settings) -> Check:
    """Whether the drawing kernels are compiled already."""
    kept = Path(os.environ.get("NUMBA_CACHE_DIR") or kernels.cache_folder(settings.home / "cache"))
    if any(kept.rglob("*.nbi")):
        return Check("Kernels", "fine", f"compiled, in {kept}")
    return Check("Kernels", "note", "not compiled yet: the first render takes some seconds longer")


def folder(name: str, path: Path, setting: str) -> Check:
    """Whether files can be written to `path`, or it can be made, and how much room there is."""
    place = next((each for each in (path.absolute(), *path.absolute().parents) if each.exists()), Path("/"))
    try:
        with tempfile.TemporaryFile(dir=place):
            free = shutil.disk_usage(place).free
    except OSError as error:
        found = f"{path} cannot be written to: {error.strerror}"
        return Check(name, "broken", found, f"choose another by {setting}")
    found = f"{path.absolute()}{'' if path.exists() else ' (will be made)'}, {size(free)} free"
    if free < NO_DISK:
        return Check(name, "broken", found, "make room: finished films need 10 to 50 MB a minute")
    if free < LITTLE_DISK:
        return Check(name, "poor", found, "make room: finished films need 10 to 50 MB a minute")
    return Check(name, "fine", found)


def storage(settings: Settings) -> Iterator[Check]:
    """Whether files can be stored: in the folder, or in each bucket, where a small one is tried."""
    from renderkiln.storage.errors import StorageError
    from renderkiln.storage.probe import try_out
    from renderkiln.stores import Stores

    if settings.storage == "local":
        yield folder("Storage", settings.storage_folder, "RENDERKILN_STORAGE_DIR")
        return
    try:
        buckets = Stores(settings, SystemClock()).buckets
    except (UsageError, StorageError) as error:
        yield Check("Storage", "broken", str(error), "docs/howto/store-in-a-bucket.md names the settings")
        return
    for name, each in buckets.items():
        try:
            try_out(each)
        except StorageError as error:
            mend = "correct the settings that begin with RENDERKILN_S3_"
            yield Check(f"Storage {name}", "broken", str(error), mend)
        else:
            yield Check(f"Storage {name}", "fine", f"written to, read and removed from {each.place}")


def database(settings: Settings) -> Iterator[Check]:
    """How the database stands, and what it and everything else in the home folder takes. None is made."""
    found = Condition("", exists=False)
    try:
        found = look(address_of(settings.database, settings.home))
        found.refuse_newer()
    except UserError as error:
        mend = "choose another by RENDERKILN_DATABASE; a SQLite file gives way to: renderkiln db restore FILE"
        yield Check("Database", "broken", str(error), mend)
    else:
        yield Check("Database", *_standing(found))
    taken = asdict(usage(settings.home.absolute(), found.size))
    del taken["free"]  # said of the home folder
    yield Check("Disk use", "note", ", ".join(f"{name} {size(each)}" for name, each in taken.items()))


def _standing(found: Condition) -> tuple[Literal["fine", "note"], str]:
    match found:
        case Condition(exists=False):
            return "note", f"{found.shown} will be made with the first queued job"
        case Condition(revision=None):
            return "note", f"{found.shown} is empty: its tables will be made with the first queued job"
        case Condition(revision=str(revision)) if revision != REVISION:
            return (
                "note",
                f"{found.shown} is at revision {revision}: renderkiln db upgrade brings it to {REVISION}",
            )
    return "fine", f"{found.shown}, revision {found.revision}"


def available_memory() -> int:
    """Bytes that programs can still have."""
    if sys.platform == "linux":
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
