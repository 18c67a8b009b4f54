"""The values that fields of a project have in common."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

# Lengths are in pixels of a frame whose shorter side has 1080, whatever resolution is made in the end; a text
# like "50%" is a share of the frame's width or height.
GRID = 1080
MOST_LENGTH = 20_000

PERCENT = r"^-?[0-9]{1,4}(\.[0-9]+)?%$"
COLOR = r"^(#[0-9a-fA-F]{3}|#[0-9a-fA-F]{6}|#[0-9a-fA-F]{8}|[a-z][a-z0-9_-]{0,40})$"
COLOR_NAME = r"^[a-z][a-z0-9_-]{0,40}$"

Pixels = Annotated[float, Field(ge=-MOST_LENGTH, le=MOST_LENGTH, allow_inf_nan=False)]
Percent = Annotated[str, Field(pattern=PERCENT)]

Length = Pixels | Percent
Seconds = Annotated[float, Field(ge=0, le=12 * 3600, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Gain = Annotated[float, Field(ge=-60, le=12, allow_inf_nan=False)]  # dB
# "#rgb", "#rrggbb", "#rrggbbaa", white, black, transparent, or the name of one of the brand's colours.
Color = Annotated[str, Field(pattern=COLOR)]
ColorName = Annotated[str, Field(pattern=COLOR_NAME)]
Place = Annotated[str, Field(min_length=1, max_length=2000)]  # of a file: relative to the project, or a URL


def check_sides(piece: BaseModel) -> None:
    """Raises ValueError for a `width` or `height` that is 0 or less."""
    for side in ("width", "height"):
        length: Length | None = getattr(piece, side, None)
        if length is not None and float(str(length).removesuffix("%")) <= 0:
            raise ValueError(f"{side} must be greater than 0, not {length}")


class Piece(BaseModel):
    """A part of a project. Fields that nobody knows are mistakes."""

    # Defaults are validated, so that a length of 0 is the float that it is said to be when it is written out.
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, validate_default=True)
