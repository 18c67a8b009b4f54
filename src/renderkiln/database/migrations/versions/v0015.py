"""Who has logged out, for all processes that answer."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from renderkiln.database.columns import Moment, Text

revision = "v0015"
down_revision = "v0014"


def upgrade() -> None:
    op.create_table(
        "kiln_logouts",
        sa.Column("session", Text, nullable=False),
        sa.Column("until", Moment, nullable=False),
        sa.PrimaryKeyConstraint("session", name=op.f("kiln_logouts_pk")),
    )
