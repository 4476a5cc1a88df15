"""Fund adjustments, and the chain of what each project was given."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from alembic import op

from app.core.funds import share_out
from app.models import base as types
from app.models.log import append_only_statements

revision = "adjustment"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables, begin the chain of every project that has an arranged amount, then guard it."""
    op.create_table(
        "fund_adjustment",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "TRANSFER",
                "ADD",
                "WITHDRAW",
                name="adjustmentkind",
                native_enum=False,
                create_constraint=True,
                length=20,
            ),
            nullable=False,
        ),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("basis_no", sa.String(length=80), nullable=False),
        sa.Column("basis_date", sa.Date(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("out_amount", types.Money(), nullable=False),
        sa.Column("in_amount", types.Money(), nullable=False),
        sa.Column("draft_input", sa.JSON(), nullable=False),
        sa.Column("autosaved_at", types.UTCDateTime(), nullable=True),
        sa.Column("autosave_page", sa.String(length=40), nullable=True),
        sa.Column("autosave_base", sa.Integer(), nullable=True),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "DRAFT",
                "IN_REVIEW",
                "RETURNED",
                "APPROVED",
                "REJECTED",
                "RECYCLED",
                "TERMINATED",
                name="documentstatus",
                native_enum=False,
                create_constraint=True,
                length=20,
            ),
            nullable=False,
        ),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("submitted_at", types.UTCDateTime(), nullable=True),
        sa.Column("finished_at", types.UTCDateTime(), nullable=True),
        sa.Column("unit_id", sa.Integer(), nullable=False),
        sa.Column("submitted_by_id", sa.Integer(), nullable=True),
        sa.Column("created_at", types.UTCDateTime(), nullable=False),
        sa.Column("updated_at", types.UTCDateTime(), nullable=False),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("updated_by_id", sa.Integer(), nullable=True),
        sa.CheckConstraint(
            "status NOT IN ('IN_REVIEW', 'APPROVED') OR (kind = 'TRANSFER' AND out_amount = in_amount AND out_amount > 0) OR (kind = 'ADD' AND out_amount = 0 AND in_amount > 0) OR (kind = 'WITHDRAW' AND in_amount = 0 AND out_amount > 0)",
            name=op.f("ck_fund_adjustment_adds_up"),
        ),
        sa.CheckConstraint(
            "out_amount >= 0 AND in_amount >= 0", name=op.f("ck_fund_adjustment_sums_not_negative")
        ),
        sa.ForeignKeyConstraint(
            ["created_by_id"], ["ab_user.id"], name=op.f("fk_fund_adjustment_created_by_id")
        ),
        sa.ForeignKeyConstraint(
            ["submitted_by_id"], ["ab_user.id"], name=op.f("fk_fund_adjustment_submitted_by_id")
        ),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_fund_adjustment_unit_id")),
        sa.ForeignKeyConstraint(
            ["updated_by_id"], ["ab_user.id"], name=op.f("fk_fund_adjustment_updated_by_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_fund_adjustment")),
        sa.UniqueConstraint("code", name=op.f("uq_fund_adjustment_code")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("fund_adjustment", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_fund_adjustment_autosave_page"), ["autosave_page"], unique=False)
        batch_op.create_index(batch_op.f("ix_fund_adjustment_created_by_id"), ["created_by_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_fund_adjustment_kind"), ["kind"], unique=False)
        batch_op.create_index(batch_op.f("ix_fund_adjustment_status"), ["status"], unique=False)
        batch_op.create_index("ix_fund_adjustment_submitted", ["submitted_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_fund_adjustment_unit_id"), ["unit_id"], unique=False)
        batch_op.create_index("ix_fund_adjustment_year_status", ["year", "status"], unique=False)

    op.create_table(
        "adjustment_line",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("adjustment_id", sa.Integer(), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=True),
        sa.Column(
            "direction",
            sa.Enum("OUT", "IN", name="direction", native_enum=False, create_constraint=True, length=20),
            nullable=True,
        ),
        sa.Column("channel", sa.String(length=40), nullable=True),
        sa.Column("amount", types.Money(), nullable=True),
        sa.Column("amount_before", types.Money(), nullable=True),
        sa.Column("amount_after", types.Money(), nullable=True),
        sa.CheckConstraint(
            "amount IS NULL OR amount >= 0", name=op.f("ck_adjustment_line_amount_not_negative")
        ),
        sa.ForeignKeyConstraint(
            ["adjustment_id"],
            ["fund_adjustment.id"],
            name=op.f("fk_adjustment_line_adjustment_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_adjustment_line_project_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_adjustment_line")),
    )
    with op.batch_alter_table("adjustment_line", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_adjustment_line_adjustment_id"), ["adjustment_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_adjustment_line_project_id"), ["project_id"], unique=False)

    op.create_table(
        "project_fund_entry",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("previous_seq", sa.Integer(), nullable=True),
        sa.Column(
            "kind",
            sa.Enum(
                "INITIAL",
                "CORRECTION",
                "ADJUST_IN",
                "ADJUST_OUT",
                name="fundentrykind",
                native_enum=False,
                create_constraint=True,
                length=20,
            ),
            nullable=False,
        ),
        sa.Column("channel", sa.String(length=40), nullable=False),
        sa.Column("amount", types.Money(), nullable=False),
        sa.Column("balance_before", types.Money(), nullable=False),
        sa.Column("balance", types.Money(), nullable=False),
        sa.Column("channel_balance", types.Money(), nullable=False),
        sa.Column("document_kind", sa.String(length=40), nullable=False),
        sa.Column("document_id", sa.Integer(), nullable=False),
        sa.Column("document_no", sa.String(length=80), nullable=False),
        sa.Column("at", types.UTCDateTime(), nullable=False),
        sa.Column("by_id", sa.Integer(), nullable=True),
        sa.CheckConstraint(
            "(kind = 'INITIAL' AND amount >= 0) OR (kind = 'CORRECTION' AND amount <> 0) OR (kind = 'ADJUST_IN' AND amount > 0) OR (kind = 'ADJUST_OUT' AND amount < 0)",
            name=op.f("ck_project_fund_entry_amount_fits_kind"),
        ),
        sa.CheckConstraint(
            "(seq = 1 AND previous_seq IS NULL AND balance_before = 0) OR (seq > 1 AND previous_seq IS NOT NULL AND previous_seq = seq - 1)",
            name=op.f("ck_project_fund_entry_one_after_another"),
        ),
        sa.CheckConstraint(
            "balance = balance_before + amount", name=op.f("ck_project_fund_entry_balance_adds_up")
        ),
        sa.CheckConstraint(
            "balance >= 0 AND channel_balance >= 0", name=op.f("ck_project_fund_entry_never_below_nothing")
        ),
        sa.ForeignKeyConstraint(["by_id"], ["ab_user.id"], name=op.f("fk_project_fund_entry_by_id")),
        sa.ForeignKeyConstraint(
            ["project_id", "previous_seq", "balance_before"],
            ["project_fund_entry.project_id", "project_fund_entry.seq", "project_fund_entry.balance"],
            name="fk_project_fund_entry_previous",
        ),
        sa.ForeignKeyConstraint(
            ["project_id"], ["project.id"], name=op.f("fk_project_fund_entry_project_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_project_fund_entry")),
        sa.UniqueConstraint(
            "project_id", "seq", "balance", name=op.f("uq_project_fund_entry_project_id_seq_balance")
        ),
        sa.UniqueConstraint("project_id", "seq", name=op.f("uq_project_fund_entry_project_id_seq")),
    )
    with op.batch_alter_table("project_fund_entry", schema=None) as batch_op:
        batch_op.create_index(
            "ix_project_fund_entry_document", ["document_kind", "document_id"], unique=False
        )

    op.add_column("project", sa.Column("fund_seq", sa.Integer(), nullable=True))
    _begin_chains()
    with op.batch_alter_table("project", schema=None) as batch_op:
        batch_op.create_check_constraint(
            "arranged_has_entry", "(arranged_amount IS NULL) = (fund_seq IS NULL)"
        )
        batch_op.create_foreign_key(
            "fk_project_fund_entry",
            "project_fund_entry",
            ["id", "fund_seq", "arranged_amount"],
            ["project_id", "seq", "balance"],
            initially="DEFERRED",
            deferrable=True,
        )
    for statement in append_only_statements(op.get_bind().dialect.name, "project_fund_entry"):
        op.execute(statement)


def downgrade() -> None:
    """Undo it."""
    with op.batch_alter_table("project", schema=None) as batch_op:
        batch_op.drop_constraint("fk_project_fund_entry", type_="foreignkey")
        batch_op.drop_constraint(op.f("ck_project_arranged_has_entry"), type_="check")
        batch_op.drop_column("fund_seq")

    with op.batch_alter_table("project_fund_entry", schema=None) as batch_op:
        batch_op.drop_index("ix_project_fund_entry_document")

    op.drop_table("project_fund_entry")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION project_fund_entry_refuse()")
    with op.batch_alter_table("adjustment_line", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_adjustment_line_project_id"))
        batch_op.drop_index(batch_op.f("ix_adjustment_line_adjustment_id"))

    op.drop_table("adjustment_line")
    with op.batch_alter_table("fund_adjustment", schema=None) as batch_op:
        batch_op.drop_index("ix_fund_adjustment_year_status")
        batch_op.drop_index(batch_op.f("ix_fund_adjustment_unit_id"))
        batch_op.drop_index("ix_fund_adjustment_submitted")
        batch_op.drop_index(batch_op.f("ix_fund_adjustment_status"))
        batch_op.drop_index(batch_op.f("ix_fund_adjustment_kind"))
        batch_op.drop_index(batch_op.f("ix_fund_adjustment_created_by_id"))
        batch_op.drop_index(batch_op.f("ix_fund_adjustment_autosave_page"))

    op.drop_table("fund_adjustment")


_BATCH = 2_000
_UNNAMED_CHANNEL = "OTHER"

_project = sa.table(
    "project",
    sa.column("id", sa.Integer),
    sa.column("arranged_amount", types.Money()),
    sa.column("fund_seq", sa.Integer),
    sa.column("updated_at", types.UTCDateTime()),
)
_plan = sa.table(
    "annual_plan",
    sa.column("id", sa.Integer),
    sa.column("project_id", sa.Integer),
    sa.column("initial_amount", types.Money()),
    sa.column("doc_no", sa.String),
    sa.column("updated_at", types.UTCDateTime()),
)
_funding = sa.table(
    "project_funding",
    sa.column("project_id", sa.Integer),
    sa.column("channel", sa.String),
    sa.column("amount", types.Money()),
)
_entry = sa.table(
    "project_fund_entry",
    *(sa.column(name) for name in ("project_id", "seq", "previous_seq", "kind", "channel")),
    *(sa.column(name, types.Money()) for name in ("amount", "balance_before", "balance", "channel_balance")),
    *(sa.column(name) for name in ("document_kind", "document_id", "document_no")),
    sa.column("at", types.UTCDateTime()),
)


def _begin_chains() -> None:
    """What each project has is what its plan gave, shared out over the channels as the project asked; what
    its plan does not explain (nothing, as the programs so far wrote it) is a correction of that."""
    connection, last = op.get_bind(), 0
    while True:
        projects = connection.execute(
            sa.select(
                _project.c.id,
                _project.c.arranged_amount,
                _project.c.updated_at,
                _plan.c.id,
                _plan.c.initial_amount,
                _plan.c.doc_no,
                _plan.c.updated_at,
            )
            .select_from(_project.outerjoin(_plan, _plan.c.project_id == _project.c.id))
            .where(_project.c.id > last, _project.c.arranged_amount.is_not(None))
            .order_by(_project.c.id)
            .limit(_BATCH)
        ).all()
        if not projects:
            return
        last = projects[-1][0]
        asked: dict[int, dict[str, Decimal]] = defaultdict(dict)
        for project_id, channel, amount in connection.execute(
            sa.select(_funding).where(_funding.c.project_id.between(projects[0][0], last))
        ):
            asked[project_id][channel] = amount
        entries: list[dict[str, Any]] = []
        counts: list[dict[str, int]] = []
        for project_id, arranged, changed, plan_id, initial, doc_no, planned in projects:
            begun = list(
                _chain(project_id, arranged, initial, asked[project_id] or {_UNNAMED_CHANNEL: Decimal(0)})
            )
            for entry in begun:
                entry |= {
                    "document_kind": "annual_plan",
                    "document_id": plan_id or 0,
                    "document_no": doc_no or "",
                    "at": planned or changed or dt.datetime.now(dt.UTC),
                }
            entries += begun
            counts.append({"pk": project_id, "last": len(begun)})
        connection.execute(sa.insert(_entry), entries)
        connection.execute(
            sa.update(_project)
            .where(_project.c.id == sa.bindparam("pk"))
            .values(fund_seq=sa.bindparam("last")),
            counts,
        )


def _chain(
    project_id: int, arranged: Decimal, initial: Decimal | None, asked: dict[str, Decimal]
) -> Iterator[dict[str, Any]]:
    given = share_out(arranged if initial is None else initial, asked)
    now = share_out(arranged, asked)
    parts = [("INITIAL", channel, part) for channel, part in given.items() if part or not any(given.values())]
    # What one channel gains comes before what another loses: the balance never dips below zero.
    corrected = sorted(((now[channel] - part, channel) for channel, part in given.items()), reverse=True)
    parts += [("CORRECTION", channel, amount) for amount, channel in corrected if amount]
    balance, channels = Decimal("0.00"), defaultdict(Decimal)
    for seq, (kind, channel, amount) in enumerate(parts, start=1):
        channels[channel] += amount
        yield {
            "project_id": project_id,
            "seq": seq,
            "previous_seq": seq - 1 or None,
            "kind": kind,
            "channel": channel,
            "amount": amount,
            "balance_before": balance,
            "balance": balance + amount,
            "channel_balance": channels[channel],
        }
        balance += amount
