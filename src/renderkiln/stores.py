"""Where files are kept, by the settings."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pydantic import SecretStr

from renderkiln.domain.clock import Clock
from renderkiln.domain.errors import UsageError
from renderkiln.settings import Settings
from renderkiln.storage.addresses import Addresses, origin
from renderkiln.storage.bucket import Bucket
from renderkiln.storage.contract import Storage
from renderkiln.storage.errors import Missing, Refused
from renderkiln.storage.fallback import FallbackStorage
from renderkiln.storage.links import Links
from renderkiln.storage.local import LocalStorage
from renderkiln.storage.retrying import FIVE_TRIES, RetryingStorage
from renderkiln.storage.rooms import Rooms, Visibility
from renderkiln.storage.secret import secret_in
from renderkiln.storage.signed import SHORTEST_SECRET

if TYPE_CHECKING:
    from renderkiln.storage.s3 import S3Storage

_SPOOL = "spool"  # where streams become files on their way into a bucket
FILES = "/files"  # where our service has the files of a local storage
_VISIBILITIES: tuple[Visibility, ...] = ("private", "public")


class Stores:
    """The storages of an install, each opened when it is first asked for.

    Everything raises UsageError for settings that make no storage, and for a signing secret that is none.
    """

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings, self._clock = settings, clock
        self._home = settings.home.absolute()

    def rooms(self, stop: Callable[[], bool] = lambda: False) -> Rooms:
        """Where new files go. A bucket that does not answer is asked again, unless `stop()` says not to."""
        if self._settings.storage == "local":
            return Rooms(private=self.local["private"], public=self.local["public"])
        private, public = (self._lasting(self._buckets[each], stop) for each in _VISIBILITIES)
        return Rooms(private=private, public=public)

    def at(self, visibility: Visibility, location: str, *, patient: bool = True) -> Storage:
        """The one that is called so, also when new files go elsewhere by now. Raises `Missing`.

        A bucket that does not answer is asked again, unless somebody waits who had better hear of it.
        """
        known: list[Storage] = [self.local[visibility]]
        if self._settings.storage == "s3":
            buckets = self._buckets[visibility]
            known += [self._retrying(each, lambda: False) for each in buckets] if patient else buckets
        for each in known:
            if each.location == location:
                return each
        raise Missing(f"a file is in the storage {location}, which the settings do not name any more")

    @cached_property
    def secrets(self) -> Sequence[bytes]:
        """What signs addresses: the first one signs, all are accepted."""
        given = self._settings.signing_secret
        if given is None:
            return [secret_in(self._home / "signing-secret")]
        found = [each.strip().encode() for each in given.get_secret_value().split(",") if each.strip()]
        if not found or min(map(len, found)) < SHORTEST_SECRET:
            raise UsageError(f"signing_secret: a secret has {SHORTEST_SECRET} characters or more")
        return found

    @cached_property
    def addresses(self) -> Addresses:
        """What clients are told, who know where they ask."""
        return Addresses(self._settings.public_url or "", self.secrets)

    @cached_property
    def addresses_elsewhere(self) -> Addresses:
        """What webhooks are told. Where machines share a database but no secret, they are not signed: the one
        that answers would not accept what another one has signed.
        """
        settings = self._settings
        is_alone = (settings.database or "sqlite").startswith("sqlite")
        return Addresses(self._base, self.secrets if is_alone or settings.signing_secret else None)

    @cached_property
    def local(self) -> Mapping[Visibility, LocalStorage]:
        """The local storage. It is there also when new files go to a bucket: older ones may be in it."""
        root = self._settings.storage_folder
        return {each: LocalStorage(root / each, links=self._links(each)) for each in _VISIBILITIES}

    @cached_property
    def buckets(self) -> Mapping[str, S3Storage]:
        """Every one that the settings name, by what people call it, to be asked without patience."""
        return {
            f"{each.location}, {visibility} files": each
            for visibility in _VISIBILITIES
            for each in self._buckets[visibility]
        }

    @cached_property
    def origins(self) -> Sequence[str]:
        """From where browsers load finished files, where that is not our service."""
        if self._settings.storage == "local" or not self._settings.s3_redirect:
            return ()
        made = [urlsplit(each.url("a", seconds=60)) for each in self.buckets.values()]
        return sorted({f"{each.scheme}://{each.netloc}" for each in made})

    def sweep(self, age: float) -> int:
        """Remove what was to be stored when its process died so many seconds ago; the number of files."""
        removed = 0
        if self._settings.storage_folder.exists():
            removed = sum(each.sweep(age) for each in self.local.values())
        before = self._clock.now().timestamp() - age
        for path in (self._home / _SPOOL).glob("*"):
            with contextlib.suppress(OSError):
                if path.lstat().st_mtime < before:
                    path.unlink()
                    removed += 1
        return removed

    def _links(self, visibility: Visibility) -> Links:
        return Links(f"{self._base.rstrip('/')}{FILES}/{visibility}", self.secrets, self._clock)

    @property
    def _base(self) -> str:
        return self._settings.public_url or origin(self._settings.host, self._settings.port)

    @cached_property
    def _buckets(self) -> Mapping[Visibility, list[S3Storage]]:
        from renderkiln.storage.s3 import S3Storage  # obstore takes a while to import

        spool = self._spool()
        return {
            visibility: [
                S3Storage(bucket, location=location, spool=spool, clock=self._clock)
                for location, bucket in buckets_of(self._settings, visibility).items()
            ]
            for visibility in _VISIBILITIES
        }

    def _lasting(self, buckets: Sequence[S3Storage], stop: Callable[[], bool]) -> Storage:
        first, *others = [self._retrying(each, stop) for each in buckets]
        return FallbackStorage(first, others[0], spool=self._spool()) if others else first

    def _retrying(self, storage: Storage, stop: Callable[[], bool]) -> Storage:
        retry = replace(FIVE_TRIES, attempts=self._settings.storage_tries)
        return RetryingStorage(storage, retry=retry, stop=stop, spool=self._spool(), clock=self._clock)

    def _spool(self) -> Path:
        spool = self._home / _SPOOL
        spool.mkdir(parents=True, exist_ok=True)
        return spool


def buckets_of(settings: Settings, visibility: Visibility) -> Mapping[str, Bucket]:
    """The bucket for such files, and the one that takes them meanwhile, by their locations."""
    first = _bucket(settings, visibility)
    if not settings.s3_fallback_bucket:
        return {"s3": first}
    return {"s3": first, "s3-fallback": _fallback(settings, first, visibility)}


def _bucket(settings: Settings, visibility: Visibility) -> Bucket:
    missing = [
        key for key in ("s3_bucket", "s3_access_key", "s3_secret_key") if not _said(getattr(settings, key))
    ]
    if missing:
        names = ", ".join(Settings.environment_names(each)[0] for each in missing)
        raise UsageError(f"the storage is s3, and these are not set: {names}")
    apart, path_style = settings.s3_public_bucket, settings.s3_path_style
    try:
        return Bucket(
            apart if apart and visibility == "public" else settings.s3_bucket,
            access_key=_said(settings.s3_access_key),
            secret_key=_said(settings.s3_secret_key),
            session_token=_said(settings.s3_session_token) or None,
            endpoint=settings.s3_endpoint,
            region=settings.s3_region,
            path_style=settings.s3_endpoint is not None if path_style is None else path_style,
            prefix=_prefix(settings, "" if apart else visibility),
            public_url=settings.s3_public_url if visibility == "public" else None,
        )
    except Refused as error:
        raise UsageError(f"the settings of the bucket: {error}") from error


def _fallback(settings: Settings, first: Bucket, visibility: Visibility) -> Bucket:
    access = _said(settings.s3_fallback_access_key)
    try:
        return Bucket(
            settings.s3_fallback_bucket,
            access_key=access or first.access_key,
            secret_key=_said(settings.s3_fallback_secret_key) or first.secret_key,
            session_token=None if access else first.session_token,
            endpoint=settings.s3_fallback_endpoint or first.endpoint,
            region=settings.s3_fallback_region or first.region,
            path_style=first.path_style or settings.s3_fallback_endpoint is not None,
            prefix=_prefix(settings, visibility),
        )
    except Refused as error:
        raise UsageError(f"the settings of the fallback bucket: {error}") from error


def _prefix(settings: Settings, folder: str) -> str:
    return "/".join(filter(None, [settings.s3_prefix.strip("/"), folder]))


def _said(value: str | SecretStr | None) -> str:
    return value.get_secret_value() if isinstance(value, SecretStr) else value or ""
