"""How what a request orders becomes jobs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from renderkiln.api.auth import payer, visible_to
from renderkiln.api.envelope import Refused
from renderkiln.api.forecast import expected_costs
from renderkiln.api.orders import BatchOrder, Item, JobOrder, Order
from renderkiln.api.room import Reached
from renderkiln.app import Renderkiln
from renderkiln.database import assets
from renderkiln.database.keys import StoredKey
from renderkiln.domain.errors import UsageError, WrongParams
from renderkiln.domain.job import Job, job_id
from renderkiln.domain.place import asset_id, is_url, place_of
from renderkiln.engine.sources import check_outside, files_of
from renderkiln.engine.submission import Hook, Submission
from renderkiln.engine.submit import KeyTaken, TooManyOpen
from renderkiln.events.signing import check_secret, new_secret
from renderkiln.events.subscription import checked_url
from renderkiln.media.addresses import parse, refuse_private
from renderkiln.media.errors import MediaError
from renderkiln.pipelines import catalog
from renderkiln.pipelines.contract import Pipeline
from renderkiln.pipelines.scenes.document.mistakes import WrongProject


def job_ordered(
    kiln: Renderkiln, holder: StoredKey, order: JobOrder, key: str | None, *, params: str = "body.params"
) -> Submission:
    """Raises Refused with what is wrong with the order, whose params stand at `params` in the request."""
    items = [Item(asset=each, label=order.label or None) for each in order.assets]
    ordering = _Ordering(kiln, holder, order, [order.format], params)
    return replace(ordering.submission(items, key), one=True)


def batch_ordered(kiln: Renderkiln, holder: StoredKey, order: BatchOrder, key: str | None) -> Submission:
    """Raises Refused with what is wrong with the order."""
    items = [each if isinstance(each, Item) else Item(asset=each) for each in order.assets]
    return _Ordering(kiln, holder, order, order.formats or [None]).submission(items, key)


def jobs_ordered(
    kiln: Renderkiln, holder: StoredKey, order: Order, items: Sequence[Item], formats: Sequence[str | None]
) -> tuple[Pipeline, Sequence[Job]]:
    """The jobs that such an order would be, though a file may be missing. Raises Refused."""
    return _Ordering(kiln, holder, order, formats).jobs(items, complete=False)


def submitted(kiln: Reached, submission: Submission) -> str:
    """Queue it; the id of its batch, or of the one that its key was used for first. Raises Refused."""
    try:
        return kiln.room.submit(submission)
    except KeyTaken as error:
        raise Refused(422, "IDEMPOTENCY_KEY_REUSED", str(error)) from error
    except TooManyOpen as error:
        raise Refused(429, "TOO_MANY_JOBS", str(error), headers={"Retry-After": "60"}) from error


class _Ordering:
    """One order of one key; `formats` are those of items that have none of their own.

    `params` is where its params stand in the request, whose sender is told of it.
    """

    def __init__(
        self,
        kiln: Renderkiln,
        holder: StoredKey,
        order: Order,
        formats: Sequence[str | None],
        params: str = "body.params",
    ) -> None:
        self._kiln, self._holder, self._order, self._formats = kiln, holder, order, formats
        self._params = params

    def submission(self, items: Sequence[Item], key: str | None) -> Submission:
        kiln, order, account = self._kiln, self._order, self._holder.account
        pipeline, jobs = self.jobs(items)
        paid_by, expected = payer(self._holder), {}
        if paid_by is not None:
            expected = expected_costs(kiln, pipeline, jobs, visible_to(self._holder))
        return Submission(
            batch_id=jobs[0].batch_id,
            jobs=jobs,
            output_dir=kiln.settings.output_dir.absolute(),
            label=order.label,
            not_before=order.startAt,
            key=None if key is None else f"{account}/{key}",
            metadata=order.metadata,
            account=account,
            most_open=kiln.settings.max_open_jobs,
            hook=_hook(order, allow_private=kiln.settings.private_urls),
            paid_by=paid_by,
            expected_costs=expected,
        )

    def jobs(self, items: Sequence[Item], *, complete: bool = True) -> tuple[Pipeline, Sequence[Job]]:
        """Those of all items, which are `complete` where no file may be missing. Raises Refused."""
        items = items or [Item()]
        count, most = sum(len(self._formats_of(each)) for each in items), self._kiln.settings.max_batch
        if count > most:
            raise _wrong("body.assets", f"these are {count:,} jobs: a batch has {most:,} at most")
        if twice := _twice(self._formats):
            raise _wrong("body.formats", f"{twice} is there twice: each file is rendered once in a format")
        places = [
            None if item.asset is None else self._place(item.asset, f"body.assets.{number}")
            for number, item in enumerate(items)
        ]
        pipeline = self._pipeline(places, complete=complete)
        return pipeline, self._jobs(pipeline, items, places)

    def _pipeline(self, places: Sequence[str | None], *, complete: bool) -> Pipeline:
        name = self._order.pipeline
        if name not in (known := catalog.names(catalog.PIPELINES)):
            raise _wrong("body.pipeline", f"there is no pipeline {name!r}; there are: {', '.join(known)}")
        pipeline = self._kiln.pipeline(name)
        takes_file: bool | None = getattr(pipeline, "takes_file", None)
        if takes_file is True and complete and None in places:
            raise _wrong("body.assets", f"the pipeline {name} takes a file: name an asset or a URL")
        if takes_file is False and any(places):
            raise _wrong("body.assets", f"the pipeline {name} takes no file: give its items params only")
        return pipeline

    def _formats_of(self, item: Item) -> Sequence[str | None]:
        return self._formats if item.format is None else [item.format]

    def _jobs(self, pipeline: Pipeline, items: Sequence[Item], places: Sequence[str | None]) -> list[Job]:
        batch = self._kiln.new_batch()
        usual: dict[str | None, Job] = {}  # by format: what is the same for most items is validated once
        named = [place for place in places if place is not None]
        of: dict[str, tuple[Job, Item, str | None]] = {}
        for number, (item, place) in enumerate(zip(items, places, strict=True)):
            for format in self._formats_of(item):
                if item.params or format not in usual:
                    model, files = self._model(pipeline, batch, format, item, number)
                    named += files
                    if not item.params:
                        usual[format] = model
                else:
                    model = usual[format]
                job = _job(model, item, number + 1, place)
                if job.id in of:
                    told = f"the id {job.item_id} is an earlier item's: give each one of its own"
                    raise _wrong(f"body.assets.{number}.id", told)
                of[job.id] = job, item, place
        names = self._names(named)
        return [
            replace(job, label=_label(item, place, names, job, self._order))
            for job, item, place in of.values()
        ]

    def _model(
        self, pipeline: Pipeline, batch: str, format: str | None, item: Item, number: int
    ) -> tuple[Job, Sequence[str]]:
        """What all jobs of a format are like, and the files that its params name."""
        order = self._order
        own = f"body.assets.{number}" if item.params else None
        params = {**order.params, **item.params}
        if format is not None:
            if "format" not in pipeline.Params.model_fields:
                told = f"the pipeline {pipeline.name} has no formats: name none"
                raise _wrong(self._where(("format",), item, number), told)
            params["format"] = format
        try:
            model = self._kiln.job(
                pipeline.name,
                None,
                params,
                batch_id=batch,
                format=format,
                priority=order.priority,
                metadata=order.metadata,
                account=self._holder.account,
            )
            checked = pipeline.Params.model_validate(dict(model.params))
            check_outside(pipeline, checked)
        except WrongParams as error:
            faults = [(self._where(place, item, number), told) for place, told in error.faults]
            raise _refused(faults) from error
        except WrongProject as error:
            inside = self._where(("project",), item, number)
            faults = [(f"{inside}.{each.path}".rstrip("."), each.message) for each in error.mistakes]
            raise _refused(faults, more=error.more) from error
        except UsageError as error:
            raise _wrong(f"{own}.params" if own else self._params, str(error)) from error
        files = files_of(pipeline, checked) or ()
        for each in files:
            if is_url(each):
                self._place(each, f"{own}.params" if own else self._params)
        return model, files

    def _where(self, place: Sequence[int | str], item: Item, number: int) -> str:
        """Which field of the request gave what stands there in the params."""
        first = str(place[0]) if place else None
        inside = f"body.assets.{number}"
        if first == "format" and item.format is not None:
            return f"{inside}.format"
        if first == "format" and self._formats != [None]:
            return "body.format" if isinstance(self._order, JobOrder) else "body.formats"
        given = f"{inside}.params" if first in item.params else self._params
        return ".".join([given, *map(str, place)])

    def _place(self, given: str, field: str) -> str:
        """`asset:ast_…` or a URL. Raises Refused for a path: this machine is not its sender's."""
        place = place_of(given) if asset_id(place_of(given)) is not None else given
        if asset_id(place) is not None:
            return place
        if not place.startswith(("http://", "https://")):
            raise _wrong(field, "name an asset (ast_…) or an http(s) URL: paths of the server are not taken")
        try:
            url = parse(place)
            if not self._kiln.settings.private_urls:
                refuse_private(url)
        except MediaError as error:
            raise _wrong(field, str(error)) from error
        return place

    def _names(self, places: Sequence[str]) -> Mapping[str, str]:
        """What people call these. Raises Refused for an asset that its account does not have."""
        ids = list(dict.fromkeys(id for place in places if (id := asset_id(place)) is not None))
        with self._kiln.database.read() as connection:
            found = assets.find_all(connection, ids, visible_to(self._holder))
        for id in ids:
            if id not in found:
                raise Refused(404, "ASSET_NOT_FOUND", f"there is no asset {id}")
        called = {place_of(id): asset.name for id, asset in found.items()}
        return called | {place: _last_part(place) for place in places if is_url(place)}


