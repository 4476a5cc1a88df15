"""委托代理: whom I named to act for me while I am away, who named me; and agents for the absent."""

from __future__ import annotations

import builtins
import datetime as dt
from dataclasses import dataclass

from flask import flash, jsonify, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_appbuilder import BaseView, expose
from flask_appbuilder.security.decorators import has_access, permission_name
from flask_babel import get_locale, gettext

from app.access import policy
from app.core.errors import Conflict, InvalidInput, NotFound, Problem
from app.core.workdays import today_in_china
from app.models.base import utcnow
from app.models.flow import AgentAppointment
from app.services import people, review
from app.services.unit_of_work import current_session
from app.views.actor import current_actor
from app.views.errors import field_errors, translate
from app.views.review.tasks import number_of
from app.views.shell import menu_endpoint


@dataclass(frozen=True)
class Line:
    """One appointment as the page shows it."""

    row: AgentAppointment
    state: str
    colour: str
    revocable: bool


class AgentView(BaseView):
    """Agents: own and received appointments, and for administrators those of others."""

    route_base = "/agent"
    default_view = "list"
    class_permission_name = "task"
    method_permission_name = dict.fromkeys(("list", "open", "name", "revoke", "people"), "act") | {
        "name_for": "reassign",
        "revoke_for": "reassign",
        "others": "reassign",
        "people_for": "reassign",
    }
    base_permissions = ["can_act", "can_reassign"]

    @expose("/")
    @has_access
    @permission_name("list")
    def list(self) -> str:
        """Own and received appointments, with the form for another."""
        return self._page(others=False)

    @expose("/<int:pk>")
    @has_access
    @permission_name("open")
    def open(self, pk: int) -> ResponseReturnValue:
        """Where a message about an appointment leads."""
        row: AgentAppointment = policy.load(current_session(), current_actor(), AgentAppointment, pk)
        mine = current_actor().user_id in (row.principal_id, row.agent_id)
        return redirect(url_for("AgentView.list" if mine else "AgentView.others"))

    @expose("/name", methods=["POST"])
    @has_access
    @permission_name("name")
    def name(self) -> ResponseReturnValue:
        """Name an agent for oneself."""
        return self._named(others=False)

    @expose("/<int:pk>/revoke", methods=["POST"])
    @has_access
    @permission_name("revoke")
    def revoke(self, pk: int) -> ResponseReturnValue:
        """End an appointment of one's own."""
        return self._revoked(pk, others=False)

    @expose("/others")
    @has_access
    @permission_name("others")
    def others(self) -> str:
        """Appointments of other people, and the form to name an agent for somebody who is away."""
        return self._page(others=True)

    @expose("/others/name", methods=["POST"])
    @has_access
    @permission_name("name_for")
    def name_for(self) -> ResponseReturnValue:
        """Name an agent for an absent colleague."""
        return self._named(others=True)

    @expose("/others/<int:pk>/revoke", methods=["POST"])
    @has_access
    @permission_name("revoke_for")
    def revoke_for(self, pk: int) -> ResponseReturnValue:
        """End an appointment of somebody else."""
        return self._revoked(pk, others=True)

    @expose("/people")
    @has_access
    @permission_name("people")
    def people(self) -> ResponseReturnValue:
        """Who could be an agent, while one types: [{id, text}]."""
        return self._people()

    @expose("/others/people")
    @has_access
    @permission_name("people_for")
    def people_for(self) -> ResponseReturnValue:
        """The same for administrators, who need not review themselves."""
        return self._people()

    def _people(self) -> ResponseReturnValue:
        found = people.reviewers(current_actor(), request.args.get("q", "")[:60])
        return jsonify([{"id": one.id, "text": one.described(str(get_locale()))} for one in found])

    def _named(self, *, others: bool) -> ResponseReturnValue:
        form = request.form
        errors: dict[str, list[str]] = {}
        headline = ""
        try:
            chosen = _chosen(others=others)
            appointment = review.appoint(
                current_actor(),
                chosen["agent_id"],
                _day(form.get("date_from", ""), "date_from"),
                _day(form.get("date_to", ""), "date_to"),
                principal_id=chosen.get("principal_id"),
            )
        except NotFound:
            errors = {"principal_id": [gettext("There is no such record, or it is outside your data scope.")]}
        except InvalidInput as error:
            errors = field_errors(error)
        except Conflict as error:
            headline = translate(error.message, error.params)
        else:
            flash(
                gettext(
                    "Named from %(from)s to %(to)s. Both are told.",
                    **{"from": str(appointment.date_from), "to": str(appointment.date_to)},
                ),
                "success",
            )
            return redirect(url_for("AgentView.others" if others else "AgentView.list"))
        return self._page(others=others, errors=errors, headline=headline), 409 if headline else 400

    def _revoked(self, pk: int, *, others: bool) -> ResponseReturnValue:
        review.revoke(current_actor(), pk)
        flash(gettext("The appointment was revoked. Both are told."), "success")
        return redirect(url_for("AgentView.others" if others else "AgentView.list"))

    def _page(
        self, *, others: bool, errors: dict[str, builtins.list[str]] | None = None, headline: str = ""
    ) -> str:
        actor = current_actor()
        menu_endpoint("AgentView.others" if others else "AgentView.list")
        today = today_in_china(utcnow())
        rows = review.others_appointments(actor) if others else review.appointments(actor)
        lines = [_line(row, today, revocable=others or row.principal_id == actor.user_id) for row in rows]
        form = request.form
        chosen = {name: _picked(form.get(name)) for name in ("agent_id", "principal_id")}
        return self.render_template(
            "review/agents.html",
            title=gettext("Agents of others") if others else gettext("Agents"),
            others=others,
            given=[line for line in lines if others or line.row.principal_id == actor.user_id],
            received=[line for line in lines if not others and line.row.agent_id == actor.user_id],
            chosen=chosen,
            date_from=form.get("date_from", today.isoformat()),
            date_to=form.get("date_to", ""),
            today=today.isoformat(),
            errors=errors or {},
            headline=headline,
            name_href=url_for("AgentView.name_for" if others else "AgentView.name"),
            people_href=url_for("AgentView.people_for" if others else "AgentView.people"),
            revoke_endpoint="AgentView.revoke_for" if others else "AgentView.revoke",
        )


