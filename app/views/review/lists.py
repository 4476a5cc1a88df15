"""A reviewer's lists of one document kind: what waits for him, and what he dealt with and is finished.

A kind's own file subclasses both with `document_kind`, `title` and `route_base`, and names an amount's label
where "amount" says too little; everything else comes with the classes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from flask import redirect
from flask.typing import ResponseReturnValue
from flask_appbuilder import expose
from flask_appbuilder.security.decorators import has_access, permission_name
from flask_babel import gettext, lazy_gettext
from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from app.access import policy
from app.core.errors import NotFound
from app.core.flow import RunState
from app.core.xlsx import ColumnKind
from app.models.flow import FlowDefinition, FlowRun, FlowStep, Task
from app.models.unit import Unit
from app.services import review
from app.services.recall import recalled
from app.services.unit_of_work import current_session
from app.views import go
from app.views.actor import current_actor
from app.views.base import (
    AmountRange,
    ChoiceField,
    Column,
    DateRange,
    OfficeView,
    ScopedInterface,
    TextField,
    enum_choice,
)
from app.views.base.cells import DaysLeftColumn, DeadlineColumn, LampColumn, bilingual, in_english
from app.views.base.listing import Listing
from app.views.review.bulk import ApprovesTogether
from app.views.review.marks import STEP_OF_TASK

TITLE = Column("title", lazy_gettext("Project title"), FlowRun.title, link=True, css="title", width=40)
CODE = Column("code", lazy_gettext("Number"), FlowRun.code, nowrap=True)
UNIT = Column("unit", lazy_gettext("Declaring unit"), Unit.short_name, css="unit")
STEP = bilingual("step", lazy_gettext("Step"), FlowStep.name_zh, FlowStep.name_en)
SEARCH = (
    TextField("q", lazy_gettext("Title or number"), columns=(FlowRun.title, FlowRun.code)),
    TextField("unit", lazy_gettext("Declaring unit"), columns=(Unit.name, Unit.short_name)),
)

TASK_LISTS: dict[str, str] = {}
REVIEWED_LISTS: dict[str, str] = {}
"""The endpoints of the two lists of each document kind that has them."""


def amount_column(label: Any, export_label: Any) -> Column:
    """The run's amount: 万元 on the page, yuan in the workbook."""
    return Column(
        "amount",
        label,
        FlowRun.amount,
        kind=ColumnKind.MONEY,
        total=True,
        wan=True,
        export_label=export_label,
    )


def steps_of(kind: str | None = None) -> Callable[[], Sequence[tuple[str, str]]]:
    """The steps of every version of a kind's flow (of all kinds without one), once by code; the latest
    version names them."""

    def offered() -> Sequence[tuple[str, str]]:
        session = current_session()
        found: Sequence[tuple[str, str, str]] = recalled(
            session, ("steps", kind), lambda: _steps(session, kind)
        )
        names = {code: en if in_english() else zh for code, zh, en in found}
        return list(names.items())

    return offered


def _steps(session: Session, kind: str | None) -> Sequence[tuple[str, str, str]]:
    columns = select(FlowStep.code, FlowStep.name_zh, FlowStep.name_en)
    statement = columns.order_by(FlowStep.definition_id, FlowStep.seq)
    if kind is not None:
        statement = statement.join(FlowStep.definition).where(FlowDefinition.document_kind == kind)
    return [(code, zh, en) for code, zh, en in session.execute(statement)]


class _OfOneKind(OfficeView):
    """What the two lists of one document kind share."""

    noun = "task"
    document_kind: ClassVar[str] = ""
    amount_label: ClassVar[Any] = lazy_gettext("Amount (10,000 yuan)")
    amount_export_label: ClassVar[Any] = lazy_gettext("Amount (yuan)")
    list_template = "review/tasks.html"

    def restriction(self) -> ColumnElement[bool]:
        return review.of_kinds((self.document_kind,))

    def render_template(self, template: str, **kwargs: Any) -> str:
        kind = self.document_kind
        tabs = [
            (lists[kind], label, badge)
            for lists, label, badge in (
                (TASK_LISTS, gettext("To do"), f"todo.{kind}"),
                (REVIEWED_LISTS, gettext("Finished"), ""),
            )
            if kind in lists
        ]
        return super().render_template(template, tabs=tabs, **kwargs)


