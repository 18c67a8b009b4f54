"""Files that were uploaded: known by their content, looked at when they come, brought to where jobs run."""

from __future__ import annotations

import hashlib
import os
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from renderkiln.database import assets, loose
from renderkiln.database.assets import StoredAsset
from renderkiln.database.engine import Database
from renderkiln.domain.asset import Asset
from renderkiln.domain.clock import Clock
from renderkiln.domain.errors import Permanent, Stopped, Temporary, UserError
from renderkiln.domain.fingerprint import file_sha256
from renderkiln.domain.place import asset_id
from renderkiln.media.errors import MediaError
from renderkiln.media.identify import Identity, identify
from renderkiln.pipelines.contract import Limits
from renderkiln.storage.contract import Storage
from renderkiln.storage.errors import Refused, Unavailable
from renderkiln.storage.local import LocalStorage
from renderkiln.storage.naming import asset_key


class InUse(UserError):
    """A job that has not ended needs the asset."""


@dataclass(frozen=True)
class Assets:
    """`storage` has their bytes; `cache` is a folder of this machine, where jobs take them from."""

    database: Database
    clock: Clock
    storage: Storage
    cache: Path
    limits: Limits

    def add(self, path: Path, name: str, account: str, sha256: str | None = None) -> StoredAsset:
        """Take the file at `path`, which is gone from there then, as an asset called `name`.

        The one that is there, if the account has uploaded the same before. `sha256` is the file's, where
        somebody has computed it. Raises UserError for what no job can use, StorageError.
        """
        from renderkiln.media.download import safe_name  # brings httpx, which no job needs

        proper = safe_name(name)
        seen = self._looked_at(path, proper)
        digest = file_sha256(path) if sha256 is None else sha256
        id = f"ast_{secrets.token_hex(16)}"
        new = StoredAsset(
            id=id,
            account=account,
            name=proper,
            size=path.stat().st_size,
            sha256=digest,
            kind=seen.kind,
            content_type=seen.content_type,
            storage_key=asset_key(id, proper),
            created_at=self.clock.now(),
            facts=seen.facts,
        )
        with self.database.write() as connection:
            loose.announce(connection, new.storage_key, new.created_at)
        self.storage.put(
            new.storage_key,
            path,
            content_type=new.content_type,
            metadata={"name": proper},
            move=True,
            sha256=digest,
        )
        with self.database.write() as connection:
            kept = loose.name_if_kept(connection, new.storage_key)
            stored = assets.insert(connection, new) if kept else None
            if stored is None or stored.id != id:
                loose.doom(connection, new.storage_key, self.clock.now())
        if stored is None or stored.id != id:
            self._drop(new.storage_key)
        if stored is None:
            raise Unavailable(f"storing {proper} took so long that it was given up: upload it again")
        return stored

    def remove(self, asset: StoredAsset) -> None:
        """Forget it and its bytes. Raises InUse; StorageError where the bytes stay until a sweep."""
        with self.database.write() as connection:
            if assets.is_needed(connection, asset.id):
                raise InUse(f"a job that has not ended needs the asset {asset.id}: cancel it first")
            assets.delete(connection, asset.id)
            loose.doom(connection, asset.storage_key, self.clock.now())
        self._drop(asset.storage_key)

    def bring(self, place: str, *, stop: threading.Event, tell: Callable[[str], None]) -> Asset:
        """The file of the asset that `place` names, in the cache of this machine.

        Raises Permanent where it was removed, Temporary, Stopped.
        """
        with self.database.read() as connection:
            known = assets.find(connection, asset_id(place) or "")
        if known is None:
            raise Permanent(f"{place} is not there any more: it was removed")
        path = self.cache / known.sha256[:2] / f"{known.sha256}{PurePosixPath(known.storage_key).suffix}"
        try:
            if path.stat().st_size != known.size:  # a power cut has left that
                path.unlink()
            _note_use(path)
        except FileNotFoundError:
            self._fetch(known, path, stop, tell)
            _note_use(path)
        return Asset(path=path, name=known.name, size=known.size, sha256=known.sha256)

    def _fetch(
        self, asset: StoredAsset, path: Path, stop: threading.Event, tell: Callable[[str], None]
    ) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(self.storage, LocalStorage):
            try:
                self.storage.link(asset.storage_key, path)
            except Refused:
                if not path.is_file():  # or else another job was quicker
                    raise
            return
        half, digest, done = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part"), hashlib.sha256(), 0
        try:
            with self.storage.open(asset.storage_key) as reading, half.open("wb") as file:
                for chunk in reading:
                    file.write(chunk)
                    digest.update(chunk)
                    done += len(chunk)
                    tell(f"Fetching {asset.name}, {100 * done / max(1, asset.size):.0f} %")
                    if stop.is_set():
                        raise Stopped(f"stopped while {asset.name} was fetched")
                file.flush()
                os.fsync(file.fileno())
            if digest.hexdigest() != asset.sha256:
                raise Temporary(f"the storage gave other bytes for {asset.name} than were stored")
            half.rename(path)
        finally:
            half.unlink(missing_ok=True)

    def _drop(self, key: str) -> None:
        self.storage.delete(key)
        with self.database.write() as connection:
            loose.forget(connection, key)

    def _looked_at(self, path: Path, name: str) -> Identity:
        size = path.stat().st_size
        if size > self.limits.file_size:
            raise UserError(f"{name} has {size:,} bytes; at most {self.limits.file_size:,} are taken")
        try:
            seen = identify(path)
        except MediaError as error:
            raise UserError(str(error).replace(repr(str(path)), name).replace(str(path), name)) from error
        duration = seen.facts.get("duration") or 0.0
        if duration > self.limits.duration:
            raise UserError(
                f"{name} lasts {duration / 3600:.1f} h; at most {self.limits.duration / 3600:g} h are taken"
            )
        pixels = (seen.facts.get("width") or 0) * (seen.facts.get("height") or 0)
        if pixels > self.limits.pixels:
            raise UserError(
                f"{name} has {pixels:,} pixels a picture; at most {self.limits.pixels:,} are taken"
            )
        return seen


def _note_use(path: Path) -> None:
    """What was used last is swept last. The time it was written stays: it may be the storage's own file."""
    os.utime(path, ns=(time.time_ns(), path.stat().st_mtime_ns))
