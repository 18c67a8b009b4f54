"""The queues there are: lanes of work with limits of their own."""

from __future__ import annotations

VIDEO = "video-rendering"
AUDIO = "audio-rendering"
UPLOADS = "storage-upload"
EVENTS = "event-processing"

# Those that a pipeline may name: to the other one, jobs come by themselves when their files are made.
OF_PIPELINES = (VIDEO, AUDIO, EVENTS)
