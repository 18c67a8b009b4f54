"""One request to one pipeline for one result set."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from renderkiln.domain.errors import UsageError

# A file of a job as its owner named it: a path, or, as a text, `asset:ast_…` or a URL.
Input = Path | str

# Batch and format hold no hyphen, so that a job's id names its three parts without doubt.
_PLAIN = re.compile(r"[A-Za-z0-9_.]{1,64}")
_ITEM = re.compile(r"[A-Za-z0-9_.-]{1,128}")


@dataclass(frozen=True)
class Job:
    """What was asked for. Never changes; how far it is stands in its `JobReport`.

    `inputs` are opened, checked and hashed when the job starts. `params` are validated JSON values of the
    pipeline's `Params`. `label` is what people read. `account` says whose it is: that of the key it was asked
    for with, "" for what was asked for on this machine.
    """

    id: str
    batch_id: str
    item_id: str
    pipeline: str
    queue: str
    params: Mapping[str, Any]
    inputs: tuple[Input, ...]
    created_at: datetime  # aware
    format: str | None = None
    label: str = ""
    priority: int = 100  # low numbers first
    max_attempts: int = 3
    metadata: Mapping[str, Any] = field(default_factory=dict)  # the caller's own, handed back untouched
    account: str = ""
    host: str | None = None  # the machine where its finished files wait to be uploaded


def job_id(batch_id: str, item_id: str, format: str | None = None) -> str:
    """`{batch_id}-{item_id}-{format}`, or without a format `{batch_id}-{item_id}`.

    Raises UsageError for characters that have no place in an id.
    """
    parts = [("batch id", batch_id, _PLAIN), ("item id", item_id, _ITEM)]
    if format is not None:
        parts.append(("format", format, _PLAIN))
    for what, text, pattern in parts:
        if not pattern.fullmatch(text):
            raise UsageError(f"{text!r} is no {what}: use letters, digits, '_' and '.'")
    return "-".join(text for _, text, _ in parts)


def new_batch_id(now: datetime) -> str:
    """A new id that sorts by time: 20 characters, `20260127T0935` and 7 random hex digits."""
    return f"{now:%Y%m%dT%H%M}{secrets.token_hex(4)[:7]}"