def _hook(order: Order, *, allow_private: bool) -> Hook | None:
    """Who is to be told. Raises Refused."""
    if order.webhookUrl is None:
        if order.webhookSecret is not None:
            raise _wrong("body.webhookSecret", "it signs what is told to webhookUrl: name that, too")
        return None
    try:
        url = checked_url(order.webhookUrl, allow_private=allow_private)
    except UsageError as error:
        raise _wrong("body.webhookUrl", str(error)) from error
    try:
        secret = new_secret() if order.webhookSecret is None else check_secret(order.webhookSecret)
    except UsageError as error:
        raise _wrong("body.webhookSecret", str(error)) from error
    return Hook(url, secret, allow_private)


def _job(model: Job, item: Item, number: int, place: str | None) -> Job:
    id = item.id or str(number)
    return replace(
        model,
        id=job_id(model.batch_id, id, model.format),
        item_id=id,
        inputs=() if place is None else (place,),
        metadata={**model.metadata, **item.metadata},
    )


def _label(item: Item, place: str | None, names: Mapping[str, str], job: Job, order: Order) -> str:
    label = item.label or (names[place] if place is not None else order.label or job.pipeline)
    return label if job.format is None else f"{label} {job.format}"


def _last_part(url: str) -> str:
    return parse(url).path.rpartition("/")[2][:200] or "file"


def _twice(formats: Sequence[str | None]) -> str | None:
    return next((each for number, each in enumerate(formats) if each in formats[:number]), None)


def _wrong(field: str, message: str) -> Refused:
    return _refused([(field, message)])


def _refused(faults: Sequence[tuple[str, str]], *, more: int = 0) -> Refused:
    details = [{"field": field, "message": message} for field, message in faults]
    told = "; ".join(f"{field}: {message}" for field, message in faults[:3])
    return Refused(422, "INVALID_REQUEST", f"{told}, and {more} more" if more else told, details=details)
