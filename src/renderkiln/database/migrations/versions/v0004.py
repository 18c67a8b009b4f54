"""Keys of the API."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from renderkiln.database.columns import Moment, Text

revision = "v0004"
down_revision = "v0003"


def upgrade() -> None:
    op.create_table(
        "kiln_keys",
        sa.Column("id", Text, nullable=False),
        sa.Column("name", Text, nullable=False),
        sa.Column("scope", Text, nullable=False),
        sa.Column("start", Text, nullable=False),
        sa.Column("sha256", Text, nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("used_at", Moment, nullable=True),
        sa.Column("revoked_at", Moment, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("kiln_keys_pk")),
        sa.UniqueConstraint("sha256", name=op.f("kiln_keys_sha256_key")),
    )
