"""Review: flow definitions as data, a document's run through one of them, tasks, and the append-only log."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from flask_appbuilder.security.sqla.models import Group
from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.core.enums import DocumentStatus
from app.core.flow import (
    AssigneeKind,
    FlowState,
    Operator,
    Quorum,
    RunState,
    SkipReason,
    TaskKind,
    TaskState,
    UnitMatch,
    Verb,
)
from app.models.base import JsonList, Model, Money, Stamped, UTCDateTime, enum_type, utcnow
from app.models.log import append_only
from app.models.unit import Unit
from app.models.user import AppUser

_PUBLISHED = text("state = 'PUBLISHED'")
_FOR_ANOTHER = text("acted_by_id <> user_id")
_OPEN_RUN = text("state IN ('RUNNING', 'RETURNED')")


class FlowDefinition(Stamped, Model):
    """审核步骤设定: one version of a document kind's flow. Published, it never changes; an edit makes
    the next version, and running cases keep theirs. `revision` is the optimistic lock of a draft."""

    __tablename__ = "flow_definition"

    id: Mapped[int] = mapped_column(primary_key=True)
    document_kind: Mapped[str] = mapped_column(String(40))
    name: Mapped[str] = mapped_column(String(120))
    version: Mapped[int]
    state: Mapped[FlowState] = mapped_column(enum_type(FlowState), default=FlowState.DRAFT)
    published_at: Mapped[dt.datetime | None] = mapped_column(UTCDateTime)
    published_by_id: Mapped[int | None] = mapped_column(ForeignKey("ab_user.id"))
    revision: Mapped[int] = mapped_column(default=1)

    steps: Mapped[list[FlowStep]] = relationship(
        back_populates="definition",
        order_by="FlowStep.seq",
        cascade="all, delete-orphan",
        lazy="raise_on_sql",
    )

    __mapper_args__ = {"version_id_col": revision}
    __table_args__ = (
        UniqueConstraint("document_kind", "version"),
        Index(
            "uq_flow_definition_published",
            "document_kind",
            unique=True,
            sqlite_where=_PUBLISHED,
            postgresql_where=_PUBLISHED,
        ),
    )


class FlowStep(Model):
    """One step: who reviews, how many must approve, within how many working days, and what they may do.

    `optional` lets a run pass by when nobody can act here; `switch` names a RuleParameter whose value
    `false` takes the step out of the flow. `return_steps` are the codes of the earlier steps a document may
    be returned to when `may_return_earlier`; none named means any of them.
    """

    __tablename__ = "flow_step"

    id: Mapped[int] = mapped_column(primary_key=True)
    definition_id: Mapped[int] = mapped_column(ForeignKey("flow_definition.id", ondelete="CASCADE"))
    seq: Mapped[int]
    code: Mapped[str] = mapped_column(String(40))
    name_zh: Mapped[str] = mapped_column(String(60))
    name_en: Mapped[str] = mapped_column(String(80))

    assignee_kind: Mapped[AssigneeKind] = mapped_column(enum_type(AssigneeKind))
    role_name: Mapped[str | None] = mapped_column(String(64))
    group_id: Mapped[int | None] = mapped_column(ForeignKey("ab_group.id"))
    unit_match: Mapped[UnitMatch] = mapped_column(enum_type(UnitMatch), default=UnitMatch.ANY)

    quorum: Mapped[Quorum] = mapped_column(enum_type(Quorum), default=Quorum.ANY)
    share_percent: Mapped[int | None]
    limit_days: Mapped[int | None]
    optional: Mapped[bool] = mapped_column(default=False)
    switch: Mapped[str | None] = mapped_column(String(60))

    may_edit: Mapped[bool] = mapped_column(default=False)
    may_return_applicant: Mapped[bool] = mapped_column(default=True)
    may_return_earlier: Mapped[bool] = mapped_column(default=True)
    return_steps: Mapped[list[str]] = mapped_column(JsonList, default=list, server_default=text("'[]'"))
    may_reject: Mapped[bool] = mapped_column(default=True)
    may_transfer: Mapped[bool] = mapped_column(default=True)
    may_delegate: Mapped[bool] = mapped_column(default=True)
    may_add_signer: Mapped[bool] = mapped_column(default=True)
    may_copy: Mapped[bool] = mapped_column(default=True)

    definition: Mapped[FlowDefinition] = relationship(back_populates="steps", lazy="raise_on_sql")
    group: Mapped[Group | None] = relationship(Group, lazy="raise_on_sql")
    conditions: Mapped[list[FlowCondition]] = relationship(
        order_by="FlowCondition.id", cascade="all, delete-orphan", lazy="raise_on_sql"
    )
    users: Mapped[list[FlowStepUser]] = relationship(
        order_by="FlowStepUser.seq", cascade="all, delete-orphan", lazy="raise_on_sql"
    )

    __table_args__ = (
        UniqueConstraint("definition_id", "seq"),
        UniqueConstraint("definition_id", "code"),
        CheckConstraint("share_percent BETWEEN 1 AND 100", name="share_percent_range"),
        CheckConstraint("limit_days > 0", name="limit_days_positive"),
    )


class FlowStepUser(Model):
    """A named reviewer of a step, in the order of `SEQUENCE`."""

    __tablename__ = "flow_step_user"

    step_id: Mapped[int] = mapped_column(ForeignKey("flow_step.id", ondelete="CASCADE"), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("ab_user.id"), primary_key=True)
    seq: Mapped[int] = mapped_column(default=0)


class FlowCondition(Model):
    """One row of a step's condition; all rows of a step must hold. `value` is a JSON scalar, or a list
    for `IN` and `NOT_IN`; amounts are decimal strings in yuan. Never evaluated text."""

    __tablename__ = "flow_condition"

    id: Mapped[int] = mapped_column(primary_key=True)
    step_id: Mapped[int] = mapped_column(ForeignKey("flow_step.id", ondelete="CASCADE"), index=True)
    field: Mapped[str] = mapped_column(String(40))
    operator: Mapped[Operator] = mapped_column(enum_type(Operator))
    value: Mapped[Any] = mapped_column(JsonList)


class FlowRun(Model):
    """One document going through one flow version. It carries the document's number, title, amount and
    unit, so that lists over all kinds need no union."""

    __tablename__ = "flow_run"

    id: Mapped[int] = mapped_column(primary_key=True)
    definition_id: Mapped[int] = mapped_column(ForeignKey("flow_definition.id"), index=True)
    document_kind: Mapped[str] = mapped_column(String(40))
    document_id: Mapped[int]
    code: Mapped[str] = mapped_column(String(40))
    title: Mapped[str] = mapped_column(String(200))
    amount: Mapped[Decimal | None] = mapped_column(Money)
    unit_id: Mapped[int] = mapped_column(ForeignKey("unit.id"), index=True)

    state: Mapped[RunState] = mapped_column(enum_type(RunState), default=RunState.RUNNING)
    current_step_id: Mapped[int | None] = mapped_column(ForeignKey("flow_step.id"))
    returned_from_id: Mapped[int | None] = mapped_column(ForeignKey("flow_step.id"))
    round: Mapped[int] = mapped_column(default=1)
    started_by_id: Mapped[int | None] = mapped_column(ForeignKey("ab_user.id"))
    started_at: Mapped[dt.datetime] = mapped_column(UTCDateTime, default=utcnow)
    finished_at: Mapped[dt.datetime | None] = mapped_column(UTCDateTime)
    version: Mapped[int] = mapped_column(default=1)

    definition: Mapped[FlowDefinition] = relationship(lazy="raise_on_sql")
    current_step: Mapped[FlowStep | None] = relationship(foreign_keys=[current_step_id], lazy="raise_on_sql")
    unit: Mapped[Unit] = relationship(Unit, lazy="raise_on_sql")
    started_by: Mapped[AppUser | None] = relationship(AppUser, lazy="raise_on_sql")
    tasks: Mapped[list[Task]] = relationship(back_populates="run", order_by="Task.id", lazy="raise_on_sql")

    __mapper_args__ = {"version_id_col": version}
    __table_args__ = (
        Index(
            "uq_flow_run_open_document",
            "document_kind",
            "document_id",
            unique=True,
            sqlite_where=_OPEN_RUN,
            postgresql_where=_OPEN_RUN,
        ),
        Index("ix_flow_run_document", "document_kind", "document_id"),
        Index("ix_flow_run_started_by", "started_by_id", "started_at"),
    )


class Task(Model):
    """What one person has to do in one round at one step.

    `acted_by_id` is who in fact did it (an agent acts in the name of `user_id`). `opened_by_id` and
    `closed_by_id` are the tasks whose approval opened or closed this one, so that it can be taken back;
    `resume_state` is where a closed task goes on then. `superseded` approvals no longer stand: the run
    went back behind them.
    """

    __tablename__ = "task"

    id: Mapped[int] = mapped_column(primary_key=True)
    run_id: Mapped[int] = mapped_column(ForeignKey("flow_run.id", ondelete="CASCADE"))
    step_id: Mapped[int] = mapped_column(ForeignKey("flow_step.id"), index=True)
    round: Mapped[int]
    user_id: Mapped[int] = mapped_column(ForeignKey("ab_user.id"))
    seq: Mapped[int] = mapped_column(default=0)
    kind: Mapped[TaskKind] = mapped_column(enum_type(TaskKind), default=TaskKind.STEP)
    state: Mapped[TaskState] = mapped_column(enum_type(TaskState), default=TaskState.OPEN)

    parent_id: Mapped[int | None] = mapped_column(ForeignKey("task.id"), index=True)
    delegated_by_id: Mapped[int | None] = mapped_column(ForeignKey("ab_user.id"))
    added_by_id: Mapped[int | None] = mapped_column(ForeignKey("ab_user.id"))
    opened_by_id: Mapped[int | None] = mapped_column(ForeignKey("task.id"))
    closed_by_id: Mapped[int | None] = mapped_column(ForeignKey("task.id"))
    resume_state: Mapped[TaskState | None] = mapped_column(enum_type(TaskState, name="resume_state"))

    saved_opinion: Mapped[str] = mapped_column(Text, default="")
    arrived_at: Mapped[dt.datetime | None] = mapped_column(UTCDateTime)
    due_at: Mapped[dt.datetime | None] = mapped_column(UTCDateTime)
    done_at: Mapped[dt.datetime | None] = mapped_column(UTCDateTime)
    decision: Mapped[Verb | None] = mapped_column(enum_type(Verb))
    acted_by_id: Mapped[int | None] = mapped_column(ForeignKey("ab_user.id"), index=True)
    superseded: Mapped[bool] = mapped_column(default=False)
    version: Mapped[int] = mapped_column(default=1)

    run: Mapped[FlowRun] = relationship(back_populates="tasks", lazy="raise_on_sql")
    step: Mapped[FlowStep] = relationship(lazy="raise_on_sql")
    user: Mapped[AppUser] = relationship(AppUser, foreign_keys=[user_id], lazy="raise_on_sql")
    acted_by: Mapped[AppUser | None] = relationship(AppUser, foreign_keys=[acted_by_id], lazy="raise_on_sql")

    __mapper_args__ = {"version_id_col": version}
    __table_args__ = (
        UniqueConstraint("run_id", "step_id", "round", "user_id"),
        Index("ix_task_user_state_due", "user_id", "state", "due_at"),
        Index("ix_task_state_due", "state", "due_at"),
        # What a person did, latest first, and in which runs (已办, 已审核).
        Index("ix_task_user_state_done", "user_id", "state", "done_at", "run_id"),
        Index(
            "ix_task_acted_for_another",
            "acted_by_id",
            sqlite_where=_FOR_ANOTHER,
            postgresql_where=_FOR_ANOTHER,
        ),
    )


class CopyTo(Model):
    """抄送: somebody who was shown the document while it was in review."""

    __tablename__ = "copy_to"
    __table_args__ = (UniqueConstraint("run_id", "user_id"), Index("ix_copy_to_user_at", "user_id", "at"))

    id: Mapped[int] = mapped_column(primary_key=True)
    run_id: Mapped[int] = mapped_column(ForeignKey("flow_run.id", ondelete="CASCADE"))
    step_id: Mapped[int | None] = mapped_column(ForeignKey("flow_step.id"))
    user_id: Mapped[int] = mapped_column(ForeignKey("ab_user.id"))
    by_id: Mapped[int | None] = mapped_column(ForeignKey("ab_user.id"))
    at: Mapped[dt.datetime] = mapped_column(UTCDateTime, default=utcnow)
    read_at: Mapped[dt.datetime | None] = mapped_column(UTCDateTime)

    run: Mapped[FlowRun] = relationship(lazy="raise_on_sql")
    user: Mapped[AppUser] = relationship(AppUser, foreign_keys=[user_id], lazy="raise_on_sql")


class FlowLog(Model):
    """流转日志: what happened, for ever. `status` is the document's status after the entry;
    `to_step_id` is where the run went, `to_user_id` whom a transfer, delegation or the like names,
    `on_behalf_of_id` whose task it was when somebody else did it: his agent, or, with `reassign`, the
    administrator who gave it to another."""

    __tablename__ = "flow_log"
    __table_args__ = (Index("ix_flow_log_document", "document_kind", "document_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    run_id: Mapped[int] = mapped_column(ForeignKey("flow_run.id"), index=True)
    document_kind: Mapped[str] = mapped_column(String(40))
    document_id: Mapped[int]
    round: Mapped[int]
    verb: Mapped[Verb] = mapped_column(enum_type(Verb))
    user_id: Mapped[int | None] = mapped_column(ForeignKey("ab_user.id"))
    user_name: Mapped[str] = mapped_column(String(128), default="")
    on_behalf_of_id: Mapped[int | None] = mapped_column(ForeignKey("ab_user.id"))
    from_step_id: Mapped[int | None] = mapped_column(ForeignKey("flow_step.id"))
    to_step_id: Mapped[int | None] = mapped_column(ForeignKey("flow_step.id"))
    to_user_id: Mapped[int | None] = mapped_column(ForeignKey("ab_user.id"))
    skip_reason: Mapped[SkipReason | None] = mapped_column(enum_type(SkipReason))
    opinion: Mapped[str] = mapped_column(Text, default="")
    attachment_ids: Mapped[list[int]] = mapped_column(JsonList, default=list)
    status: Mapped[DocumentStatus] = mapped_column(enum_type(DocumentStatus))
    at: Mapped[dt.datetime] = mapped_column(UTCDateTime, default=utcnow)

    user: Mapped[AppUser | None] = relationship(AppUser, foreign_keys=[user_id], lazy="raise_on_sql")
    on_behalf_of: Mapped[AppUser | None] = relationship(
        AppUser, foreign_keys=[on_behalf_of_id], lazy="raise_on_sql"
    )
    to_user: Mapped[AppUser | None] = relationship(AppUser, foreign_keys=[to_user_id], lazy="raise_on_sql")
    from_step: Mapped[FlowStep | None] = relationship(foreign_keys=[from_step_id], lazy="raise_on_sql")
    to_step: Mapped[FlowStep | None] = relationship(foreign_keys=[to_step_id], lazy="raise_on_sql")


class AgentAppointment(Stamped, Model):
    """An absent person names an agent from one day to another (both included); revoked, it ends at once."""

    __tablename__ = "agent_appointment"

    id: Mapped[int] = mapped_column(primary_key=True)
    principal_id: Mapped[int] = mapped_column(ForeignKey("ab_user.id"), index=True)
    agent_id: Mapped[int] = mapped_column(ForeignKey("ab_user.id"), index=True)
    date_from: Mapped[dt.date]
    date_to: Mapped[dt.date]
    revoked_at: Mapped[dt.datetime | None] = mapped_column(UTCDateTime)

    principal: Mapped[AppUser] = relationship(AppUser, foreign_keys=[principal_id], lazy="raise_on_sql")
    agent: Mapped[AppUser] = relationship(AppUser, foreign_keys=[agent_id], lazy="raise_on_sql")

    __table_args__ = (
        CheckConstraint("date_to >= date_from", name="agent_dates_in_order"),
        CheckConstraint("agent_id <> principal_id", name="agent_is_another"),
    )


class SavedOpinion(Stamped, Model):
    """常用审批意见: a person's own, or shared by all when `user_id` is empty."""

    __tablename__ = "saved_opinion"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("ab_user.id", ondelete="CASCADE"), index=True)
    text: Mapped[str] = mapped_column(String(500))
    sort: Mapped[int] = mapped_column(default=0)


append_only("flow_log")
