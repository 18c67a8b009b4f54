"""Webhooks, and events on their way to them and to handlers; events of somebody's own."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from renderkiln.database.columns import Json, Moment, Text

revision = "v0009"
down_revision = "v0008"


def upgrade() -> None:
    op.add_column("kiln_events", sa.Column("account", Text, nullable=True))
    for table, key in (("kiln_jobs", "job_id"), ("kiln_batches", "batch_id")):
        of = f"SELECT account FROM {table} WHERE {table}.id = kiln_events.{key}"  # noqa: S608  names of ours
        op.execute(f"UPDATE kiln_events SET account = ({of}) WHERE {key} IS NOT NULL AND account IS NULL")  # noqa: S608
    op.create_table(
        "kiln_webhooks",
        sa.Column("id", Text, nullable=False),
        sa.Column("url", Text, nullable=False),
        sa.Column("label", Text, nullable=False),
        sa.Column("types", Json, nullable=False),
        sa.Column("secret", Text, nullable=False),
        sa.Column("old_secret", Text, nullable=True),
        sa.Column("old_secret_until", Moment, nullable=True),
        sa.Column("account", Text, nullable=False),
        sa.Column("job_id", Text, nullable=True),
        sa.Column("batch_id", Text, nullable=True),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("reason", Text, nullable=False),
        sa.Column("failing_since", Moment, nullable=True),
        sa.Column("created_at", Moment, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("kiln_webhooks_pk")),
        sa.ForeignKeyConstraint(
            ["job_id"], ["kiln_jobs.id"], name=op.f("kiln_webhooks_job_id_fk"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["batch_id"], ["kiln_batches.id"], name=op.f("kiln_webhooks_batch_id_fk"), ondelete="CASCADE"
        ),
    )
    op.create_index(op.f("kiln_webhooks_job_id_batch_id_idx"), "kiln_webhooks", ["job_id", "batch_id"])
    op.create_index(op.f("kiln_webhooks_batch_id_idx"), "kiln_webhooks", ["batch_id"])
    op.create_table(
        "kiln_deliveries",
        sa.Column("id", Text, nullable=False),
        sa.Column("webhook_id", Text, nullable=True),
        sa.Column("handler", Text, nullable=True),
        sa.Column("seq", sa.BigInteger(), nullable=True),
        sa.Column("type", Text, nullable=False),
        sa.Column("payload", Json, nullable=False),
        sa.Column("state", Text, nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_at", Moment, nullable=False),
        sa.Column("claimed_by", Text, nullable=True),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("error", Text, nullable=False),
        sa.Column("response", Text, nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("tried_at", Moment, nullable=True),
        sa.Column("ended_at", Moment, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("kiln_deliveries_pk")),
        sa.ForeignKeyConstraint(
            ["webhook_id"],
            ["kiln_webhooks.id"],
            name=op.f("kiln_deliveries_webhook_id_fk"),
            ondelete="CASCADE",
        ),
        sa.CheckConstraint(
            "state IN ('pending', 'delivered', 'failed')", name=op.f("kiln_deliveries_state_check")
        ),
        sa.CheckConstraint(
            "(webhook_id IS NULL) <> (handler IS NULL)", name=op.f("kiln_deliveries_target_check")
        ),
    )
    op.create_index(op.f("kiln_deliveries_state_next_at_idx"), "kiln_deliveries", ["state", "next_at"])
    op.create_index(
        op.f("kiln_deliveries_webhook_id_created_at_id_idx"),
        "kiln_deliveries",
        ["webhook_id", "created_at", "id"],
    )
    op.create_index(
        op.f("kiln_deliveries_handler_created_at_id_idx"), "kiln_deliveries", ["handler", "created_at", "id"]
    )
    op.create_index(op.f("kiln_deliveries_created_at_idx"), "kiln_deliveries", ["created_at"])
