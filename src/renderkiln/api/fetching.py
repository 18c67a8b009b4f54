"""Fetches files that were asked for by their URLs, a few at once; those that a stop cut off go on later."""

from __future__ import annotations

import logging
import os
import shutil
import threading
from collections import Counter, deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from renderkiln.app import Renderkiln
from renderkiln.domain.errors import RenderkilnError, Stopped, UserError
from renderkiln.engine.sources import Sources
from renderkiln.engine.uploads import Upload
from renderkiln.media.errors import MediaError
from renderkiln.services import services_of
from renderkiln.storage.errors import StorageError

_log = logging.getLogger(__name__)
_AT_ONCE = 4
_OF_ONE = 2  # account: the others' files shall not wait for one who names slow servers


class Fetcher:
    """Uploads that somebody else sends: `fetch` returns at once, the upload tells how far it is."""

    def __init__(self, kiln: Renderkiln) -> None:
        self._kiln = kiln
        self._stop = threading.Event()
        self._pool = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="fetch")
        self._lock = threading.Lock()
        self._waiting: dict[str, deque[Upload]] = {}  # by account
        self._running: Counter[str] = Counter()

    def resume(self) -> None:
        """Go on with what a stop cut off."""
        for upload in self._kiln.uploads.unfinished():
            if upload.url is not None:
                self.fetch(upload)

    def fetch(self, upload: Upload) -> None:
        """Begin to, when one of few places is free."""
        with self._lock:
            self._waiting.setdefault(upload.account, deque()).append(upload)
        self._begin()

    def close(self) -> None:
        """End within a moment; what is not finished goes on when the next one resumes."""
        self._stop.set()
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _begin(self) -> None:
        """Let those run that may."""
        with self._lock:
            for account in list(self._waiting):
                queue = self._waiting[account]
                while queue and self._running[account] < _OF_ONE and self._running.total() < _AT_ONCE:
                    self._running[account] += 1
                    self._pool.submit(self._run, queue.popleft())
                if not queue:
                    del self._waiting[account]

    def _run(self, upload: Upload) -> None:
        try:
            self._fetched(upload)
        finally:
            with self._lock:
                self._running -= Counter([upload.account])
            if not self._stop.is_set():
                self._begin()

    def _fetched(self, upload: Upload) -> None:
        uploads = self._kiln.uploads
        if uploads.find(upload.id) is None:  # it was deleted while it waited
            return
        try:
            asset = self._kiln.assets.add(self._downloaded(upload), upload.name, upload.account)
            uploads.finish(upload, asset.id)
        except Stopped:
            pass
        except StorageError as error:  # it says where the storage is
            _log.error("the upload %s cannot be stored: %s", upload.id, error)
            uploads.fail(upload, "the storage does not take it now: try again later")
        except (MediaError, UserError, RenderkilnError) as error:
            uploads.fail(upload, str(error))
        except FileNotFoundError:
            pass  # it was deleted meanwhile
        except Exception:  # noqa: BLE001  the border of a thread
            _log.exception("the upload %s failed", upload.id)
            uploads.fail(upload, "something is broken here; the log says what")

    def _downloaded(self, upload: Upload) -> Path:
        """The file in the upload's own place."""
        services = services_of(self._kiln.settings)
        stop = _Unwanted(lambda: self._stop.is_set() or self._kiln.uploads.find(upload.id) is None)
        sources = Sources(lambda: self._kiln.assets, services, stop, lambda _: None)
        found = sources.take(upload.url or "")
        target = self._kiln.uploads.file(upload)
        target.unlink()  # what was there is empty; if it is gone, nobody waits any more
        try:
            os.link(found.path, target)
        except OSError:
            shutil.copyfile(found.path, target)
        return target


class _Unwanted(threading.Event):
    """Set as soon as nobody wants the file any more."""

    def __init__(self, is_so: Callable[[], bool]) -> None:
        super().__init__()
        self._is_so = is_so

    def is_set(self) -> bool:
        return self._is_so()
