"""Stored projects and their scenes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from renderkiln.database.columns import Json, Moment, Text

revision = "v0003"
down_revision = "v0002"


def upgrade() -> None:
    op.create_table(
        "kiln_projects",
        sa.Column("id", Text, nullable=False),
        sa.Column("name", Text, nullable=False),
        sa.Column("folder", Text, nullable=False),
        sa.Column("document", Json, nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("updated_at", Moment, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("kiln_projects_pk")),
    )
    op.create_index(
        op.f("kiln_projects_created_at_id_idx"), "kiln_projects", ["created_at", "id"], unique=False
    )
    op.create_table(
        "kiln_scenes",
        sa.Column("project_id", Text, nullable=False),
        sa.Column("id", Text, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("document", Json, nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("updated_at", Moment, nullable=False),
        sa.ForeignKeyConstraint(
            ["project_id"],
            ["kiln_projects.id"],
            name=op.f("kiln_scenes_project_id_fk"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("project_id", "id", name=op.f("kiln_scenes_pk")),
    )
    op.create_index(
        op.f("kiln_scenes_project_id_position_idx"), "kiln_scenes", ["project_id", "position"], unique=False
    )
