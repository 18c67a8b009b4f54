"""All that can be asked of a server."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from renderkiln.client import downloading, listening, uploading, watching
from renderkiln.client.asking import data_of
from renderkiln.client.calls import all_of, given, part_of
from renderkiln.client.documents import Documents
from renderkiln.client.downloading import OnBytes
from renderkiln.client.effects import Flow, Item, Request
from renderkiln.client.hooks import Hooks
from renderkiln.client.keyring import Keyring
from renderkiln.client.method import listing, operation
from renderkiln.client.records import (
    Artifact,
    Asset,
    Attempt,
    Batch,
    Estimate,
    Event,
    Job,
    News,
    Queue,
    Retried,
    Submitted,
)
from renderkiln.client.watching import OnProgress
from renderkiln.domain.errors import UsageError
from renderkiln.domain.place import asset_id, is_url, place_of
from renderkiln.domain.states import JobState

File = str | Path | Asset  # a path, which is uploaded; a URL; an asset, or its id

_EVENTS = 1000


@dataclass(frozen=True)
class Part:
    """What a batch makes jobs of: a file, params of its own, or both. `id` stands in their ids.

    With a `format` of its own it is rendered in that alone, and not in those of the batch.
    """

    file: File | None = None
    params: Mapping[str, Any] = field(default_factory=dict)
    id: str | None = None
    format: str | None = None
    label: str | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)


class Operations(Hooks, Documents, Keyring):
    """Every call raises RenderkilnApiError where the server refuses or does not answer.

    Jobs, batches and assets are named by their ids, or by what an earlier call has brought.
    """

    @operation
    def submit(
        self,
        pipeline: str,
        *,
        file: File | None = None,
        params: Mapping[str, Any] | None = None,
        format: str | None = None,
        label: str = "",
        priority: int = 100,
        start_at: datetime | None = None,
        metadata: Mapping[str, Any] | None = None,
        webhook_url: str | None = None,
        webhook_secret: str | None = None,
        idempotency_key: str | None = None,
        on_upload: OnBytes | None = None,
    ) -> Flow[Job]:
        """Queue a job. A file of this machine is uploaded first; `on_upload` hears bytes sent and of all.

        The same `idempotency_key` again is answered with the job of the first time, for ever. `start_at`
        needs a time zone. `webhook_url` hears how it ends, signed with `webhook_secret`.
        """
        place = None if file is None else (yield from self._place(file, on_upload))
        order = {
            "pipeline": pipeline,
            "params": dict(params or {}),
            "assets": [] if place is None else [place],
            **_terms(label, priority, start_at, metadata),
            **given(format=format, webhookUrl=webhook_url, webhookSecret=webhook_secret),
        }
        return Job.of((yield from self._post("/jobs", order, _keyed(idempotency_key))))

    @operation
    def submit_batch(
        self,
        pipeline: str,
        parts: Iterable[File | Part],
        *,
        params: Mapping[str, Any] | None = None,
        formats: Sequence[str] = (),
        label: str = "",
        priority: int = 100,
        start_at: datetime | None = None,
        metadata: Mapping[str, Any] | None = None,
        webhook_url: str | None = None,
        webhook_secret: str | None = None,
        idempotency_key: str | None = None,
        on_upload: OnBytes | None = None,
    ) -> Flow[Submitted]:
        """Queue a job for each part in each format: all of them, or none. See `submit`."""
        key = _keyed(idempotency_key)
        items = []
        for each in parts:
            part = each if isinstance(each, Part) else Part(each)
            items.append((yield from self._item(part, on_upload)))
        order = {
            "pipeline": pipeline,
            "params": dict(params or {}),
            "assets": items,
            "formats": list(formats),
            **_terms(label, priority, start_at, metadata),
            **given(webhookUrl=webhook_url, webhookSecret=webhook_secret),
        }
        return Submitted.of((yield from self._post("/batches", order, key)))

    @operation
    def job(self, job: str | Job) -> Flow[Job]:
        """A job as it stands now."""
        return (yield from watching.look(_id(job), self._patience))

    @listing(Job)
    def jobs(
        self,
        *,
        states: Iterable[JobState] = (),
        pipeline: str | None = None,
        queue: str | None = None,
        batch: str | Batch | Submitted | None = None,
        text: str | None = None,
    ) -> Flow[None]:
        """Jobs, the newest first, fetched as they are asked for. `text` is looked for in ids and labels."""
        of = None if batch is None else _batch(batch)
        query = given(state=[*states] or None, pipeline=pipeline, queue=queue, batch=of, q=text)
        yield from self._pages("/jobs", Job, query)

    @operation
    def wait(
        self, job: str | Job, *, timeout: float | None = None, on_progress: OnProgress | None = None
    ) -> Flow[Job]:
        """The job when it has ended, whichever way: look at its `state`.

        `on_progress` hears the job after each change. Raises WaitedTooLong after `timeout` seconds.
        """

        def changed(job: Job) -> Iterable[Item]:
            if on_progress is not None:
                on_progress(job)
            return ()

        return (yield from watching.until_ended(_id(job), self._patience, timeout, changed))

    @listing(Job)
    def watch(self, job: str | Job, *, timeout: float | None = None) -> Flow[None]:
        """The job now and after each change, until it has ended. Raises WaitedTooLong."""
        yield from watching.until_ended(_id(job), self._patience, timeout, lambda job: [Item(job)])

    @operation
    def attempts(self, job: str | Job) -> Flow[tuple[Attempt, ...]]:
        """All tries at a job, the first one first, and what each has used."""
        return all_of(Attempt, (yield from self._get(f"/jobs/{_id(job)}/attempts")))

    @listing(Event)
    def history(self, job: str | Job) -> Flow[None]:
        """Everything that has happened to a job, as far as events are kept."""
        after: int | None = 0
        while after is not None:
            page = yield from self._get(f"/jobs/{_id(job)}/history", after=after, limit=_EVENTS)
            for each in page["items"]:
                yield Item(Event.of(each))
            after = page["nextAfter"]

    @listing(News)
    def events(
        self, *, types: Iterable[str] = (), job: str | Job | None = None, since: str | None = None
    ) -> Flow[None]:
        """What happens from now on, as it happens, to all jobs, projects and queues that the key sees.

        Only of these `types`; `job.*` is all of jobs. The events of a `job` begin with its first and end with
        its last; all others go on until nobody wants more. Where the connection breaks off it is taken up
        again, and nothing is missed or comes twice; raises RenderkilnApiError when the server refuses, or is
        away for a minute. Then, or another day, go on behind the last one by `since`, its `place`.
        """
        if job is not None and types:
            raise UsageError("the events of a job come all: leave the types out, or the job")
        path = "/events/stream" if job is None else f"/jobs/{_id(job)}/events"
        yield from listening.listen(path, given(type=[*types] or None), self._patience, since)

    @operation
    def set_priority(self, job: str | Job, priority: int) -> Flow[Job]:
        """Let a waiting job run sooner or later: low numbers run first. Raises Conflict for others."""
        request = Request("PATCH", f"/jobs/{_id(job)}", json={"priority": priority})
        return Job.of((yield from data_of(request, self._patience)))

    @operation
    def cancel(self, job: str | Job) -> Flow[Job]:
        """End a job that waits or runs. Raises Conflict for one that has ended."""
        return Job.of((yield from self._post(f"/jobs/{_id(job)}/cancel", repeatable=False)))

    @operation
    def retry(
        self, job: str | Job, *, from_scratch: bool = False, from_stage: str | None = None
    ) -> Flow[Job]:
        """Queue a failed or cancelled job again. Raises Conflict for others.

        It goes on where it ended, begins from scratch, or at the stage `from_stage`: what it had finished of
        that one and those after it is made anew. Raises Invalid, which names the stages, for another one.
        """
        body = {"fromScratch": from_scratch} if from_stage is None else {"from": from_stage}
        return Job.of((yield from self._post(f"/jobs/{_id(job)}/retry", body, repeatable=False)))

    @operation
    def download(
        self,
        artifact: Artifact,
        path: str | Path = ".",
        *,
        overwrite: bool = False,
        on_bytes: OnBytes | None = None,
    ) -> Flow[Path]:
        """A finished file, at `path` or in that folder; goes on where an earlier download broke off.

        It has its name only when its SHA-256 is right. A file with the same content that is there already is
        the answer; raises UserError where there is another one, unless told to `overwrite`; WrongBytes.
        """
        target = Path(path)
        return (
            yield from downloading.download(
                artifact, target, self._patience, overwrite=overwrite, on_bytes=on_bytes
            )
        )

    @operation
    def batch(self, batch: str | Batch | Submitted) -> Flow[Batch]:
        """A batch as it stands now."""
        return Batch.of((yield from self._get(f"/batches/{_batch(batch)}")))

    @listing(Batch)
    def batches(self) -> Flow[None]:
        """Batches, the newest first, fetched as they are asked for."""
        yield from self._pages("/batches", Batch, {})

    @operation
    def cancel_batch(self, batch: str | Batch | Submitted) -> Flow[tuple[str, ...]]:
        """Cancel what has not ended of it; the ids of those jobs."""
        return (yield from self._portions(f"/batches/{_batch(batch)}/cancel", {})).jobs

    @operation
    def retry_batch(
        self, batch: str | Batch | Submitted, *, cancelled: bool = False, from_scratch: bool = False
    ) -> Flow[Retried]:
        """Queue its failed jobs again, and its `cancelled` ones if told so: those that a budget allows."""
        how = {"cancelled": cancelled, "fromScratch": from_scratch}
        return (yield from self._portions(f"/batches/{_batch(batch)}/retry", how))

    @operation
    def upload(
        self, path: str | Path, *, name: str | None = None, on_bytes: OnBytes | None = None
    ) -> Flow[Asset]:
        """A file of this machine as an asset: the same content again is the same asset.

        `on_bytes` hears bytes sent and of all. Raises UserError for what is no file, Invalid for what no job
        can use, WrongBytes.
        """
        return (yield from uploading.upload(Path(path), self._patience, name=name, on_bytes=on_bytes))

    @listing(Asset)
    def assets(self) -> Flow[None]:
        """Assets, the newest first, fetched as they are asked for."""
        yield from self._pages("/assets", Asset, {})

    @operation
    def asset(self, id: str) -> Flow[Asset]:
        """What is known of an asset."""
        return Asset.of((yield from self._get(f"/assets/{part_of(id)}")))

    @operation
    def delete_asset(self, asset: str | Asset) -> Flow[None]:
        """Remove it. Raises Conflict where a job that has not ended needs it."""
        id = asset.id if isinstance(asset, Asset) else asset
        yield from data_of(Request("DELETE", f"/assets/{part_of(id)}"), self._patience, repeatable=False)

    @operation
    def queues(self) -> Flow[tuple[Queue, ...]]:
        """All queues."""
        return all_of(Queue, (yield from self._get("/queues")))

    @operation
    def pause(self, queue: str) -> Flow[Queue]:
        """Start no more of its jobs; those that run go on. Takes an admin's key."""
        return Queue.of((yield from self._post(f"/queues/{part_of(queue)}/pause")))

    @operation
    def resume(self, queue: str) -> Flow[Queue]:
        """Start its jobs again. Takes an admin's key."""
        return Queue.of((yield from self._post(f"/queues/{part_of(queue)}/resume")))

    @operation
    def limit(self, queue: str, limits: Mapping[str, int | None]) -> Flow[Queue]:
        """Change its `worker_limit`, jobs at once in each worker, or `global_limit`, over all of them.

        None is what the server's settings say; what is left out stays. Takes an admin's key.
        """
        names = {"worker_limit": "workerLimit", "global_limit": "globalLimit"}
        if not limits or limits.keys() - names:
            raise UsageError("say what to set: worker_limit or global_limit, a number or None")
        body = {names[name]: value for name, value in limits.items()}
        request = Request("PATCH", f"/queues/{part_of(queue)}", json=body)
        return Queue.of((yield from data_of(request, self._patience)))

    @operation
    def estimate(
        self,
        pipeline: str,
        params: Mapping[str, Any] | None = None,
        inputs: Iterable[Mapping[str, Any]] = (),
    ) -> Flow[Estimate]:
        """What a job would take. `inputs` say what its files are: seconds, size, width, height, fps."""
        wish = {"pipeline": pipeline, "params": dict(params or {}), "inputs": [dict(each) for each in inputs]}
        return Estimate.of((yield from self._post("/estimates", wish)))

    def _portions(self, path: str, how: Mapping[str, Any]) -> Flow[Retried]:
        """What is done to many jobs, by as many requests as it takes."""
        done, cursor = Retried(), None
        while True:
            told = yield from self._post(path, {**how, **given(cursor=cursor)})
            more = Retried.of(told)
            done = Retried(
                jobs=done.jobs + more.jobs,
                over_budget=done.over_budget + more.over_budget,
                budget=more.budget or done.budget,
            )
            cursor = told["nextCursor"]
            if cursor is None:
                return done

    def _place(self, file: File, on_upload: OnBytes | None) -> Flow[str]:
        """What the server calls a file, which is there then."""
        if isinstance(file, Asset):
            return place_of(file.id)
        if isinstance(file, str) and (is_url(file) or asset_id(file) or asset_id(place_of(file))):
            return file
        asset = yield from uploading.upload(Path(file), self._patience, on_bytes=on_upload)
        return place_of(asset.id)

    def _item(self, part: Part, on_upload: OnBytes | None) -> Flow[dict[str, Any]]:
        place = None if part.file is None else (yield from self._place(part.file, on_upload))
        own = {"params": dict(part.params), "metadata": dict(part.metadata)}
        named = given(asset=place, id=part.id, format=part.format, label=part.label)
        return named | {name: value for name, value in own.items() if value}


def _terms(
    label: str, priority: int, start_at: datetime | None, metadata: Mapping[str, Any] | None
) -> dict[str, Any]:
    if start_at is not None and start_at.tzinfo is None:
        raise UsageError(
            "start_at has no time zone: give it one, such as datetime.now(UTC) + timedelta(hours=1)"
        )
    at = None if start_at is None else start_at.isoformat()
    return {"label": label, "priority": priority, "metadata": dict(metadata or {}), **given(startAt=at)}


def _keyed(key: str | None) -> dict[str, str]:
    """A key of our own makes it safe to send the request again."""
    return {"Idempotency-Key": key or uuid.uuid4().hex}


def _id(job: str | Job) -> str:
    return job.id if isinstance(job, Job) else part_of(job)


def _batch(batch: str | Batch | Submitted) -> str:
    match batch:
        case Batch(id=id):
            return id
        case Submitted(batch_id=id):
            return id
        case _:
            return part_of(batch)
