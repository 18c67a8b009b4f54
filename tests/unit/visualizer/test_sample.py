"""Small pictures of templates, before they are drawn."""

from __future__ import annotations

import pytest

from renderkiln.pipelines.visualizer.formats import FORMATS
from renderkiln.pipelines.visualizer.params import VisualizerParams
from renderkiln.pipelines.visualizer.sample import SIDE, Sample


@pytest.mark.parametrize("format", FORMATS)
def test_it_has_the_shape_of_its_format(format: str) -> None:
    canvas, film = Sample.small(VisualizerParams(format=format)).canvas, FORMATS[format]
    assert max(canvas.width, canvas.height) == SIDE
    assert canvas.width % 4 == canvas.height % 4 == 0
    assert canvas.width / canvas.height == pytest.approx(film.width / film.height, rel=0.01)
    assert canvas.projection == film.projection


def test_only_what_is_seen_decides_whether_it_is_drawn_again() -> None:
    def identity(at: float = 9.2, fonts: str = "", **params: object) -> str:
        return Sample.small(VisualizerParams.model_validate(params), at).identity(fonts)

    first = identity()
    assert identity(format="4k", fps=60, quality="high") == first  # it is as small, and looks the same
    others = [identity(seed=2), identity(at=3), identity(fonts="x"), identity(look={"palette": "ice"})]
    assert len({first, identity(format="square"), *others}) == 6
