"""The logs of failed jobs, for those who are not at the worker's machine."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from renderkiln.database.columns import Text

revision = "v0014"
down_revision = "v0013"


def upgrade() -> None:
    op.create_table(
        "kiln_logs",
        sa.Column("job_id", Text, sa.ForeignKey("kiln_jobs.id", ondelete="CASCADE"), nullable=False),
        sa.Column("text", Text, nullable=False),
        sa.PrimaryKeyConstraint("job_id", name=op.f("kiln_logs_pk")),
    )