def _picked(text: str | None) -> builtins.list[tuple[int, str]]:
    """The person a refused form had chosen, so that the choice is still there."""
    number = number_of(text)
    if number is None:
        return []
    found = people.named(current_actor(), [number])
    return [(one.id, one.described(str(get_locale()))) for one in found]


def _line(row: AgentAppointment, today: dt.date, *, revocable: bool) -> Line:
    """What an appointment is now, in words."""
    if row.revoked_at is not None:
        return Line(row, gettext("Revoked"), "secondary", revocable=False)
    if row.date_to < today:
        return Line(row, gettext("Over"), "secondary", revocable=False)
    if row.date_from > today:
        return Line(row, gettext("To come"), "azure", revocable)
    return Line(row, gettext("In force"), "green", revocable)


def _chosen(*, others: bool) -> dict[str, int]:
    """The people named. Raises `InvalidInput` beside the field of each that is missing."""
    wanted = ("principal_id", "agent_id") if others else ("agent_id",)
    found = {name: number_of(request.form.get(name)) for name in wanted}
    missing = {name: [Problem.of("Choose one person.")] for name, value in found.items() if value is None}
    if missing:
        raise InvalidInput(missing)
    return {name: value for name, value in found.items() if value is not None}


def _day(text: str, name: str) -> dt.date:
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise InvalidInput({name: [Problem.of("Enter a date, for example 2027-01-31.")]}) from None