class KindTasksView(ApprovesTogether, _OfOneKind):
    """待审: what of one kind waits for me, the most urgent first; several can be approved at once."""

    datamodel = ScopedInterface(Task)
    list_verb = "act"
    export_verb = "act"
    joins = (Task.run, Task.step, FlowRun.unit)
    default_sort = "due"
    show_endpoint = "ReviewView.task"
    empty_text: ClassVar[Any] = lazy_gettext("Nothing waits for you. What arrives is told by a message.")

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        TASK_LISTS[cls.document_kind] = f"{cls.__name__}.list"
        cls.columns = (
            LampColumn("light", lazy_gettext("Light"), Task.due_at, sortable=False),
            TITLE,
            CODE,
            UNIT,
            STEP_OF_TASK,
            amount_column(cls.amount_label, cls.amount_export_label),
            Column("arrived", lazy_gettext("Arrived"), Task.arrived_at, kind=ColumnKind.DATETIME, css="date"),
            DeadlineColumn("due", lazy_gettext("Due on"), Task.due_at, kind=ColumnKind.DATE, css="date"),
            DaysLeftColumn(
                "left", lazy_gettext("Time left"), Task.due_at, kind=ColumnKind.INTEGER, sortable=False
            ),
        )
        cls.fields = (
            *SEARCH,
            ChoiceField(
                "step", lazy_gettext("Step"), column=FlowStep.code, options=steps_of(cls.document_kind)
            ),
            AmountRange("amount", cls.amount_export_label, column=FlowRun.amount),
            DateRange("arrived", lazy_gettext("Arrived"), column=Task.arrived_at, moment=True, primary=False),
            DateRange("due", lazy_gettext("Due on"), column=Task.due_at, moment=True, primary=False),
        )

    def listing(self) -> Listing:
        listing = super().listing()
        listing.empty_text = str(self.empty_text)
        return listing


class KindReviewedView(_OfOneKind):
    """已审核 of one document kind (requirements.txt): 当前用户办理完成且流程已经流转完毕. Read-only."""

    datamodel = ScopedInterface(FlowRun)
    list_verb = "read"
    export_verb = "read"
    include_route_methods = {"list", "export", "save_columns", "show"}
    method_permission_name = {"show": "read"}
    joins = (FlowRun.unit,)
    default_sort = "-finished"

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        REVIEWED_LISTS[cls.document_kind] = f"{cls.__name__}.list"
        cls.show_endpoint = f"{cls.__name__}.show"
        cls.columns = (
            TITLE,
            CODE,
            UNIT,
            amount_column(cls.amount_label, cls.amount_export_label),
            Column("state", lazy_gettext("Result"), FlowRun.state, enum=RunState),
            Column(
                "started",
                lazy_gettext("Submitted at"),
                FlowRun.started_at,
                kind=ColumnKind.DATETIME,
                css="date",
            ),
            Column(
                "finished",
                lazy_gettext("Finished at"),
                FlowRun.finished_at,
                kind=ColumnKind.DATETIME,
                css="date",
            ),
        )
        cls.fields = (
            *SEARCH,
            enum_choice("state", lazy_gettext("Result"), FlowRun.state, RunState),
            AmountRange("amount", cls.amount_export_label, column=FlowRun.amount),
            DateRange(
                "finished",
                lazy_gettext("Finished at"),
                column=FlowRun.finished_at,
                moment=True,
                primary=False,
            ),
        )

    def restriction(self) -> ColumnElement[bool]:
        mine = FlowRun.id.in_(review.runs_done_by(current_actor()))
        return super().restriction() & FlowRun.finished_at.is_not(None) & mine

    @expose("/show/<int:pk>")
    @has_access
    @permission_name("show")
    def show(self, pk: int) -> ResponseReturnValue:
        """To the document, read-only."""
        statement = policy.scoped(current_actor(), FlowRun).where(FlowRun.id == pk)
        run = current_session().scalars(statement).one_or_none()
        if run is None:
            raise NotFound
        return redirect(go.address(run.document_kind, run.document_id))
