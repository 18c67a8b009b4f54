"""Where finished files are kept, and which jobs wait to be uploaded."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from renderkiln.database.columns import Text

revision = "v0008"
down_revision = "v0007"


def upgrade() -> None:
    op.add_column("kiln_jobs", sa.Column("host", Text, nullable=True))
    op.add_column("kiln_jobs", sa.Column("rendered_in", Text, nullable=True))
    op.add_column("kiln_artifacts", sa.Column("location", Text, nullable=True))
    op.add_column("kiln_artifacts", sa.Column("visibility", Text, nullable=True))
    op.add_column("kiln_artifacts", sa.Column("storage_key", Text, nullable=True))
