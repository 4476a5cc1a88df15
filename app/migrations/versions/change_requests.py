"""Change requests, and the mark a change leaves on its project."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql
from app.models import base as types

revision = 'change'
down_revision = "rules"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change requests, and the mark a change leaves on its project."""
    op.create_table('change_request',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('project_id', sa.Integer(), nullable=False),
    sa.Column('base_version', sa.Integer(), nullable=False),
    sa.Column('base', sa.JSON(), nullable=False),
    sa.Column('kinds', sa.JSON().with_variant(postgresql.JSONB(astext_type=sa.Text()), 'postgresql'), nullable=False),
    sa.Column('content', sa.Text(), nullable=False),
    sa.Column('reason_code', sa.String(length=40), nullable=True),
    sa.Column('reason_text', sa.Text(), nullable=False),
    sa.Column('basis_text', sa.Text(), nullable=False),
    sa.Column('performance_effect', sa.Text(), nullable=False),
    sa.Column('impact', sa.Text(), nullable=False),
    sa.Column('amount_before', types.Money(), nullable=True),
    sa.Column('amount_after', types.Money(), nullable=True),
    sa.Column('amount_delta', types.Money(), nullable=True),
    sa.Column('days_delta', sa.Integer(), nullable=True),
    sa.Column('change_ratio', types.Ratio(), nullable=True),
    sa.Column('is_major', sa.Boolean(), nullable=False),
    sa.Column('needs_assessment', sa.Boolean(), nullable=False),
    sa.Column('applied_at', types.UTCDateTime(), nullable=True),
    sa.Column('applied_version', sa.Integer(), nullable=True),
    sa.Column('draft_input', sa.JSON(), nullable=False),
    sa.Column('autosaved_at', types.UTCDateTime(), nullable=True),
    sa.Column('autosave_page', sa.String(length=40), nullable=True),
    sa.Column('autosave_base', sa.Integer(), nullable=True),
    sa.Column('code', sa.String(length=40), nullable=False),
    sa.Column('status', sa.Enum('DRAFT', 'IN_REVIEW', 'RETURNED', 'APPROVED', 'REJECTED', 'RECYCLED', 'TERMINATED', name='documentstatus', native_enum=False, create_constraint=True, length=20), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('submitted_at', types.UTCDateTime(), nullable=True),
    sa.Column('finished_at', types.UTCDateTime(), nullable=True),
    sa.Column('unit_id', sa.Integer(), nullable=False),
    sa.Column('submitted_by_id', sa.Integer(), nullable=True),
    sa.Column('created_at', types.UTCDateTime(), nullable=False),
    sa.Column('updated_at', types.UTCDateTime(), nullable=False),
    sa.Column('created_by_id', sa.Integer(), nullable=True),
    sa.Column('updated_by_id', sa.Integer(), nullable=True),
    sa.ForeignKeyConstraint(['created_by_id'], ['ab_user.id'], name=op.f('fk_change_request_created_by_id')),
    sa.ForeignKeyConstraint(['project_id'], ['project.id'], name=op.f('fk_change_request_project_id')),
    sa.ForeignKeyConstraint(['submitted_by_id'], ['ab_user.id'], name=op.f('fk_change_request_submitted_by_id')),
    sa.ForeignKeyConstraint(['unit_id'], ['unit.id'], name=op.f('fk_change_request_unit_id')),
    sa.ForeignKeyConstraint(['updated_by_id'], ['ab_user.id'], name=op.f('fk_change_request_updated_by_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_change_request')),
    sa.UniqueConstraint('code', name=op.f('uq_change_request_code')),
    sqlite_autoincrement=True
    )
    with op.batch_alter_table('change_request', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_change_request_autosave_page'), ['autosave_page'], unique=False)
        batch_op.create_index(batch_op.f('ix_change_request_created_by_id'), ['created_by_id'], unique=False)
        batch_op.create_index('ix_change_request_project', ['project_id', 'applied_version'], unique=False)
        batch_op.create_index(batch_op.f('ix_change_request_status'), ['status'], unique=False)
        batch_op.create_index('ix_change_request_submitted', ['submitted_at'], unique=False)
        batch_op.create_index(batch_op.f('ix_change_request_unit_id'), ['unit_id'], unique=False)
        batch_op.create_index('ix_change_request_unit_status', ['unit_id', 'status'], unique=False)
        batch_op.create_index('uq_change_request_open', ['project_id'], unique=True, sqlite_where=sa.text("status IN ('DRAFT', 'IN_REVIEW', 'RETURNED')"), postgresql_where=sa.text("status IN ('DRAFT', 'IN_REVIEW', 'RETURNED')"))

    op.create_table('change_item',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('change_id', sa.Integer(), nullable=False),
    sa.Column('seq', sa.Integer(), nullable=False),
    sa.Column('field', sa.String(length=60), nullable=False),
    sa.Column('before', sa.JSON(), nullable=False),
    sa.Column('after', sa.JSON(), nullable=False),
    sa.ForeignKeyConstraint(['change_id'], ['change_request.id'], name=op.f('fk_change_item_change_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_change_item')),
    sa.UniqueConstraint('change_id', 'field', name=op.f('uq_change_item_change_id_field'))
    )
    op.add_column(
        'project', sa.Column('needs_assessment', sa.Boolean(), server_default=sa.false(), nullable=False)
    )



def downgrade() -> None:
    """Take them away again."""
    op.drop_column('project', 'needs_assessment')

    op.drop_table('change_item')
    with op.batch_alter_table('change_request', schema=None) as batch_op:
        batch_op.drop_index('uq_change_request_open', sqlite_where=sa.text("status IN ('DRAFT', 'IN_REVIEW', 'RETURNED')"), postgresql_where=sa.text("status IN ('DRAFT', 'IN_REVIEW', 'RETURNED')"))
        batch_op.drop_index('ix_change_request_unit_status')
        batch_op.drop_index(batch_op.f('ix_change_request_unit_id'))
        batch_op.drop_index('ix_change_request_submitted')
        batch_op.drop_index(batch_op.f('ix_change_request_status'))
        batch_op.drop_index('ix_change_request_project')
        batch_op.drop_index(batch_op.f('ix_change_request_created_by_id'))
        batch_op.drop_index(batch_op.f('ix_change_request_autosave_page'))

    op.drop_table('change_request')
