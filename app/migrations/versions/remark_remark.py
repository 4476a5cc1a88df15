"""Remarks and answers, and the indexes of the task centre."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from app.models import base as types

revision = "remark"
down_revision = "change"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Two tables; what a person did, latest first; the menu counts declarations alone."""
    op.create_table(
        "remark",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("document_kind", sa.String(length=40), nullable=False),
        sa.Column("document_id", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("step_id", sa.Integer(), nullable=True),
        sa.Column("field", sa.String(length=80), nullable=False),
        sa.Column("attachment_id", sa.Integer(), nullable=True),
        sa.Column("label", sa.String(length=200), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("author_name", sa.String(length=128), nullable=False),
        sa.Column("told_at", types.UTCDateTime(), nullable=True),
        sa.Column(
            "state",
            sa.Enum(
                "OPEN",
                "ANSWERED",
                "SETTLED",
                name="remarkstate",
                native_enum=False,
                create_constraint=True,
                length=20,
            ),
            nullable=False,
        ),
        sa.Column("settled_at", types.UTCDateTime(), nullable=True),
        sa.Column("settled_name", sa.String(length=128), nullable=False),
        sa.Column("created_at", types.UTCDateTime(), nullable=False),
        sa.Column("updated_at", types.UTCDateTime(), nullable=False),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("updated_by_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["created_by_id"], ["ab_user.id"], name=op.f("fk_remark_created_by_id")),
        sa.ForeignKeyConstraint(
            ["run_id"], ["flow_run.id"], name=op.f("fk_remark_run_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["step_id"], ["flow_step.id"], name=op.f("fk_remark_step_id")),
        sa.ForeignKeyConstraint(["updated_by_id"], ["ab_user.id"], name=op.f("fk_remark_updated_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_remark")),
    )
    with op.batch_alter_table("remark", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_remark_created_by_id"), ["created_by_id"], unique=False)
        batch_op.create_index("ix_remark_document", ["document_kind", "document_id", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_remark_run_id"), ["run_id"], unique=False)

    op.create_table(
        "remark_answer",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("remark_id", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.Column("author_name", sa.String(length=128), nullable=False),
        sa.Column("at", types.UTCDateTime(), nullable=False),
        sa.Column("told_at", types.UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["remark_id"], ["remark.id"], name=op.f("fk_remark_answer_remark_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["ab_user.id"], name=op.f("fk_remark_answer_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_remark_answer")),
    )
    with op.batch_alter_table("remark_answer", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_remark_answer_remark_id"), ["remark_id"], unique=False)

    with op.batch_alter_table("task", schema=None) as batch_op:
        batch_op.create_index(
            "ix_task_acted_for_another",
            ["acted_by_id"],
            unique=False,
            sqlite_where=sa.text("acted_by_id <> user_id"),
            postgresql_where=sa.text("acted_by_id <> user_id"),
        )
        batch_op.create_index(
            "ix_task_user_state_done", ["user_id", "state", "done_at", "run_id"], unique=False
        )

    op.execute("UPDATE menu_item SET badge = 'todo.declaration' WHERE key = 'review.todo' AND badge = 'todo'")


def downgrade() -> None:
    """Undo it."""
    op.execute("UPDATE menu_item SET badge = 'todo' WHERE key = 'review.todo' AND badge = 'todo.declaration'")
    with op.batch_alter_table("task", schema=None) as batch_op:
        batch_op.drop_index("ix_task_user_state_done")
        batch_op.drop_index(
            "ix_task_acted_for_another",
            sqlite_where=sa.text("acted_by_id <> user_id"),
            postgresql_where=sa.text("acted_by_id <> user_id"),
        )

    with op.batch_alter_table("remark_answer", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_remark_answer_remark_id"))

    op.drop_table("remark_answer")
    with op.batch_alter_table("remark", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_remark_run_id"))
        batch_op.drop_index("ix_remark_document")
        batch_op.drop_index(batch_op.f("ix_remark_created_by_id"))

    op.drop_table("remark")
