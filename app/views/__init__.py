"""Every page, in the order of the menu; the only caller of add_view."""

from __future__ import annotations

import logging
import time
import uuid

from flask import Flask, Response, g, request
from flask_appbuilder import AppBuilder, BaseView

from app.services.importing import bind as bind_import_words
from app.views import errors, filters, places, shell
from app.views.adjustment import (
    AdjustmentBinView,
    AdjustmentDraftView,
    AdjustmentLineView,
    AdjustmentReviewedView,
    AdjustmentTaskView,
    AdjustmentView,
)
from app.views.agent import AgentView
from app.views.alert import AlertView
from app.views.annual_plan import AnnualPlanView
from app.views.change import (
    ChangeBinView,
    ChangeDraftView,
    ChangeEditView,
    ChangeReviewedView,
    ChangeTaskView,
    ChangeView,
)
from app.views.dashboard import DashboardView
from app.views.declaration import AttachmentView, DeclarationBinView, DeclarationDraftView, DeclarationView
from app.views.dictionary import DictionaryView
from app.views.document_actions import DocumentView
from app.views.flow import FlowView
from app.views.go import GoView
from app.views.history import HistoryView
from app.views.home import HomeView
from app.views.importing import ImportRunView, ImportView
from app.views.ledger import LedgerView
from app.views.log import SystemLogView
from app.views.message import MessageView
from app.views.parameter import ParameterView
from app.views.policy_rule import PolicyRuleView
from app.views.project import ProjectView
from app.views.remark import RemarkView
from app.views.review import (
    OpenTaskView,
    ReviewEditView,
    ReviewedView,
    ReviewTaskView,
    ReviewView,
    SavedOpinionView,
    SharedOpinionView,
    TaskCopiedView,
    TaskDoneView,
    TaskStartedView,
    TaskTodoView,
)
from app.views.saved_query import SavedQueryView
from app.views.similarity import SimilarityView
from app.views.sms import SmsView
from app.views.summary import DeclarationSummaryView
from app.views.unit import UnitView
from app.views.user import UserView
from app.views.words import say
from app.views.work_calendar import WorkCalendarView

IndexView = HomeView

logger = logging.getLogger("app.request")

VIEWS: tuple[type[BaseView], ...] = (
    GoView,
    ProjectView,
    DeclarationDraftView,
    DeclarationView,
    ChangeDraftView,
    ChangeView,
    DeclarationBinView,
    ChangeBinView,
    AdjustmentView,
    AdjustmentLineView,
    AdjustmentDraftView,
    AdjustmentBinView,
    AttachmentView,
    SimilarityView,
    DocumentView,
    TaskTodoView,
    TaskDoneView,
    TaskStartedView,
    TaskCopiedView,
    ReviewTaskView,
    ReviewedView,
    AdjustmentTaskView,
    AdjustmentReviewedView,
    ReviewView,
    ReviewEditView,
    LedgerView,
    RemarkView,
    OpenTaskView,
    ChangeTaskView,
    ChangeReviewedView,
    ChangeEditView,
    HistoryView,
    DeclarationSummaryView,
    AnnualPlanView,
    AlertView,
    DashboardView,
    UserView,
    SystemLogView,
    UnitView,
    DictionaryView,
    ParameterView,
    PolicyRuleView,
    WorkCalendarView,
    FlowView,
    ImportView,
    ImportRunView,
    SmsView,
    SavedOpinionView,
    SharedOpinionView,
    AgentView,
    SavedQueryView,
    MessageView,
)
"""Every page but the start and the security manager's, in the order of the menu."""


def register(appbuilder: AppBuilder) -> None:
    """Register every view; the menu itself is in the database (services/menu.py)."""
    for view in VIEWS:
        appbuilder.add_view_no_menu(view)


def install(app: Flask) -> None:
    """Errors, filters, the shell, the way back to lists, and a number for every request."""
    errors.install(app)
    filters.install(app)
    shell.install(app)
    places.install(app)
    bind_import_words(say)

    @app.before_request
    def number_request() -> None:
        g.request_id = uuid.uuid4().hex[:12]
        g.started = time.perf_counter()

    @app.after_request
    def finish(response: Response) -> Response:
        response.headers["X-Request-ID"] = g.get("request_id", "")
        if request.endpoint != "static":
            response.headers.setdefault("Cache-Control", "no-store")
        return response
