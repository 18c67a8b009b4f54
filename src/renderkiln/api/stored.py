"""What the routes around stored projects have in common: whose they are, and at which revision."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

from fastapi import Header, Path

from renderkiln.api.auth import visible_to
from renderkiln.api.envelope import Refused
from renderkiln.api.room import Reached
from renderkiln.database.keys import StoredKey
from renderkiln.database.projects import NoProject, StaleRevision
from renderkiln.domain.errors import UsageError
from renderkiln.engine.projects import NoScene, Projects
from renderkiln.pipelines.scenes.document.mistakes import WrongProject

ProjectId = Annotated[str, Path(pattern=r"^prj_[0-9A-Za-z]{1,60}$", description="Id of a project")]
ANY = "*"
_REVISION = re.compile(r'"[1-9][0-9]{0,8}"')
IfMatch = Annotated[
    str,
    Header(
        alias="If-Match",
        max_length=200,
        description='The `ETag` that was seen, `"7"`: done only if it is still so; `*`: whatever it is',
    ),
]


def projects_of(kiln: Reached, holder: StoredKey) -> Projects:
    """Those that a key sees."""
    return kiln.kiln.projects_outside(visible_to(holder))


def revision_of(seen: str) -> int | None:
    """What `If-Match` says; None: whatever it is. Raises Refused for what no project ever is at."""
    if seen == ANY:
        return None
    if _REVISION.fullmatch(seen) is None:
        told = f"{seen!r} is no revision: send the ETag as it came, in its quotes"
        raise Refused(412, "STALE_REVISION", told)
    return int(seen.strip('"'))


def etag(revision: int) -> dict[str, str]:
    """The header that tells a revision."""
    return {"ETag": f'"{revision}"'}


@contextmanager
def refusing(field: str) -> Iterator[None]:
    """Raises Refused for what is raised in its block; `field` is where the document stands in the request."""
    try:
        yield
    except NoProject as error:
        raise Refused(404, "PROJECT_NOT_FOUND", "there is no such project") from error
    except NoScene as error:
        raise Refused(404, "SCENE_NOT_FOUND", "the project has no such scene") from error
    except StaleRevision as error:
        raise Refused(412, "STALE_REVISION", str(error)) from error
    except WrongProject as error:
        details = [
            {"field": f"{field}.{each.path}" if each.path else field, "message": each.message}
            for each in error.mistakes
        ]
        more = f", and {error.more} more" if error.more else ""
        told = "; ".join(f"{each['field']}: {each['message']}" for each in details[:3])
        raise Refused(422, "INVALID_REQUEST", told + more, details=details) from error
    except UsageError as error:
        details = [{"field": field, "message": str(error)}]
        raise Refused(422, "INVALID_REQUEST", f"{field}: {error}", details=details) from error
