"""How the numbers of a picture are to be read as colours, where a file tells it and where it does not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Color:
    """In the words of FFmpeg's command line."""

    matrix: str  # bt709, smpte170m, bt470bg, bt2020nc, gbr
    range: str  # tv, pc
    primaries: str  # bt709, smpte170m, bt470bg, bt2020, smpte432
    transfer: str  # bt709, smpte170m, smpte2084, arib-std-b67, …

    @property
    def hdr(self) -> Literal["", "pq", "hlg"]:
        """The kind of high dynamic range, or nothing."""
        kinds: dict[str, Literal["pq", "hlg"]] = {"smpte2084": "pq", "arib-std-b67": "hlg"}
        return kinds.get(self.transfer, "")


def resolve(tags: Mapping[str, str], *, width: int, height: int, pixel_format: str) -> Color:
    """The colours of a picture; `tags` are those of `StreamInfo.color`.

    What is untagged is guessed as players do (mpv's rule): HD is BT.709, smaller pictures BT.601 of 625 or
    525 lines; RGB and the yuvj formats are of full range.
    """
    wide = tags.get("primaries") == "bt2020" or tags.get("transfer") in ("smpte2084", "arib-std-b67")
    rgb = pixel_format.startswith(("rgb", "bgr", "gbr", "argb", "abgr", "0rgb", "0bgr", "x2", "pal8"))
    family = _family(width, height)
    full = rgb or pixel_format.startswith("yuvj")
    matrix = tags.get("space") or ("bt2020nc" if wide else family)
    return Color(
        matrix="gbr" if rgb else family if matrix == "gbr" else matrix,  # RGB and its tag go together
        range="pc" if full else tags.get("range", "tv"),
        primaries=tags.get("primaries") or ("bt2020" if wide else family),
        transfer=tags.get("transfer") or ("bt709" if family == "bt709" or wide else "smpte170m"),
    )


def _family(width: int, height: int) -> str:
    if width >= 1280 or height > 576:
        return "bt709"
    return "bt470bg" if height == 576 else "smpte170m"
