"""A storage in a folder of this machine.

    root/objects/<key>   the files, under their own names
    root/about/…         a sidecar for each (`sidecar.py`)
    root/drafts/…        what is being written, or was when a process died (`sweep`)

Whatever dies whenever, a key has a whole file with its own notes, or none. Unlike in a bucket, `a` cannot be
a file while `a/b` is one.
"""

from __future__ import annotations

import contextlib
import errno
import mimetypes
import os
import secrets
import shutil
import stat
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from renderkiln.storage.contract import NOTHING
from renderkiln.storage.draft import SUFFIX, Draft, draft
from renderkiln.storage.errors import Altered, Missing, Refused, StorageError, Taken, Unavailable
from renderkiln.storage.folder import entered, file_in, files_below, remove_empty
from renderkiln.storage.key import check_key, check_prefix, is_key
from renderkiln.storage.links import Links
from renderkiln.storage.metadata import check_metadata
from renderkiln.storage.reading import Reading
from renderkiln.storage.sidecar import Notes, Sidecars, version_of
from renderkiln.storage.source import CHUNK, Progress, Source
from renderkiln.storage.span import WHOLE, Span
from renderkiln.storage.stored import Listed, Page, Stored
from renderkiln.storage.trouble import trouble

_OBJECTS = "objects"
_NOT_THERE = {errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENXIO}  # ELOOP: a link; ENXIO: a socket
_TURNS = 10  # how often another process may come between before we say so


