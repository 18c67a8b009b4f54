"""Fetches files that were asked for by their URLs, a few at once; those that a stop cut off go on later."""

from __future__ import annotations

import logging
import os
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from renderkiln.app import Renderkiln
from renderkiln.domain.errors import RenderkilnError, Stopped, UserError
from renderkiln.engine.sources import Sources
from renderkiln.engine.uploads import Upload
from renderkiln.media.errors import MediaError
from renderkiln.services import services_of

_log = logging.getLogger(__name__)
_AT_ONCE = 4


class Fetcher:
    """Uploads that somebody else sends: `fetch` returns at once, the upload tells how far it is."""

    def __init__(self, kiln: Renderkiln) -> None:
        self._kiln = kiln
        self._stop = threading.Event()
        self._pool = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="fetch")

    def resume(self) -> None:
        """Go on with what a stop cut off."""
        for upload in self._kiln.uploads.unfinished():
            if upload.url is not None:
                self.fetch(upload)

    def fetch(self, upload: Upload) -> None:
        """Begin to, when one of few places is free."""
        self._pool.submit(self._run, upload)

    def close(self) -> None:
        """End within a moment; what is not finished goes on when the next one resumes."""
        self._stop.set()
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _run(self, upload: Upload) -> None:
        uploads = self._kiln.uploads
        try:
            asset = self._kiln.assets.add(self._downloaded(upload), upload.name, upload.account)
            uploads.finish(upload, asset.id)
        except Stopped:
            pass
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
        sources = Sources(lambda: self._kiln.assets, services, self._stop, lambda _: None)
        found = sources.take(upload.url or "")
        target = self._kiln.uploads.file(upload)
        target.unlink()  # what was there is empty; if it is gone, nobody waits any more
        try:
            os.link(found.path, target)
        except OSError:
            shutil.copyfile(found.path, target)
        return target
