"""Where things lie on this machine is nobody's business: their folders are taken out of what is told."""

from __future__ import annotations

from collections.abc import Sequence

from renderkiln.api.room import Reached
from renderkiln.database.jobs import StoredJob
from renderkiln.domain.discretion import longest_first, places_of
from renderkiln.engine.joblog import folders_here


def folders_of(kiln: Reached, stored: StoredJob) -> Sequence[str]:
    """What a job may have to do with, the longest first."""
    home = kiln.kiln.settings.home.absolute()
    return longest_first({stored.output_dir, home, *places_of(stored.report)})


def all_folders_of(kiln: Reached, stored: StoredJob) -> Sequence[str]:
    """Those, and what a log tells of besides: where code lies, programs and temporary files."""
    settings = kiln.kiln.settings
    places = {*folders_here(), settings.output_dir.absolute()}
    places |= set() if settings.ffmpeg is None else {settings.ffmpeg.parent}
    return longest_first({*folders_of(kiln, stored), *places})
