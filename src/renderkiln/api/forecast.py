"""What ordered jobs will probably take and cost, from what is known of their assets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

from renderkiln.app import Renderkiln
from renderkiln.database import assets
from renderkiln.database.assets import StoredAsset
from renderkiln.domain.job import Input, Job
from renderkiln.domain.place import asset_id
from renderkiln.pipelines.contract import InputFacts, Pipeline


def expected_costs(
    kiln: Renderkiln, pipeline: Pipeline, jobs: Sequence[Job], account: str | None
) -> dict[str, int]:
    """By job's id, in billionths. What comes from URLs is not known before, and counts when it was spent."""
    estimator = kiln.estimator
    known = facts_of(kiln, [each for job in jobs for each in job.inputs], account)
    distinct = {id(job.params): job.params for job in jobs}  # most jobs of a batch share theirs
    valid = {number: pipeline.Params.model_validate(dict(params)) for number, params in distinct.items()}
    costs = {}
    for job in jobs:
        inputs = [known.get(each, InputFacts(0)) for each in job.inputs]
        cost = estimator.estimate(pipeline, valid[id(job.params)], inputs).cost
        costs[job.id] = 0 if cost is None else cost.total
    return costs


def facts_of(kiln: Renderkiln, places: Sequence[Input], account: str | None) -> Mapping[Input, InputFacts]:
    """What is known of those that are assets of the account; None: of anybody."""
    ids = {place: id for place in places if (id := asset_id(str(place))) is not None}
    with kiln.database.read() as connection:
        found = assets.find_all(connection, list(dict.fromkeys(ids.values())), account)
    return {place: _facts(found[id]) for place, id in ids.items() if id in found}


def _facts(asset: StoredAsset) -> InputFacts:
    facts = asset.facts
    fps = facts.get("fps")
    return InputFacts(
        size=asset.size,
        seconds=facts.get("duration"),
        width=facts.get("width"),
        height=facts.get("height"),
        fps=None if fps is None else float(Fraction(fps)),
    )
