"""Our tables. DBOS keeps its own in the same database, so the names of ours begin with `kiln_`."""

from __future__ import annotations

import sqlalchemy as sa

from renderkiln.database.columns import Json, Moment, Text
from renderkiln.domain.delivery import DELIVERY_STATES
from renderkiln.domain.states import EDGES, ENDED, STATES

metadata = sa.MetaData(
    naming_convention={
        "pk": "%(table_name)s_pk",
        "fk": "%(table_name)s_%(column_0_name)s_fk",
        "uq": "%(table_name)s_%(column_0_name)s_key",
        "ck": "%(table_name)s_%(constraint_name)s_check",
        "ix": "%(table_name)s_%(column_0_N_name)s_idx",
    }
)

VERSION_TABLE = "kiln_version"
REVISION = "v0015"  # the newest of migrations/versions

_PROCESSING = EDGES["start"][1]
_HAS_HOST = sa.text("host IS NOT NULL")
_CLAIMED = sa.text("claimed_by IS NOT NULL")


def _one_of(names: tuple[str, ...]) -> str:
    return ", ".join(f"'{name}'" for name in names)


def _belongs_to_job(*, primary_key: bool = False) -> sa.Column[str]:
    owner = sa.ForeignKey("kiln_jobs.id", ondelete="CASCADE")
    return sa.Column("job_id", Text, owner, primary_key=primary_key, nullable=False)


batches = sa.Table(
    "kiln_batches",
    metadata,
    sa.Column("id", Text, primary_key=True),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("label", Text, nullable=False),
    sa.Column("metadata", Json, nullable=False),
    sa.Column("idempotency_key", Text, unique=True),
    sa.Column("request_sha256", Text),  # of what was asked for
    sa.Column("rounds", sa.Integer, nullable=False, default=0),  # how often all its jobs had ended
    sa.Column("completed_at", Moment),
    sa.Column("account", Text, nullable=False, server_default=sa.text("''")),  # of its key
    sa.Index(None, "created_at", "id"),
    sa.Index(None, "account", "created_at"),
)

