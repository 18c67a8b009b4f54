"""The files that an order's params name, to be sent along with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from renderkiln.cli.orders import Order
from renderkiln.domain.place import asset_id, is_url, place_of
from renderkiln.pipelines import catalog
from renderkiln.pipelines.contract import Pipeline
from renderkiln.pipelines.faults import wrong_params

_RECORDING = "file:"  # what stands before the file of a voice


@dataclass(frozen=True)
class Luggage:
    """`params` with a made-up asset in the place of every file, and the file that each stands for."""

    params: Mapping[str, Any]
    files: Mapping[str, Path]

    def unpacked(self, send: Callable[[Path], str]) -> dict[str, Any]:
        """The params with what `send` calls each file."""
        called = {probe: send(path) for probe, path in self.files.items()}
        filled: dict[str, Any] = _changed(self.params, lambda text: _swapped(text, called))
        return filled


def pack(pipeline: str, order: Order) -> Luggage:
    """What an order needs. Raises UsageError for params that are wrong, and for files outside of a project.

    Which texts are files and which only read like one, the pipeline knows: every text that could be one is
    replaced by an asset of its own, and the assets that the pipeline then names were files.
    """
    kind: Pipeline = catalog.load(catalog.PIPELINES, pipeline)()
    named = [each for each in _files(kind, order.params) if not (is_url(each) or asset_id(each))]
    folder = str(order.params.get("folder") or "")
    probes: dict[str, str] = {}  # made-up assets, and what stood there

    def probe(text: str) -> str:
        for before in ("", _RECORDING):
            if text.startswith(before) and text[len(before) :] in named:
                made = place_of(f"ast_{len(probes):032x}")
                probes[made] = text[len(before) :]
                return before + made
        return text

    params = {**order.params, **({"folder": ""} if folder else {})}
    probed = _changed(params, probe)
    files = set(_files(kind, probed))
    real = {made: _path(place, folder) for made, place in probes.items() if made in files}
    others = {made: place for made, place in probes.items() if made not in files}
    return Luggage(_changed(probed, lambda text: _swapped(text, others)), real)


def _files(pipeline: Pipeline, params: Mapping[str, Any]) -> list[str]:
    try:
        model = pipeline.Params.model_validate(dict(params))
    except ValidationError as error:
        raise wrong_params(pipeline.name, pipeline.Params, error) from error
    tell = getattr(pipeline, "files", None)
    return [] if tell is None else [str(each) for each in tell(model)]


def _path(place: str, folder: str) -> Path:
    if not folder:
        return Path(place)
    from renderkiln.pipelines.scenes.document.places import resolve_place

    return resolve_place(place, Path(folder))


def _changed(value: Any, change: Callable[[str], str]) -> Any:
    """JSON values with every text as `change` makes it."""
    match value:
        case str():
            return change(value)
        case dict():
            return {key: _changed(each, change) for key, each in value.items()}
        case list() | tuple():
            return [_changed(each, change) for each in value]
        case _:
            return value


def _swapped(text: str, called: Mapping[str, str]) -> str:
    for before in ("", _RECORDING):
        if text.startswith(before) and text[len(before) :] in called:
            return before + called[text[len(before) :]]
    return text
