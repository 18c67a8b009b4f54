"""All pieces of a project with where they are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from renderkiln.pipelines.scenes.document.mistakes import Where
from renderkiln.pipelines.scenes.document.units import Piece


def pieces(piece: Piece, where: Where = ()) -> Iterator[tuple[Where, Piece]]:
    """A piece and all that it is made of, the outer before the inner, in the order of their fields."""
    yield where, piece
    for name in type(piece).model_fields:
        yield from _within(getattr(piece, name), (*where, name))


def _within(value: Any, where: Where) -> Iterator[tuple[Where, Piece]]:
    match value:
        case Piece():
            yield from pieces(value, where)
        case tuple():
            for number, each in enumerate(value):
                yield from _within(each, (*where, number))
        case dict():
            for name, each in value.items():
                yield from _within(each, (*where, name))
