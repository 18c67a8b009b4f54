"""Stored files that no row names; the machines of workers, and an index of those where files wait."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from renderkiln.database.columns import Moment, Text

revision = "v0011"
down_revision = "v0010"


def upgrade() -> None:
    op.add_column("kiln_workers", sa.Column("machine", Text, nullable=True))
    has_host = sa.text("host IS NOT NULL")
    op.create_index(
        op.f("kiln_jobs_state_host_idx"),
        "kiln_jobs",
        ["state", "host"],
        sqlite_where=has_host,
        postgresql_where=has_host,
    )
    op.create_table(
        "kiln_loose_files",
        sa.Column("storage_key", Text, nullable=False),
        sa.Column("since", Moment, nullable=False),
        sa.Column("doomed", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("storage_key", name=op.f("kiln_loose_files_pk")),
    )
