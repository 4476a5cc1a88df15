"""Saved queries; what a reader keeps for a list: narrow rows and the query it opens with."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from app.models import base as types

revision = "saved_query"
down_revision = "remark"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Saved queries."""
    op.create_table(
        "saved_query",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("owner_id", sa.Integer(), nullable=False),
        sa.Column("list_key", sa.String(length=60), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("arguments", sa.Text(), nullable=False),
        sa.Column("columns", sa.Text(), nullable=False),
        sa.Column(
            "sharing",
            sa.Enum(
                "MINE",
                "UNIT",
                "EVERYONE",
                name="sharing",
                native_enum=False,
                create_constraint=True,
                length=20,
            ),
            nullable=False,
        ),
        sa.Column("unit_id", sa.Integer(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", types.UTCDateTime(), nullable=False),
        sa.Column("updated_at", types.UTCDateTime(), nullable=False),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("updated_by_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["created_by_id"], ["ab_user.id"], name=op.f("fk_saved_query_created_by_id")),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["ab_user.id"], name=op.f("fk_saved_query_owner_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_saved_query_unit_id")),
        sa.ForeignKeyConstraint(["updated_by_id"], ["ab_user.id"], name=op.f("fk_saved_query_updated_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_query")),
        sa.UniqueConstraint(
            "owner_id", "list_key", "name", name=op.f("uq_saved_query_owner_id_list_key_name")
        ),
    )
    with op.batch_alter_table("saved_query", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_saved_query_created_by_id"), ["created_by_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_saved_query_list_key"), ["list_key"], unique=False)
        batch_op.create_index(batch_op.f("ix_saved_query_unit_id"), ["unit_id"], unique=False)

    with op.batch_alter_table("list_preference", schema=None) as batch_op:
        batch_op.add_column(sa.Column("dense", sa.Boolean(), server_default=sa.false(), nullable=False))
        batch_op.add_column(sa.Column("saved_query_id", sa.Integer(), nullable=True))
        batch_op.create_index(
            batch_op.f("ix_list_preference_saved_query_id"), ["saved_query_id"], unique=False
        )
        batch_op.create_foreign_key(
            batch_op.f("fk_list_preference_saved_query_id"),
            "saved_query",
            ["saved_query_id"],
            ["id"],
            ondelete="SET NULL",
        )


def downgrade() -> None:
    """Undo it."""
    with op.batch_alter_table("list_preference", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("fk_list_preference_saved_query_id"), type_="foreignkey")
        batch_op.drop_index(batch_op.f("ix_list_preference_saved_query_id"))
        batch_op.drop_column("saved_query_id")
        batch_op.drop_column("dense")

    with op.batch_alter_table("saved_query", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_saved_query_unit_id"))
        batch_op.drop_index(batch_op.f("ix_saved_query_list_key"))
        batch_op.drop_index(batch_op.f("ix_saved_query_created_by_id"))

    op.drop_table("saved_query")
