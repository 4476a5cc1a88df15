"""which of a page's own saves came last"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "autosave_turn"
down_revision = "history"
branch_labels = None
depends_on = None

_TABLES = ("declaration", "change_request", "fund_adjustment")


def upgrade() -> None:
    for table in _TABLES:
        with op.batch_alter_table(table) as batch_op:
            batch_op.add_column(sa.Column("autosave_turn", sa.Integer(), nullable=True))


def downgrade() -> None:
    for table in _TABLES:
        with op.batch_alter_table(table) as batch_op:
            batch_op.drop_column("autosave_turn")
