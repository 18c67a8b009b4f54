"""What a running job makes looks like."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from renderkiln.database.columns import Moment, Text

revision = "v0013"
down_revision = "v0012"


def upgrade() -> None:
    op.create_table(
        "kiln_pictures",
        sa.Column("job_id", Text, sa.ForeignKey("kiln_jobs.id", ondelete="CASCADE"), nullable=False),
        sa.Column("at", Moment, nullable=False),
        sa.Column("jpeg", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("job_id", name=op.f("kiln_pictures_pk")),
    )
