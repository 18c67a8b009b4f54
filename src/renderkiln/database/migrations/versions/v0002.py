"""What a pipeline says about each of its files: the effects of a variation."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from renderkiln.database.columns import Json

revision = "v0002"
down_revision = "v0001"


def upgrade() -> None:
    op.add_column("kiln_artifacts", sa.Column("facts", Json, nullable=True))
