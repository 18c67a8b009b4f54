"""`renderkiln probe`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from renderkiln.cli.words import clock, put, put_json, say, shown, size
from renderkiln.media.errors import MediaError
from renderkiln.media.probe import MediaInfo, StreamInfo, probe_safely


@click.command("probe", short_help="Say what a media file is.")
@click.argument(
    "files", nargs=-1, required=True, metavar="FILE...", type=click.Path(path_type=Path, readable=False)
)
@click.option(
    "-o",
    "--output",
    "shape",
    type=click.Choice(["json", "jsonl", "table"]),
    default="table",
    help="How to print it.",
)
def probe(files: Sequence[Path], shape: str) -> int:
    """Say what each FILE is: container, streams, tags. Read in a child process with limits."""
    found: list[Mapping[str, Any]] = []
    status = 0
    for path in files:
        try:
            info = probe_safely(path, gifs=True)
        except MediaError as error:
            say(str(error))
            status = 1
            continue
        facts = {"path": str(path), **_told(info)}
        found.append(facts)
        if shape == "jsonl":
            put_json(facts, indent=None)
        elif shape == "table":
            _describe(path, info)

    if shape == "json":
        put_json(found)
    return status


def _told(info: MediaInfo) -> dict[str, Any]:
    """The facts as JSON; of the cover only what it is."""
    facts = info.to_json()
    if info.cover is not None:
        facts["cover"] = {"media_type": info.cover.media_type, "size": len(info.cover.data)}
    return facts


def _describe(path: Path, info: MediaInfo) -> None:
    length = "unknown length" if info.duration is None else clock(info.duration)
    put(f"{shown(path)}: {info.container}, {length}, {size(info.size)}")
    for stream in info.streams:
        put(f"  {stream.index}  {shown(_stream(stream))}")
    if info.projection:
        put(f"  360°: {info.projection}, {info.stereo_mode or 'mono'}")
    for key, value in info.tags.items():
        put(f"  {shown(key)}: {shown(value)}")


def _stream(stream: StreamInfo) -> str:
    words: list[Any] = [stream.kind, stream.codec]
    if stream.kind == "video":
        words += [f"{stream.width}×{stream.height}"]
        words += ["cover" if stream.attached_picture else f"{stream.fps} fps", stream.pixel_format]
        words += ["/".join(dict.fromkeys(stream.color.values()))]
    if stream.kind == "audio":
        words += [f"{stream.rate} Hz", stream.layout]
    if stream.bit_rate:
        words.append(f"{stream.bit_rate / 1000:.0f} kb/s")
    return ", ".join(str(word) for word in words if word)
