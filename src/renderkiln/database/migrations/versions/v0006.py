"""Accounts, whose jobs and batches they are; assets."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from renderkiln.database.columns import Json, Moment, Text

revision = "v0006"
down_revision = "v0005"


def upgrade() -> None:
    for table in ("kiln_batches", "kiln_jobs", "kiln_keys"):
        op.add_column(table, sa.Column("account", Text, nullable=False, server_default=sa.text("''")))
    op.execute("UPDATE kiln_keys SET account = id")
    op.create_index(op.f("kiln_batches_account_created_at_idx"), "kiln_batches", ["account", "created_at"])
    op.create_index(op.f("kiln_jobs_account_state_idx"), "kiln_jobs", ["account", "state"])
    op.create_table(
        "kiln_assets",
        sa.Column("id", Text, nullable=False),
        sa.Column("account", Text, nullable=False),
        sa.Column("name", Text, nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("sha256", Text, nullable=False),
        sa.Column("kind", Text, nullable=False),
        sa.Column("content_type", Text, nullable=False),
        sa.Column("storage_key", Text, nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("facts", Json, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("kiln_assets_pk")),
        sa.UniqueConstraint("account", "sha256", "name", name=op.f("kiln_assets_account_key")),
    )
    op.create_index(
        op.f("kiln_assets_account_created_at_id_idx"), "kiln_assets", ["account", "created_at", "id"]
    )
