"""The first schema."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from renderkiln.database.columns import Json, Moment, Text

revision = "v0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "kiln_batches",
        sa.Column("id", Text, nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("label", Text, nullable=False),
        sa.Column("metadata", Json, nullable=False),
        sa.Column("idempotency_key", Text, nullable=True),
        sa.Column("request_sha256", Text, nullable=True),
        sa.Column("rounds", sa.Integer(), nullable=False),
        sa.Column("completed_at", Moment, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("kiln_batches_pk")),
        sa.UniqueConstraint("idempotency_key", name=op.f("kiln_batches_idempotency_key_key")),
    )
    op.create_index(
        op.f("kiln_batches_created_at_id_idx"), "kiln_batches", ["created_at", "id"], unique=False
    )
    op.create_table(
        "kiln_events",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", Moment, nullable=False),
        sa.Column("name", Text, nullable=False),
        sa.Column("job_id", Text, nullable=True),
        sa.Column("batch_id", Text, nullable=True),
        sa.Column("stage", Text, nullable=True),
        sa.Column("percent", sa.Float(), nullable=True),
        sa.Column("message", Text, nullable=False),
        sa.Column("facts", Json, nullable=False),
        sa.Column("worker", Text, nullable=True),
        sa.PrimaryKeyConstraint("seq", name=op.f("kiln_events_pk")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("kiln_events_at_idx"), "kiln_events", ["at"], unique=False)
    op.create_index(op.f("kiln_events_batch_id_seq_idx"), "kiln_events", ["batch_id", "seq"], unique=False)
    op.create_index(op.f("kiln_events_job_id_seq_idx"), "kiln_events", ["job_id", "seq"], unique=False)
    op.create_table(
        "kiln_queues",
        sa.Column("name", Text, nullable=False),
        sa.Column("worker_limit", sa.Integer(), nullable=True),
        sa.Column("global_limit", sa.Integer(), nullable=True),
        sa.Column("paused", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("kiln_queues_pk")),
    )
    op.create_table(
        "kiln_workers",
        sa.Column("id", Text, nullable=False),
        sa.Column("name", Text, nullable=False),
        sa.Column("host", Text, nullable=False),
        sa.Column("pid", sa.Integer(), nullable=False),
        sa.Column("queues", Json, nullable=False),
        sa.Column("concurrency", sa.Integer(), nullable=False),
        sa.Column("beat", sa.BigInteger(), nullable=False),
        sa.Column("started_at", Moment, nullable=False),
        sa.Column("seen_at", Moment, nullable=False),
        sa.Column("draining", sa.Boolean(), nullable=False),
        sa.Column("direct", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("kiln_workers_pk")),
    )
    op.create_table(
        "kiln_jobs",
        sa.Column("id", Text, nullable=False),
        sa.Column("batch_id", Text, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("item_id", Text, nullable=False),
        sa.Column("format", Text, nullable=True),
        sa.Column("pipeline", Text, nullable=False),
        sa.Column("queue", Text, nullable=False),
        sa.Column("params", Json, nullable=False),
        sa.Column("inputs", Json, nullable=False),
        sa.Column("output_dir", Text, nullable=False),
        sa.Column("label", Text, nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("max_attempts", sa.Integer(), nullable=False),
        sa.Column("metadata", Json, nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("not_before", Moment, nullable=True),
        sa.Column("direct", sa.Boolean(), nullable=False),
        sa.Column("state", Text, nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("owner", Text, nullable=True),
        sa.Column("crashes", sa.Integer(), nullable=False),
        sa.Column("request_sha256", Text, nullable=True),
        sa.Column("fingerprint", Text, nullable=True),
        sa.Column("stage", Text, nullable=True),
        sa.Column("progress", sa.Float(), nullable=False),
        sa.Column("message", Text, nullable=False),
        sa.Column("worker", Text, nullable=True),
        sa.Column("started_at", Moment, nullable=True),
        sa.Column("processed_at", Moment, nullable=True),
        sa.Column("completed_at", Moment, nullable=True),
        sa.Column("error_code", Text, nullable=True),
        sa.Column("error_message", Text, nullable=True),
        sa.Column("result", Json, nullable=True),
        sa.Column("warnings", Json, nullable=False),
        sa.Column("reused", Json, nullable=False),
        sa.Column("left_out", Json, nullable=False),
        sa.CheckConstraint(
            "state <> 'processing' OR owner IS NOT NULL", name=op.f("kiln_jobs_processing_check")
        ),
        sa.CheckConstraint(
            "state IN ('pending', 'processing', 'completed', 'failed', 'cancelled')",
            name=op.f("kiln_jobs_state_check"),
        ),
        sa.CheckConstraint(
            "state NOT IN ('cancelled', 'completed', 'failed') OR owner IS NULL",
            name=op.f("kiln_jobs_ended_check"),
        ),
        sa.ForeignKeyConstraint(["batch_id"], ["kiln_batches.id"], name=op.f("kiln_jobs_batch_id_fk")),
        sa.PrimaryKeyConstraint("id", name=op.f("kiln_jobs_pk")),
    )
    op.create_index(
        op.f("kiln_jobs_batch_id_position_idx"), "kiln_jobs", ["batch_id", "position"], unique=False
    )
    op.create_index(op.f("kiln_jobs_batch_id_state_idx"), "kiln_jobs", ["batch_id", "state"], unique=False)
    op.create_index(op.f("kiln_jobs_created_at_id_idx"), "kiln_jobs", ["created_at", "id"], unique=False)
    op.create_index(op.f("kiln_jobs_fingerprint_idx"), "kiln_jobs", ["fingerprint"], unique=False)
    op.create_index(op.f("kiln_jobs_request_sha256_idx"), "kiln_jobs", ["request_sha256"], unique=False)
    op.create_index(op.f("kiln_jobs_owner_idx"), "kiln_jobs", ["owner"], unique=False)
    op.create_index(op.f("kiln_jobs_queue_state_idx"), "kiln_jobs", ["queue", "state"], unique=False)
    op.create_index(
        op.f("kiln_jobs_state_completed_at_idx"), "kiln_jobs", ["state", "completed_at"], unique=False
    )
    op.create_table(
        "kiln_artifacts",
        sa.Column("id", Text, nullable=False),
        sa.Column("job_id", Text, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("kind", Text, nullable=False),
        sa.Column("path", Text, nullable=False),
        sa.Column("name", Text, nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sha256", Text, nullable=False),
        sa.Column("content_type", Text, nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.ForeignKeyConstraint(
            ["job_id"], ["kiln_jobs.id"], name=op.f("kiln_artifacts_job_id_fk"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("kiln_artifacts_pk")),
    )
    op.create_index(
        op.f("kiln_artifacts_job_id_position_idx"), "kiln_artifacts", ["job_id", "position"], unique=False
    )
    op.create_table(
        "kiln_attempts",
        sa.Column("job_id", Text, nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("owner", Text, nullable=False),
        sa.Column("worker", Text, nullable=False),
        sa.Column("started_at", Moment, nullable=False),
        sa.Column("ended_at", Moment, nullable=True),
        sa.Column("outcome", Text, nullable=True),
        sa.Column("code", Text, nullable=True),
        sa.Column("message", Text, nullable=False),
        sa.Column("seconds", sa.Float(), nullable=True),
        sa.Column("cpu_seconds", sa.Float(), nullable=True),
        sa.Column("peak_bytes", sa.BigInteger(), nullable=True),
        sa.Column("bytes_in", sa.BigInteger(), nullable=True),
        sa.Column("bytes_out", sa.BigInteger(), nullable=True),
        sa.Column("process_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["job_id"], ["kiln_jobs.id"], name=op.f("kiln_attempts_job_id_fk"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("job_id", "number", name=op.f("kiln_attempts_pk")),
    )
    op.create_table(
        "kiln_dependencies",
        sa.Column("job_id", Text, nullable=False),
        sa.Column("needs_job_id", Text, nullable=False),
        sa.ForeignKeyConstraint(
            ["job_id"], ["kiln_jobs.id"], name=op.f("kiln_dependencies_job_id_fk"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["needs_job_id"],
            ["kiln_jobs.id"],
            name=op.f("kiln_dependencies_needs_job_id_fk"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("job_id", "needs_job_id", name=op.f("kiln_dependencies_pk")),
    )
    op.create_index(
        op.f("kiln_dependencies_needs_job_id_idx"), "kiln_dependencies", ["needs_job_id"], unique=False
    )
    op.create_table(
        "kiln_stages",
        sa.Column("fingerprint", Text, nullable=False),
        sa.Column("stage", Text, nullable=False),
        sa.Column("part", Text, nullable=False),
        sa.Column("job_id", Text, nullable=False),
        sa.Column("result", Json, nullable=True),
        sa.Column("warnings", Json, nullable=False),
        sa.Column("recorded_at", Moment, nullable=False),
        sa.Column("seconds", sa.Float(), nullable=True),
        sa.ForeignKeyConstraint(
            ["job_id"], ["kiln_jobs.id"], name=op.f("kiln_stages_job_id_fk"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("fingerprint", "stage", "part", name=op.f("kiln_stages_pk")),
    )
    op.create_index(op.f("kiln_stages_job_id_idx"), "kiln_stages", ["job_id"], unique=False)
