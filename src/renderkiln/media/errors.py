"""What can be wrong with media.

    MediaError
    ├── Unreadable       not media, damaged beyond decoding, a format we do not accept, missing, no permission
    ├── Unsuitable       readable, but not what was asked for: no audio, too short, too long, too large
    ├── FFmpegFailed     FFmpeg ended with an error; `tail` holds the last lines it printed
    │   └── FFmpegStalled    no sign of life for the stall time-out
    └── FFmpegStopped    killed because its caller cancelled it

`media` stands on its own and knows nothing of jobs: the engine decides what these mean for an attempt.
"""

from __future__ import annotations


class MediaError(Exception):
    """A media file or a media tool failed."""


class Unreadable(MediaError):
    """The file cannot be read as media."""


class Unsuitable(MediaError):
    """The file is readable, but cannot be used for this."""


class FFmpegFailed(MediaError):
    """FFmpeg ended with an error."""

    def __init__(self, message: str, *, tail: str = "", returncode: int | None = None) -> None:
        super().__init__(message)
        self.tail = tail
        self.returncode = returncode


class FFmpegStalled(FFmpegFailed):
    """FFmpeg showed no sign of life."""


class FFmpegStopped(MediaError):
    """FFmpeg was stopped by its caller."""