jobs = sa.Table(
    "kiln_jobs",
    metadata,
    sa.Column("id", Text, primary_key=True),
    sa.Column("batch_id", Text, sa.ForeignKey("kiln_batches.id"), nullable=False),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("item_id", Text, nullable=False),
    sa.Column("format", Text),
    sa.Column("pipeline", Text, nullable=False),
    sa.Column("queue", Text, nullable=False),
    sa.Column("params", Json, nullable=False),
    sa.Column("inputs", Json, nullable=False),  # absolute paths, assets and URLs
    sa.Column("output_dir", Text, nullable=False),
    sa.Column("label", Text, nullable=False),
    sa.Column("priority", sa.Integer, nullable=False),  # low numbers first
    sa.Column("max_attempts", sa.Integer, nullable=False),
    sa.Column("metadata", Json, nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("not_before", Moment),  # a scheduled start, the next retry, or since when it waits again
    sa.Column("direct", sa.Boolean, nullable=False),  # runs in the process that asked: in no queue
    sa.Column("state", Text, nullable=False),
    sa.Column("attempt", sa.Integer, nullable=False),  # queued or running, from 1: the right to finish
    sa.Column("owner", Text),  # id of the executor that holds it
    sa.Column("crashes", sa.Integer, nullable=False),  # how often its worker died
    sa.Column("request_sha256", Text),  # of what was asked for; of direct jobs only
    sa.Column("fingerprint", Text),
    sa.Column("stage", Text),
    sa.Column("progress", sa.Float, nullable=False),  # percent
    sa.Column("message", Text, nullable=False),
    sa.Column("worker", Text),
    sa.Column("started_at", Moment),
    sa.Column("processed_at", Moment),
    sa.Column("completed_at", Moment),
    sa.Column("error_code", Text),
    sa.Column("error_message", Text),
    sa.Column("result", Json),  # without being completed: its files are made, and wait to be uploaded
    sa.Column("host", Text),  # the machine where they wait, in the queue storage-upload
    sa.Column("rendered_in", Text),  # the queue where it was before
    sa.Column("warnings", Json, nullable=False),  # sentences by code
    sa.Column("reused", Json, nullable=False),  # stages
    sa.Column("left_out", Json, nullable=False),  # reasons by stage
    sa.Column("expected_cost", sa.BigInteger),  # billionths; of jobs whose key has a budget
    sa.Column("traceparent", Text),  # of the trace it was asked for in
    sa.Column("account", Text, nullable=False, server_default=sa.text("''")),  # its batch's
    sa.CheckConstraint(f"state IN ({_one_of(STATES)})", name="state"),
    sa.CheckConstraint(f"state NOT IN ({_one_of(tuple(sorted(ENDED)))}) OR owner IS NULL", name="ended"),
    sa.CheckConstraint(f"state <> '{_PROCESSING}' OR owner IS NOT NULL", name="processing"),
    sa.Index(None, "queue", "state"),
    sa.Index(None, "batch_id", "position"),
    sa.Index(None, "batch_id", "state"),
    sa.Index(None, "owner"),
    sa.Index(None, "state", "completed_at"),
    sa.Index(None, "fingerprint"),
    sa.Index(None, "request_sha256"),
    sa.Index(None, "created_at", "id"),
    sa.Index(None, "account", "state"),
    # Few have one, and every worker asks for them every two seconds.
    sa.Index(None, "state", "host", sqlite_where=_HAS_HOST, postgresql_where=_HAS_HOST),
)

dependencies = sa.Table(
    "kiln_dependencies",
    metadata,
    _belongs_to_job(primary_key=True),
    sa.Column("needs_job_id", Text, sa.ForeignKey("kiln_jobs.id", ondelete="CASCADE"), primary_key=True),
    sa.Index(None, "needs_job_id"),
)

attempts = sa.Table(
    "kiln_attempts",
    metadata,
    _belongs_to_job(primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("owner", Text, nullable=False),
    sa.Column("worker", Text, nullable=False),
    sa.Column("started_at", Moment, nullable=False),
    sa.Column("ended_at", Moment),
    sa.Column("outcome", Text),
    sa.Column("code", Text),
    sa.Column("message", Text, nullable=False),
    sa.Column("seconds", sa.Float),
    sa.Column("cpu_seconds", sa.Float),
    sa.Column("peak_bytes", sa.BigInteger),
    sa.Column("bytes_in", sa.BigInteger),
    sa.Column("bytes_out", sa.BigInteger),
    sa.Column("process_id", sa.Integer),  # of the running FFmpeg or stage
    sa.Column("kind", Text),  # of the work, where it is a measure for other jobs
    sa.Column("units", sa.Float),
    sa.Column("unit", Text),
    sa.Index(None, "kind", "ended_at"),
)

stages = sa.Table(
    "kiln_stages",
    metadata,
    sa.Column("fingerprint", Text, primary_key=True),
    sa.Column("stage", Text, primary_key=True),
    sa.Column("part", Text, primary_key=True),  # "" is the whole stage
    _belongs_to_job(),
    sa.Column("result", Json),  # NULL: it has only warned so far
    sa.Column("warnings", Json, nullable=False),
    sa.Column("recorded_at", Moment, nullable=False),
    sa.Column("seconds", sa.Float),
    sa.Index(None, "job_id"),
)

artifacts = sa.Table(
    "kiln_artifacts",
    metadata,
    sa.Column("id", Text, primary_key=True),  # {job_id}-{position}
    _belongs_to_job(),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("kind", Text, nullable=False),
    sa.Column("path", Text, nullable=False),
    sa.Column("name", Text, nullable=False),
    sa.Column("size", sa.BigInteger, nullable=False),  # bytes
    sa.Column("sha256", Text, nullable=False),
    sa.Column("content_type", Text, nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("facts", Json, nullable=True),
    sa.Column("location", Text),  # the storage that has it; NULL: it lies at its path
    sa.Column("visibility", Text),
    sa.Column("storage_key", Text),
    sa.Index(None, "job_id", "position"),
)

events = sa.Table(
    "kiln_events",
    metadata,
    # Only an INTEGER key counts by itself on SQLite; there it is 64 bits wide all the same.
    sa.Column("seq", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
    sa.Column("at", Moment, nullable=False),
    sa.Column("name", Text, nullable=False),
    sa.Column("job_id", Text),
    sa.Column("batch_id", Text),
    sa.Column("stage", Text),
    sa.Column("percent", sa.Float),
    sa.Column("message", Text, nullable=False),
    sa.Column("facts", Json, nullable=False),
    sa.Column("worker", Text),
    sa.Column("account", Text),  # whose it is; NULL: everybody may see it
    sa.Index(None, "job_id", "seq"),
    sa.Index(None, "batch_id", "seq"),
    sa.Index(None, "at"),
    sqlite_autoincrement=True,  # a number is never given twice, also when the newest rows are forgotten
)

costs = sa.Table(
    "kiln_costs",
    metadata,
    sa.Column("seq", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
    sa.Column("at", Moment, nullable=False),
    sa.Column("day", Text, nullable=False),  # of `at`, in UTC: 2026-01-27
    sa.Column("job_id", Text, nullable=False),  # no foreign key: what was spent outlives its job
    sa.Column("attempt", sa.Integer, nullable=False),
    sa.Column("batch_id", Text, nullable=False),
    sa.Column("account", Text, nullable=False),
    sa.Column("pipeline", Text, nullable=False),
    sa.Column("currency", Text, nullable=False),
    *(sa.Column(part, sa.BigInteger, nullable=False) for part in ("cpu", "stored", "sent", "services")),
    sa.Index(None, "job_id"),
    sa.Index(None, "batch_id"),
    sa.Index(None, "account", "at"),
    sa.Index(None, "at"),
)

workers = sa.Table(
    "kiln_workers",
    metadata,
    sa.Column("id", Text, primary_key=True),
    sa.Column("name", Text, nullable=False),
    sa.Column("host", Text, nullable=False),
    sa.Column("pid", sa.Integer, nullable=False),
    sa.Column("queues", Json, nullable=False),
    sa.Column("concurrency", sa.Integer, nullable=False),
    sa.Column("beat", sa.BigInteger, nullable=False),
    sa.Column("started_at", Moment, nullable=False),
    sa.Column("seen_at", Moment, nullable=False),
    sa.Column("draining", sa.Boolean, nullable=False),
    sa.Column("direct", sa.Boolean, nullable=False),
    sa.Column("machine", Text),  # where its files are
)

queues = sa.Table(
    "kiln_queues",
    metadata,
    sa.Column("name", Text, primary_key=True),
    sa.Column("worker_limit", sa.Integer),
    sa.Column("global_limit", sa.Integer),
    sa.Column("paused", sa.Boolean, nullable=False),
)

keys = sa.Table(
    "kiln_keys",
    metadata,
    sa.Column("id", Text, primary_key=True),
    sa.Column("name", Text, nullable=False),
    sa.Column("scope", Text, nullable=False),
    sa.Column("start", Text, nullable=False),  # of the key itself, of which only this is readable
    sa.Column("sha256", Text, nullable=False, unique=True),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("used_at", Moment),
    sa.Column("revoked_at", Moment),
    sa.Column("budget", sa.BigInteger),  # billionths of the currency
    sa.Column("budget_period", Text),
    sa.Column("budget_currency", Text),
    sa.Column("account", Text, nullable=False, server_default=sa.text("''")),
)

assets = sa.Table(
    "kiln_assets",
    metadata,
    sa.Column("id", Text, primary_key=True),
    sa.Column("account", Text, nullable=False),
    sa.Column("name", Text, nullable=False),
    sa.Column("size", sa.BigInteger, nullable=False),  # bytes
    sa.Column("sha256", Text, nullable=False),
    sa.Column("kind", Text, nullable=False),
    sa.Column("content_type", Text, nullable=False),
    sa.Column("storage_key", Text, nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("facts", Json, nullable=False),
    sa.UniqueConstraint("account", "sha256", "name"),
    sa.Index(None, "account", "created_at", "id"),
)

loose_files = sa.Table(
    "kiln_loose_files",
    metadata,
    sa.Column("storage_key", Text, primary_key=True),
    sa.Column("since", Moment, nullable=False),
    sa.Column("doomed", sa.Boolean, nullable=False),  # to be removed: no row will ever name it
)

webhooks = sa.Table(
    "kiln_webhooks",
    metadata,
    sa.Column("id", Text, primary_key=True),
    sa.Column("url", Text, nullable=False),
    sa.Column("label", Text, nullable=False),
    sa.Column("types", Json, nullable=False),  # of events that it is told of; "*": of all
    sa.Column("secret", Text, nullable=False),  # as it is: what is sent is signed with it
    sa.Column("old_secret", Text),  # signs as well, until then
    sa.Column("old_secret_until", Moment),
    sa.Column("account", Text, nullable=False),  # of the key that made it
    # One of these: it is told only of that job, or of that batch and its jobs, and forgotten with them.
    sa.Column("job_id", Text, sa.ForeignKey("kiln_jobs.id", ondelete="CASCADE")),
    sa.Column("batch_id", Text, sa.ForeignKey("kiln_batches.id", ondelete="CASCADE")),
    sa.Column("enabled", sa.Boolean, nullable=False),
    sa.Column("reason", Text, nullable=False),  # why it was disabled
    sa.Column("failing_since", Moment),
    sa.Column("created_at", Moment, nullable=False),
    sa.Index(None, "job_id", "batch_id"),
    sa.Index(None, "batch_id"),
)

deliveries = sa.Table(
    "kiln_deliveries",
    metadata,
    sa.Column("id", Text, primary_key=True),  # the same at every try
    # One of these: where it goes.
    sa.Column("webhook_id", Text, sa.ForeignKey("kiln_webhooks.id", ondelete="CASCADE")),
    sa.Column("handler", Text),
    sa.Column("seq", sa.BigInteger),  # of the event; NULL: a test
    sa.Column("type", Text, nullable=False),
    sa.Column("payload", Json, nullable=False),
    sa.Column("state", Text, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("next_at", Moment, nullable=False),
    sa.Column("claimed_by", Text),  # id of the executor that is at it
    sa.Column("status", sa.Integer),  # of the last answer over HTTP
    sa.Column("error", Text, nullable=False),  # why the last try failed
    sa.Column("response", Text, nullable=False),  # how the last answer began
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("tried_at", Moment),
    sa.Column("ended_at", Moment),
    sa.Column("tries", Json),  # when each was, and what came of it; the latest ones
    sa.CheckConstraint(f"state IN ({_one_of(DELIVERY_STATES)})", name="state"),
    sa.CheckConstraint("(webhook_id IS NULL) <> (handler IS NULL)", name="target"),
    sa.Index(None, "state", "next_at"),
    sa.Index(None, "webhook_id", "created_at", "id"),
    sa.Index(None, "handler", "created_at", "id"),
    sa.Index(None, "created_at"),
    # Those that wait, by where they go; and those that somebody is at.
    sa.Index(None, "state", "webhook_id", "next_at", "id"),
    sa.Index(None, "state", "handler", "next_at", "id"),
    sa.Index(None, "claimed_by", sqlite_where=_CLAIMED, postgresql_where=_CLAIMED),
)

handlers = sa.Table(
    "kiln_handlers",
    metadata,
    sa.Column("type", Text, primary_key=True),  # of events that a worker has a handler for
    sa.Column("seen_at", Moment, nullable=False),  # when one has said so last
)

projects = sa.Table(
    "kiln_projects",
    metadata,
    sa.Column("id", Text, primary_key=True),
    sa.Column("name", Text, nullable=False),
    # Absolute; relative paths of the document count from it. "": it came over HTTP and names none.
    sa.Column("folder", Text, nullable=False),
    sa.Column("document", Json, nullable=False),  # without its scenes
    sa.Column("revision", sa.Integer, nullable=False),  # of the project and its scenes, from 1
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("updated_at", Moment, nullable=False),
    sa.Column("account", Text, nullable=False, server_default=sa.text("''")),  # of its key
    sa.Index(None, "created_at", "id"),
    sa.Index(None, "account", "created_at", "id"),
)

pictures = sa.Table(  # of what a running job makes, the latest one
    "kiln_pictures",
    metadata,
    _belongs_to_job(primary_key=True),
    sa.Column("at", Moment, nullable=False),
    sa.Column("jpeg", sa.LargeBinary, nullable=False),
)

logs = sa.Table(  # of jobs that have failed, their end
    "kiln_logs",
    metadata,
    _belongs_to_job(primary_key=True),
    sa.Column("text", Text, nullable=False),
)

logouts = sa.Table(
    "kiln_logouts",
    metadata,
    sa.Column("session", Text, primary_key=True),
    sa.Column("until", Moment, nullable=False),  # after that it opens nothing anyway
)

scenes = sa.Table(
    "kiln_scenes",
    metadata,
    sa.Column("project_id", Text, sa.ForeignKey("kiln_projects.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("id", Text, primary_key=True),  # the scene's own, unique in its project
    sa.Column("position", sa.Integer, nullable=False),  # from 1, without gaps
    sa.Column("document", Json, nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("updated_at", Moment, nullable=False),
    sa.Index(None, "project_id", "position"),
)
