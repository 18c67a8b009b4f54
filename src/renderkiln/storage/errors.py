"""What can be wrong with a storage.

    StorageError
    ├── Unavailable (Temporary)   the storage does not answer, or not well: try again
    └── Refused (Permanent)       it has answered, and trying again is pointless
        ├── BadKey                a key no storage takes
        ├── Missing               nothing is stored under that key
        ├── Taken                 something is, and only a new file was to be stored
        ├── OutOfRange            the file ends before the bytes that were asked for
        ├── Full                  no space is left
        ├── Altered               the file is not the one that was announced
        └── Forged, Expired       a signed URL that is not, or no longer, good

A stage may let them pass: they are `Temporary` or `Permanent` too.
No message holds a secret, a signature or the query of a URL.
"""

from __future__ import annotations

from renderkiln.domain.errors import Permanent, RenderkilnError, Temporary


class StorageError(RenderkilnError):
    """A file could not be stored, read or found."""


class Unavailable(StorageError, Temporary):
    """The storage does not answer, or not well."""


class Refused(StorageError, Permanent):
    """The storage will not do it, however often it is asked."""


class BadKey(Refused):
    """The key is not one that every storage takes."""


class Missing(Refused):
    """Nothing is stored under the key."""


class Taken(Refused):
    """Something is stored under the key already."""


class OutOfRange(Refused):
    """The file ends before the bytes that were asked for."""


class Full(Refused):
    """No space is left."""


class Altered(Refused):
    """The file has other bytes than those whose SHA-256 was told: nothing was stored."""


class Forged(Refused):
    """The signature is not one of ours, or not for this."""


class Expired(Refused):
    """The signature was good until some time ago."""
