"""The projects of a year, the latest changed first, from one index."""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_project_year_updated", "project", ["budget_year", "updated_at", "id"])


def downgrade() -> None:
    op.drop_index("ix_project_year_updated", table_name="project")
