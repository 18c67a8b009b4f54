"""What attempts are a measure of, for estimates, and what they cost."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from renderkiln.database.columns import Moment, Text

revision = "v0005"
down_revision = "v0004"


def upgrade() -> None:
    op.add_column("kiln_attempts", sa.Column("kind", Text, nullable=True))
    op.add_column("kiln_attempts", sa.Column("units", sa.Float(), nullable=True))
    op.add_column("kiln_attempts", sa.Column("unit", Text, nullable=True))
    op.create_index(
        op.f("kiln_attempts_kind_ended_at_idx"), "kiln_attempts", ["kind", "ended_at"], unique=False
    )
    op.create_table(
        "kiln_costs",
        sa.Column(
            "seq", sa.BigInteger().with_variant(sa.Integer, "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("at", Moment, nullable=False),
        sa.Column("day", Text, nullable=False),
        sa.Column("job_id", Text, nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("batch_id", Text, nullable=False),
        sa.Column("account", Text, nullable=False),
        sa.Column("pipeline", Text, nullable=False),
        sa.Column("currency", Text, nullable=False),
        sa.Column("cpu", sa.BigInteger(), nullable=False),
        sa.Column("stored", sa.BigInteger(), nullable=False),
        sa.Column("sent", sa.BigInteger(), nullable=False),
        sa.Column("services", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("kiln_costs_pk")),
    )
    for columns in (["job_id"], ["batch_id"], ["account", "at"], ["at"]):
        op.create_index(op.f(f"kiln_costs_{'_'.join(columns)}_idx"), "kiln_costs", columns, unique=False)
