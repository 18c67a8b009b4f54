"""Budgets of keys, and the traces that jobs were asked for in."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from renderkiln.database.columns import Text

revision = "v0007"
down_revision = "v0006"


def upgrade() -> None:
    op.add_column("kiln_jobs", sa.Column("expected_cost", sa.BigInteger(), nullable=True))
    op.add_column("kiln_jobs", sa.Column("traceparent", Text, nullable=True))
    op.add_column("kiln_keys", sa.Column("budget", sa.BigInteger(), nullable=True))
    op.add_column("kiln_keys", sa.Column("budget_period", Text, nullable=True))
    op.add_column("kiln_keys", sa.Column("budget_currency", Text, nullable=True))
