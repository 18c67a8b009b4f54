"""What is wrong with params, in the same words whoever asks: command line, Python or HTTP."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from renderkiln.domain.errors import WrongParams
from renderkiln.domain.nearest import nearest


def wrong_params(pipeline: str, model: type[BaseModel], error: ValidationError) -> WrongParams:
    """What pydantic found wrong with the params of a pipeline, in words for people."""
    faults = [(each["loc"], _said(model, each["loc"], each)) for each in error.errors(include_url=False)]
    return WrongParams(pipeline, faults)


def _said(model: type[BaseModel], place: Sequence[int | str], fault: Any) -> str:
    if fault["type"] != "extra_forbidden":
        return str(fault["msg"]).removeprefix("Value error, ")
    around = _model_at(model, place[:-1])
    return f"unknown field; {nearest(str(place[-1]), around.model_fields if around else ())}".rstrip("; ")


def _model_at(model: type[BaseModel], place: Sequence[int | str]) -> type[BaseModel] | None:
    """The model that stands there; None where it could be one of several."""
    at: type[BaseModel] | None = model
    for step in place:
        if at is None or isinstance(step, int):
            continue
        if step not in at.model_fields:
            return None
        within = list(_models(at.model_fields[step].annotation))
        at = within[0] if len(within) == 1 else None
    return at


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for each in get_args(annotation):
        yield from _models(each)
