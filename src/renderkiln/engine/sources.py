"""Brings the files of a job to where it runs: from a path, from the assets, from a URL."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from renderkiln.domain.asset import Asset
from renderkiln.domain.errors import Stopped, Temporary, UsageError
from renderkiln.domain.job import Input
from renderkiln.domain.place import asset_id
from renderkiln.engine.assets import Assets
from renderkiln.engine.intake import take_in
from renderkiln.pipelines.contract import Pipeline, Services


@dataclass(frozen=True)
class Sources:
    """Where the files of one attempt come from. `tell` hears how far one that takes a while is."""

    assets: Callable[[], Assets]
    services: Services
    stop: threading.Event
    tell: Callable[[str], None]

    def take(self, given: Input) -> Asset:
        """An input. Raises UserError, MediaError, Permanent, Temporary, Stopped."""
        if isinstance(given, Path):
            return take_in(given, largest=self.services.limits.file_size, stop=self.stop)
        return self._asset(given) if asset_id(given) is not None else self._downloaded(given)

    def named(self, pipeline: Pipeline, params: Any) -> Mapping[str, Asset]:
        """The assets that the params of a job name, by what they are called there. Raises as `take`."""
        places = dict.fromkeys(files_of(pipeline, params) or ())
        return {place: self._asset(place) for place in places if asset_id(place) is not None}

    def _asset(self, place: str) -> Asset:
        return self.assets().bring(place, stop=self.stop, tell=self.tell)

    def _downloaded(self, url: str) -> Asset:
        from renderkiln.media import download as web  # brings httpx, which most jobs do not need

        def on_bytes(done: int, whole: int | None) -> None:
            self.tell(f"Downloading files, {100 * done / whole:.0f} %" if whole else "Downloading files")

        try:
            found = web.download(
                url,
                cache=self.services.cache / "downloads",
                largest=self.services.limits.file_size,
                allow_private=self.services.private_urls,
                on_bytes=on_bytes,
                stop=self.stop.is_set,
            )
        except web.DownloadStopped as error:
            raise Stopped(str(error)) from error
        except web.Unreachable as error:
            if error.temporary:
                raise Temporary(str(error), delay=error.retry_after) from error
            raise
        return Asset(path=found.path, name=found.name, size=found.size, sha256=found.sha256)


def files_of(pipeline: Pipeline, params: Any) -> Sequence[str] | None:
    """What `pipeline` says that its params name; None where it does not say."""
    tell = getattr(pipeline, "files", None)
    return None if tell is None else tuple(tell(params))


def check_outside(pipeline: Pipeline, params: Any) -> None:
    """Raises UsageError where the params of a stranger name files of this machine, which is not theirs."""
    named = files_of(pipeline, params)
    if named is None:
        raise UsageError(
            f"the pipeline {pipeline.name} does not say which files its params name (Pipeline.files), "
            "so it takes no jobs over HTTP"
        )
    for place in named:
        if not is_outside(place):
            raise UsageError(
                f"{place[:200]!r} is a path on the server: upload the file and name it as asset:ast_…, "
                "or give its URL"
            )


def is_outside(place: str) -> bool:
    """Whether this names an asset or a URL, which strangers may name, and no path."""
    return asset_id(place) is not None or place.startswith(("http://", "https://"))


def settle(asset: Asset, folder: Path) -> Asset:
    """The same file in `folder`: what becomes of it in the cache does not matter any more."""
    folder.mkdir(exist_ok=True)
    target = folder / f"{asset.sha256[:32]}{Path(asset.name).suffix[:8]}"
    if not target.exists():
        try:
            os.link(asset.path, target)
        except OSError:
            half = target.with_suffix(".part")
            shutil.copyfile(asset.path, half)
            half.rename(target)
    return replace(asset, path=target)
