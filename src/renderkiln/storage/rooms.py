"""The two rooms of an install: what everybody may see, and what takes a signed URL."""

from __future__ import annotations

from dataclasses import dataclass

from renderkiln.domain.artifact import Visibility
from renderkiln.storage.contract import Storage

__all__ = ["Rooms", "Visibility"]


@dataclass(frozen=True)
class Rooms:
    """Two storages: two buckets, or two prefixes of one, or two folders."""

    private: Storage
    public: Storage

    def room(self, visibility: Visibility) -> Storage:
        return self.public if visibility == "public" else self.private

    def url(
        self, visibility: Visibility, key: str, *, seconds: int = 3600, filename: str | None = None
    ) -> str:
        """A plain URL to what is public; one that is good for `seconds` to what is not.

        A plain URL cannot carry a file name: who asks for one gets a signed URL.
        """
        plain = visibility == "public" and filename is None
        return self.room(visibility).url(key, seconds=None if plain else seconds, filename=filename)
