"""`renderkiln demo`."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import click

from renderkiln.cli.options import FOLDER
from renderkiln.cli.words import clock, say, shown

EXCERPT = (6.55, 4.0)  # seconds: where it starts, how long it is; the drop is in it


@click.command("demo", short_help="Compose a short track and render it.")
@click.option(
    "--out",
    type=FOLDER,
    default=Path("demo"),
    help="Folder for the films [default: demo]",
)
@click.option("-q", "--quiet", is_flag=True, help="Say only what went wrong.")
def demo(out: Path, *, quiet: bool) -> int:
    """Compose a twenty-second track, render it in 1080p and a part of it in stereoscopic 360°."""
    from renderkiln.cli.orders import Order
    from renderkiln.cli.rendering import render_all
    from renderkiln.media import kernels
    from renderkiln.settings import Settings

    kernels.use_cache(Settings.load(output_dir=out).home / "cache")
    from renderkiln.media.audio.compose import compose, excerpt, write
    from renderkiln.media.audio.studio.score import ARTIST, TITLE

    started = time.monotonic()
    if not quiet:
        say(f"composing {TITLE!r} by {ARTIST} (the first run also compiles its instruments)")
    with tempfile.TemporaryDirectory(prefix="renderkiln-demo-") as scratch:
        song, part = Path(scratch) / f"{TITLE}.wav", Path(scratch) / f"{TITLE} (excerpt).wav"
        track = compose()
        write(song, track)
        write(part, excerpt(track, *EXCERPT))
        if not quiet:
            say(f"composed in {clock(time.monotonic() - started)}; rendering it into {shown(out)}")
        look = {"title": TITLE, "artist": ARTIST}
        orders = [
            Order(song, {"format": "1080p", "look": look}, item_id="1", format="1080p"),
            Order(part, {"format": "360stereo", "look": look}, item_id="2", format="360stereo"),
        ]
        status = render_all("visualizer", orders, out=out, quiet=quiet)
    if not quiet and status == 0:
        say(f"all in {clock(time.monotonic() - started)}: open {shown(out.absolute())}")
    return status
