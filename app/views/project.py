"""项目总览: every project in the reader's scope, and one project's whole life on a page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

from flask_appbuilder import expose
from flask_appbuilder.security.decorators import has_access, permission_name
from flask_babel import gettext, lazy_gettext

from app.access import policy
from app.core.lifecycle import LIFE_STEPS, current_step, steps_done
from app.models.project import Project
from app.services import project
from app.views import project_list as shared
from app.views.actor import current_actor
from app.views.base import OfficeView, PageAction, ScopedInterface
from app.views.base.dictionaries import labels
from app.views.links import link
from app.views.project_changes import may_change
from app.views.shell import menu_endpoint
from app.views.trail import add_crumb
from app.views.versions import versions_of


class ProjectView(OfficeView):
    """项目总览."""

    datamodel = ScopedInterface(Project)
    noun = "project"
    title = lazy_gettext("Project overview")
    route_base = "/project"
    include_route_methods = {"list", "export", "save_columns", "show"}
    method_permission_name = {"show": "read"}
    show_template = "project/show.html"
    show_endpoint = "ProjectView.show"
    joins = (Project.unit,)
    default_sort = "-updated_at"
    columns = (
        shared.CODE,
        shared.TITLE,
        shared.UNIT,
        replace(shared.YEAR, visible=False),
        shared.TYPE,
        replace(shared.NATURE, visible=False),
        shared.CHANNELS,
        shared.REQUESTED,
        shared.ARRANGED,
        shared.STAGE,
        shared.STATUS,
        shared.FISCAL_CODE,
        replace(shared.SUBMITTED, visible=False),
        shared.UPDATED,
    )
    fields = (
        shared.CODE_FIELD,
        shared.TITLE_FIELD,
        shared.UNIT_FIELD,
        shared.STATUS_FIELD,
        shared.CHANNEL_FIELD,
        shared.YEAR_FIELD,
        shared.ANYWHERE_FIELD,
        shared.TYPE_FIELD,
        shared.NATURE_FIELD,
        shared.AMOUNT_FIELD,
        shared.SUBMITTED_FIELD,
        shared.REACHED_FIELD,
        shared.OTHER_UNITS_FIELD,
    )
    page_actions = (
        PageAction(lazy_gettext("New declaration"), "DeclarationDraftView.create", "declaration", "create"),
        PageAction(
            lazy_gettext("Import"), "ImportView.projects", "project", "import", "ti-upload", primary=False
        ),
    )

    def subtitle(self, total: int, sums: Mapping[str, Decimal]) -> str:
        """How many projects, what they ask for and what they were given."""
        return shared.headline(total, sums)

    @expose("/show/<int:pk>")
    @has_access
    @permission_name("show")
    def show(self, pk: int) -> str:
        """One project: its life, amounts, declarations and place in the plan."""
        actor = current_actor()
        overview = project.overview(actor, pk)
        row, plan = overview.project, overview.plan
        may_arrange = plan is not None and policy.may(actor, "arrange", plan)
        menu_endpoint("ProjectView.list")
        add_crumb(row.code)
        return self.render_template(
            self.show_template,
            title=row.title,
            project=row,
            overview=overview,
            labels=labels(),
            steps=[gettext(step.label) for step in LIFE_STEPS],
            done=steps_done(row.stage),
            running=current_step(row.stage) is not None,
            change_href=lambda pk: link("ChangeView.show", pk=pk),
            may_change=may_change(actor, row, overview.changes),
            adjustment_href=lambda pk: link("AdjustmentView.show", pk=pk),
            declaration_href=lambda pk: link("DeclarationView.show", pk=pk),
            arrange_href=link("AnnualPlanView.arrange", pk=plan.id) if plan and may_arrange else None,
            versions=versions_of("project", pk),
        )