class LocalStorage:
    """Files below `root`, which is made when the first one comes. Without `links` there are no URLs."""

    def __init__(self, root: Path, *, links: Links | None = None, location: str = "local") -> None:
        self._root = root
        self._links = links
        self._location = location
        self._drafts = root / "drafts"
        self._sidecars = Sidecars(root / "about", self._drafts)

    @property
    def location(self) -> str:
        return self._location

    def put(
        self,
        key: str,
        source: Source,
        *,
        content_type: str,
        metadata: Mapping[str, str] = NOTHING,
        if_absent: bool = False,
        move: bool = False,
        sha256: str | None = None,
        progress: Progress | None = None,
    ) -> Stored:
        check_key(key)
        check_metadata(metadata)
        if if_absent and self.head(key) is not None:  # said before the work; what decides is the link below
            raise _taken(key)
        with draft(self._drafts, self._where()) as new:
            _, digest = new.fill(source, take=move, sha256=sha256, progress=progress)
            if sha256 not in {None, digest}:
                raise Altered(f"the file {source} is not the one that was to be stored: nothing was")
            notes = Notes(key, digest, content_type, dict(metadata))
            stored = self._publish(new, notes, if_absent=if_absent)
        if move and isinstance(source, Path):
            with trouble(f"the file {source}"):
                source.unlink(missing_ok=True)
        return stored

    def open(self, key: str, span: Span = WHOLE) -> Reading:
        check_key(key)
        file, stored = self._found(key)
        try:
            start, stop = span.within(stored.size)
            file.seek(start)
        except BaseException:
            file.close()
            raise
        return Reading(stored, (start, stop), self._read(file, stop - start), file.close)

    def head(self, key: str) -> Stored | None:
        check_key(key)
        try:
            file, stored = self._found(key)
        except Missing:
            return None
        file.close()
        return stored

    def delete(self, key: str) -> None:
        folders, name = _place(check_key(key))
        with trouble(self._where(key)), contextlib.suppress(FileNotFoundError, NotADirectoryError):
            with entered(self._root, folders) as folder:
                if (facts := file_in(folder, name)) is None:
                    return
                os.unlink(name, dir_fd=folder)
                os.fsync(folder)
            self._sidecars.forget(key, version_of(facts))
            remove_empty(self._root, folders)

    def list(self, prefix: str = "", *, after: str | None = None, limit: int = 1000) -> Page:
        names = [_OBJECTS, *check_prefix(prefix).split("/")] if prefix else [_OBJECTS]
        below = f"{prefix}/" if prefix else ""
        try:
            with trouble(self._where()), entered(self._root, names) as folder:
                listed = (
                    _listed(*each) for each in files_below(folder, below, after or "") if is_key(each[0])
                )
                items = list(islice(listed, limit))
        except StorageError as error:
            if isinstance(error.__cause__, FileNotFoundError | NotADirectoryError):
                return Page([], None)
            raise
        return Page(items, items[-1].key if items and len(items) == limit else None)

    def url(self, key: str, *, seconds: int | None, filename: str | None = None) -> str:
        check_key(key)
        if self._links is None:
            raise Refused("these files have no URLs: tell the storage under which address they are served")
        if seconds is None:
            return self._links.plain(key)
        return self._links.signed(key, seconds, filename)

    def link(self, key: str, target: Path) -> Stored:
        """Give the file under the key a second name, `target`, without a copy where the disk allows it.

        The second name stays what it was when another file comes under the key. It is for reading: who
        writes to it changes what is stored. Raises `Missing`, and `Refused` where `target` exists.
        """
        file, stored = self._found(check_key(key))
        with file, trouble(f"the file {target}"):
            try:
                # Through the open descriptor: it is this version, whatever comes under the key meanwhile.
                # With a descriptor of a folder, which the path does not need, Python asks by linkat: only
                # that follows the link in /proc.
                os.link(f"/proc/self/fd/{file.fileno()}", target, src_dir_fd=file.fileno())
            except FileExistsError:
                raise
            except OSError:  # another disk, one without links, or no /proc
                _copy(file, target)
        return stored

    def sweep(self, older_than: float) -> int:
        """Remove what died processes left longer than so many seconds ago; the number of files removed.

        A draft is as old as its last byte: give more than the longest pause of an upload.
        """
        before = time.time() - older_than
        left = [*self._drafts.glob(f"*{SUFFIX}"), *self._strays()]
        removed = 0
        for path in left:
            with trouble(self._where()), contextlib.suppress(FileNotFoundError):
                if path.lstat().st_mtime < before:
                    path.unlink()
                    removed += 1
        return removed

    def _publish(self, new: Draft, notes: Notes, *, if_absent: bool) -> Stored:
        facts = new.stamp()
        version = version_of(facts)
        self._sidecars.write(notes, version)
        try:
            with trouble(self._where(notes.key)):
                self._name(new, notes.key, if_absent=if_absent)
        except BaseException:
            self._sidecars.forget(notes.key, version)
            raise
        return self._stored(notes.key, facts, notes)

    def _name(self, new: Draft, key: str, *, if_absent: bool) -> None:
        folders, name = _place(key)
        for _ in range(_TURNS):
            # A delete may remove the folder, now empty, between our entering it and our naming the file.
            with contextlib.suppress(FileNotFoundError), entered(self._root, folders, create=True) as folder:
                if if_absent:
                    _name_new(new, key, folder, name)
                    replaced = None
                else:
                    replaced = file_in(folder, name)
                    os.rename(new.path, name, dst_dir_fd=folder)
                os.fsync(folder)
                if replaced is not None:
                    self._sidecars.forget(key, version_of(replaced))
                return
        raise Unavailable(f"{self._where(key)} was removed again and again while a file was stored in it")

    def _found(self, key: str) -> tuple[BinaryIO, Stored]:
        """The file, opened, and what is known of this very version of it."""
        last = None
        for _ in range(_TURNS):
            file = self._opened(key)
            facts = os.fstat(file.fileno())
            notes = self._sidecars.find(key, version := version_of(facts))
            if notes is not None or version == last:  # the same one twice: it has none
                return file, self._stored(key, facts, notes)
            last = version  # replaced since we opened it, perhaps, and its sidecar removed
            file.close()
        raise Unavailable(f"{self._where(key)} was replaced again and again while it was read")

    def _opened(self, key: str) -> BinaryIO:
        folders, name = _place(key)
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC  # a pipe must not keep us waiting
        with trouble(self._where(key)):
            try:
                with entered(self._root, folders) as folder:
                    descriptor = os.open(name, flags, dir_fd=folder)
            except OSError as error:
                if error.errno in _NOT_THERE:
                    raise Missing(f"nothing is stored under {key!r}") from None
                raise
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise Missing(f"nothing is stored under {key!r}")
        return os.fdopen(descriptor, "rb", buffering=0)

    def _read(self, file: BinaryIO, left: int) -> Iterator[bytes]:
        while left > 0:
            with trouble(self._where()):
                chunk = file.read(min(CHUNK, left))
            if not chunk:
                raise Unavailable("a stored file was cut short while it was read")
            left -= len(chunk)
            yield chunk

    def _stored(self, key: str, facts: os.stat_result, notes: Notes | None) -> Stored:
        listed = _listed(key, facts)
        if notes is None:
            guess = mimetypes.guess_type(key)[0] or "application/octet-stream"
            return Stored(**vars(listed), content_type=guess, sha256=None, location=self._location)
        return Stored(
            **vars(listed),
            content_type=notes.content_type,
            sha256=notes.sha256,
            metadata=notes.metadata,
            location=self._location,
        )

    def _strays(self) -> Iterator[Path]:
        for path, notes, version in self._sidecars.all():
            if notes is None or self._version(notes.key) != version:
                yield path

    def _version(self, key: str) -> object:
        folders, name = _place(key)
        with contextlib.suppress(OSError), entered(self._root, folders) as folder:
            return (facts := file_in(folder, name)) and version_of(facts)
        return None

    def _where(self, key: str = "") -> str:
        return f"the storage {self._root / _OBJECTS / key}"


def _copy(file: BinaryIO, target: Path) -> None:
    """Whole or not at all: who finds the target takes it as it is."""
    half = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
    try:
        with half.open("xb") as copy:
            shutil.copyfileobj(file, copy, CHUNK)
            copy.flush()
            os.fsync(copy.fileno())
        try:
            os.link(half, target)
        except FileExistsError:
            raise
        except OSError:  # a disk without links
            half.rename(target)
    finally:
        half.unlink(missing_ok=True)


def _place(key: str) -> tuple[list[str], str]:
    *folders, name = key.split("/")
    return [_OBJECTS, *folders], name


def _name_new(new: Draft, key: str, folder: int, name: str) -> None:
    try:
        os.link(new.path, name, dst_dir_fd=folder, follow_symlinks=False)
    except FileExistsError:
        raise _taken(key) from None


def _taken(key: str) -> Taken:
    return Taken(f"something is stored under {key!r} already")


def _listed(key: str, facts: os.stat_result) -> Listed:
    etag = f'"{facts.st_mtime_ns:x}-{facts.st_size:x}"'
    modified = datetime.fromtimestamp(facts.st_mtime_ns / 1e9, UTC)
    return Listed(key, facts.st_size, etag, modified)
