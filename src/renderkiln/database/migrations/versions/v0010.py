"""Whose projects are."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from renderkiln.database.columns import Text

revision = "v0010"
down_revision = "v0009"


def upgrade() -> None:
    op.add_column("kiln_projects", sa.Column("account", Text, nullable=False, server_default=sa.text("''")))
    op.create_index(
        op.f("kiln_projects_account_created_at_id_idx"), "kiln_projects", ["account", "created_at", "id"]
    )
