"""versions of documents, and imports of workbooks"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from app.models import base as types
from app.models.log import append_only_statements

revision = "history"
down_revision = "saved_query"
branch_labels = None
depends_on = None

_JSON = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")


def _enum(name: str, *values: str) -> sa.Enum:
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=20)


def upgrade() -> None:
    """Versions of documents, which only ever grow; imports and their rows."""
    op.create_table(
        "document_version",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("document_id", sa.Integer(), nullable=False),
        sa.Column("no", sa.Integer(), nullable=False),
        sa.Column("event", sa.String(length=20), nullable=False),
        sa.Column("at", types.UTCDateTime(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.Column("user_name", sa.String(length=128), nullable=False),
        sa.Column("row_version", sa.Integer(), nullable=False),
        sa.Column("same_as", sa.Integer(), nullable=True),
        sa.Column("content", _JSON, nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["ab_user.id"], name=op.f("fk_document_version_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_document_version")),
        sa.UniqueConstraint(
            "kind", "document_id", "no", name=op.f("uq_document_version_kind_document_id_no")
        ),
    )
    for statement in append_only_statements(op.get_bind().dialect.name, "document_version"):
        op.execute(statement)
    op.create_table(
        "import_run",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("list_key", sa.String(length=40), nullable=False),
        sa.Column("state", _enum("importstate", "PREVIEWED", "DONE", "DISCARDED"), nullable=False),
        sa.Column("user_name", sa.String(length=128), nullable=False),
        sa.Column("file_name", sa.String(length=200), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("storage_key", sa.String(length=80), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("confirmed_at", types.UTCDateTime(), nullable=True),
        sa.Column("only_good", sa.Boolean(), nullable=False),
        sa.Column("new_count", sa.Integer(), nullable=False),
        sa.Column("changed_count", sa.Integer(), nullable=False),
        sa.Column("unchanged_count", sa.Integer(), nullable=False),
        sa.Column("wrong_count", sa.Integer(), nullable=False),
        sa.Column("notices", sa.JSON(), nullable=False),
        sa.Column("created_at", types.UTCDateTime(), nullable=False),
        sa.Column("updated_at", types.UTCDateTime(), nullable=False),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("updated_by_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["created_by_id"], ["ab_user.id"], name=op.f("fk_import_run_created_by_id")),
        sa.ForeignKeyConstraint(["updated_by_id"], ["ab_user.id"], name=op.f("fk_import_run_updated_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_run")),
        sa.UniqueConstraint("storage_key", name=op.f("uq_import_run_storage_key")),
    )
    with op.batch_alter_table("import_run") as batch_op:
        batch_op.create_index("ix_import_run_created", ["created_at", "id"])
        batch_op.create_index(batch_op.f("ix_import_run_created_by_id"), ["created_by_id"])
        batch_op.create_index(batch_op.f("ix_import_run_list_key"), ["list_key"])
    op.create_table(
        "import_row",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("row_no", sa.Integer(), nullable=False),
        sa.Column("state", _enum("rowstate", "NEW", "CHANGED", "UNCHANGED", "WRONG"), nullable=False),
        sa.Column("record_key", sa.String(length=80), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("record_id", sa.Integer(), nullable=True),
        sa.Column("changes", sa.JSON(), nullable=False),
        sa.Column("problems", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["run_id"], ["import_run.id"], name=op.f("fk_import_row_run_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_row")),
        sa.UniqueConstraint("run_id", "row_no", name=op.f("uq_import_row_run_id_row_no")),
    )
    with op.batch_alter_table("import_row") as batch_op:
        batch_op.create_index("ix_import_row_state", ["run_id", "state", "row_no"])


def downgrade() -> None:
    """Undo it."""
    op.drop_table("import_row")
    op.drop_table("import_run")
    op.drop_table("document_version")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION IF EXISTS document_version_refuse()")
