"""年度需求计划: what reviews have let in, and the budget that finance arranges for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

from flask import Response, flash, make_response, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_appbuilder import expose
from flask_appbuilder.security.decorators import has_access, permission_name
from flask_babel import gettext, lazy_gettext
from flask_wtf import FlaskForm
from sqlalchemy.orm import joinedload
from wtforms import HiddenField, StringField

from app.access import policy
from app.core.errors import Change, InvalidInput, StaleVersion
from app.core.xlsx import ColumnKind
from app.models.annual_plan import AnnualPlan
from app.models.project import Project
from app.services import annual_plan
from app.services.unit_of_work import current_session
from app.views import project_list as shared
from app.views.actor import current_actor
from app.views.base import ChoiceField, Column, OfficeView, RowAction, ScopedInterface
from app.views.base.cells import yes_no_field
from app.views.errors import field_errors
from app.views.redirects import local_address
from app.views.shell import menu_endpoint
from app.views.trail import add_crumb

_LABELS = {
    "amount": lazy_gettext("Arranged budget (yuan)"),
    "doc_no": lazy_gettext("Document no."),
    "published_on": lazy_gettext("Published on"),
}
_CONFIRM = lazy_gettext("The amount is right: arrange more than was requested")


class ArrangeForm(FlaskForm):
    """What finance enters; read and checked by the service, so that the programs' door checks the same."""

    version = HiddenField()
    amount = StringField(
        _LABELS["amount"], render_kw={"inputmode": "decimal", "maxlength": "30", "required": True}
    )
    doc_no = StringField(_LABELS["doc_no"], render_kw={"maxlength": "80"})
    published_on = StringField(_LABELS["published_on"], render_kw={"type": "date"})
    # The box carries the amount it was drawn for: another amount typed beside it has not been confirmed.
    confirmed = StringField(_CONFIRM)


class AnnualPlanView(OfficeView):
    """年度需求计划."""

    datamodel = ScopedInterface(AnnualPlan)
    noun = "annual_plan"
    title = lazy_gettext("Annual demand plan")
    route_base = "/annual-plan"
    include_route_methods = {"list", "export", "save_columns", "show", "arrange"}
    method_permission_name = {"show": "read", "arrange": "arrange"}
    arrange_template = "annual_plan/arrange.html"
    show_endpoint = "AnnualPlanView.show"
    joins = (AnnualPlan.project, Project.unit)
    default_sort = "-year"
    columns = (
        shared.CODE,
        shared.FISCAL_CODE,
        shared.TITLE,
        shared.UNIT,
        Column("year", lazy_gettext("Plan year"), AnnualPlan.year, ColumnKind.YEAR),
        shared.TYPE,
        shared.CHANNELS,
        replace(shared.REQUESTED, expression=AnnualPlan.requested_amount),
        shared.ARRANGED,
        Column("doc_no", _LABELS["doc_no"], AnnualPlan.doc_no, css="code", width=24),
        Column("published_on", _LABELS["published_on"], AnnualPlan.published_on, ColumnKind.DATE),
        shared.STATUS,
        Column(
            "planned_at",
            lazy_gettext("In the plan since"),
            AnnualPlan.planned_at,
            ColumnKind.DATETIME,
            css="date",
            render=shared.when,
            visible=False,
        ),
    )
    fields = (
        shared.CODE_FIELD,
        shared.TITLE_FIELD,
        shared.UNIT_FIELD,
        shared.STATUS_FIELD,
        shared.CHANNEL_FIELD,
        ChoiceField(
            "year",
            lazy_gettext("Plan year"),
            column=AnnualPlan.year,
            options=shared.scoped_years,
            convert=shared.whole_number,
            beyond=True,
        ),
        yes_no_field("arranged", lazy_gettext("Budget arranged"), Project.arranged_amount.is_not(None)),
    )
    row_actions = (
        RowAction(
            "arrange",
            lazy_gettext("Arrange the budget"),
            "arrange",
            "AnnualPlanView.arrange",
            "ti-coin-yuan",
        ),
        RowAction("show", lazy_gettext("Open the project"), "read", "AnnualPlanView.show", "ti-eye"),
    )

    def subtitle(self, total: int, sums: Mapping[str, Decimal]) -> str:
        """How many projects, what they ask for and what they were given."""
        return shared.headline(total, sums)

    @expose("/show/<int:pk>")
    @has_access
    @permission_name("show")
    def show(self, pk: int) -> ResponseReturnValue:
        """To the project that this entry of the plan is about."""
        plan = policy.load(current_session(), current_actor(), AnnualPlan, pk)
        return redirect(url_for("ProjectView.show", pk=plan.project_id))

    @expose("/arrange/<int:pk>", methods=["GET", "POST"])
    @has_access
    @permission_name("arrange")
    def arrange(self, pk: int) -> ResponseReturnValue:
        """Enter or correct the arranged budget; what is refused comes back as it was typed."""
        plan = self._plan(pk)
        if request.method == "GET":
            form = ArrangeForm(
                version=plan.version,
                amount="" if plan.initial_amount is None else f"{plan.initial_amount:f}",
                doc_no=plan.doc_no,
                published_on=plan.published_on.isoformat() if plan.published_on else "",
            )
            return self._form(form, plan)
        form = ArrangeForm()
        code = plan.project.code
        try:
            annual_plan.arrange(
                current_actor(),
                plan.project_id,
                shared.version_of(form.version.data),
                form.amount.data,
                form.doc_no.data,
                form.published_on.data,
                form.confirmed.data,
            )
        except InvalidInput as error:
            for name, texts in field_errors(error).items():
                form[name].errors = texts
            return self._form(form, self._plan(pk), 400)
        except StaleVersion as error:
            # Sent again from this page it is meant, for now he knows what somebody else entered.
            plan = self._plan(pk)
            form.version.data = str(plan.version)
            return self._form(form, plan, error.status, error.changes)
        flash(gettext("The budget of %(code)s is arranged.", code=code), "success")
        return redirect(local_address(request.form.get("next"), url_for("AnnualPlanView.list")))

    def _plan(self, pk: int) -> AnnualPlan:
        whole = (joinedload(AnnualPlan.project).joinedload(Project.unit),)
        plan: AnnualPlan = policy.load(
            current_session(), current_actor(), AnnualPlan, pk, verb="arrange", options=whole
        )
        return plan

    def _form(
        self, form: ArrangeForm, plan: AnnualPlan, status: int = 200, changes: list[Change] | None = None
    ) -> Response:
        menu_endpoint("AnnualPlanView.list")
        add_crumb(plan.project.code)
        page = self.render_template(
            self.arrange_template,
            title=gettext("Arrange the budget"),
            form=form,
            plan=plan,
            project=plan.project,
            changes=[
                {
                    "field": str(_LABELS.get(change.field, change.field)),
                    "old": change.old,
                    "new": change.new,
                    "by": change.by,
                    "at": change.at,
                }
                for change in changes or ()
            ],
        )
        return make_response(page, status)
