"""Which earlier steps a document may be returned to from a step."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "flow_return"
down_revision = "adjustment"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Steps that are there name none, which means any earlier step, as before."""
    with op.batch_alter_table("flow_step") as batch:
        batch.add_column(
            sa.Column(
                "return_steps",
                sa.JSON().with_variant(postgresql.JSONB(), "postgresql"),
                server_default=sa.text("'[]'"),
                nullable=False,
            )
        )


def downgrade() -> None:
    """Forget them."""
    with op.batch_alter_table("flow_step") as batch:
        batch.drop_column("return_steps")
