"""What the operating system's errors mean for a storage on its disks."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from renderkiln.storage.errors import BadKey, Full, Refused, StorageError, Unavailable

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_FORBIDDEN = {errno.EACCES, errno.EPERM}
_OF_THE_WRONG_KIND = {errno.ENOTDIR, errno.EISDIR, errno.ELOOP, errno.EEXIST, errno.ENOTEMPTY}


@contextmanager
def trouble(where: str) -> Iterator[None]:
    """Turns an `OSError` into what it means; `where` names the place in the message."""
    try:
        yield
    except OSError as error:
        raise meaning(error, where) from error


def meaning(error: OSError, where: str) -> StorageError:
    number = error.errno
    if number in _FULL:
        return Full(f"no space is left in {where}: make room")
    if number in _FORBIDDEN:
        return Refused(f"{where} may not be used by this user: give it the right to read and write there")
    if number == errno.EROFS:
        return Refused(f"{where} is on a read-only disk: mount it for writing, or choose another")
    if number == errno.ENAMETOOLONG:
        return BadKey(f"the name is too long for {where}")
    if number in _OF_THE_WRONG_KIND:
        return Refused(f"{where} has a file, a folder or a link where another was expected: {error.strerror}")
    return Unavailable(f"{where} cannot be used now: {error.strerror or error}")
