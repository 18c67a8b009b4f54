"""Which events workers have handlers for; what came of each try; what waits, by where it goes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from renderkiln.database.columns import Json, Moment, Text

revision = "v0012"
down_revision = "v0011"


def upgrade() -> None:
    op.create_table(
        "kiln_handlers",
        sa.Column("type", Text, nullable=False),
        sa.Column("seen_at", Moment, nullable=False),
        sa.PrimaryKeyConstraint("type", name=op.f("kiln_handlers_pk")),
    )
    op.add_column("kiln_deliveries", sa.Column("tries", Json, nullable=True))
    for column in ("webhook_id", "handler"):
        columns = ["state", column, "next_at", "id"]
        op.create_index(op.f(f"kiln_deliveries_{'_'.join(columns)}_idx"), "kiln_deliveries", columns)
    claimed = sa.text("claimed_by IS NOT NULL")
    op.create_index(
        op.f("kiln_deliveries_claimed_by_idx"),
        "kiln_deliveries",
        ["claimed_by"],
        sqlite_where=claimed,
        postgresql_where=claimed,
    )
