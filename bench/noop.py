"""A pipeline that does nothing: what its jobs cost is the engine."""

# ruff: noqa: ARG001, ARG002  who does nothing looks at nothing

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict

from renderkiln import Artifact, Result, Retry, Services, Stage, StageContext


class NoopParams(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    number: int = 0  # makes each job its own work: equal jobs would share one result


def nothing(ctx: StageContext) -> Result:
    return Result({"reached": time.time()})


class Noop:
    """Its result says when its stage was reached, in seconds since 1970."""

    name = "noop"
    version = 1
    queue = "event-processing"
    retry = Retry(attempts=1)
    preload: tuple[str, ...] = ()
    Params = NoopParams

    def stages(self, params: NoopParams) -> Sequence[Stage]:
        return (Stage("nothing", 1, nothing, isolated=False),)

    def fingerprint(self, params: NoopParams, services: Services) -> Mapping[str, Any]:
        return {}

    def summary(self, results: Mapping[str, Result]) -> Mapping[str, Any]:
        return results["nothing"].values

    def artifacts(self, results: Mapping[str, Result]) -> Sequence[Artifact]:
        return ()
