"""A typed client of the HTTP API: submit jobs to a server, follow them, and get their files.

Importing it costs little: neither httpx nor the engine comes with it before a client is made.
"""

from __future__ import annotations

from renderkiln.client.asynchronous import AsyncClient
from renderkiln.client.errors import (
    Conflict,
    Invalid,
    NotFound,
    RateLimited,
    RenderkilnApiError,
    ServerUnreachable,
    Unauthorized,
    WaitedTooLong,
    WrongBytes,
)
from renderkiln.client.operations import Part
from renderkiln.client.records import (
    Artifact,
    Asset,
    Attempt,
    Batch,
    Budget,
    Cost,
    Counts,
    Delivery,
    Emitted,
    Estimate,
    Event,
    Job,
    Key,
    News,
    Project,
    Queue,
    Retried,
    Scene,
    Submitted,
    Try,
    Webhook,
)
from renderkiln.client.sync import Client

__all__ = [
    "Artifact",
    "Asset",
    "AsyncClient",
    "Attempt",
    "Batch",
    "Budget",
    "Client",
    "Conflict",
    "Cost",
    "Counts",
    "Delivery",
    "Emitted",
    "Estimate",
    "Event",
    "Invalid",
    "Job",
    "Key",
    "News",
    "NotFound",
    "Part",
    "Project",
    "Queue",
    "RateLimited",
    "RenderkilnApiError",
    "Retried",
    "Scene",
    "ServerUnreachable",
    "Submitted",
    "Try",
    "Unauthorized",
    "WaitedTooLong",
    "Webhook",
    "WrongBytes",
]
