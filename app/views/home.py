"""工作台: what waits for me today, and the figures my role looks after."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask_appbuilder import BaseView, expose
from flask_babel import gettext
from flask_login import login_required

from app.access.actor import Actor
from app.core.enums import Light, LogLevel
from app.core.flow import Box
from app.core.lifecycle import Milestone
from app.core.workdays import SHANGHAI
from app.models.base import utcnow
from app.models.declaration import Declaration
from app.services import alert, review, statistics
from app.services.statistics import Desk, OfficeState, StageFigure
from app.services.unit_of_work import current_session
from app.views import figures, names
from app.views.actor import current_actor, current_user_row
from app.views.base.cells import days_badge, in_english, lamp, light_of
from app.views.document_pages import PAGES
from app.views.links import link
from app.views.project_list import short_amount, when
from app.workflow.registry import registered

_TASKS_SHOWN = 6
_TOP_UNITS = 8
_NOON, _EVENING = 12, 18


@dataclass(frozen=True)
class Card:
    """A figure on top of the workbench, and where it leads."""

    label: str
    value: str
    note: str
    icon: str
    colour: str
    href: str | None = None


class HomeView(BaseView):
    """The first page after logging in."""

    route_base = ""
    default_view = "index"

    @expose("/")
    @login_required
    def index(self) -> str:
        """The workbench: each part only for those it concerns."""
        actor = current_actor()
        reviews, declares = actor.holds("task", "act"), actor.holds("declaration", "edit")
        counts = actor.holds("project", "read") and actor.holds("statistics", "read")
        desk = statistics.desk(actor) if reviews or declares else Desk()
        # A handler holds review verbs only for the day a review is transferred to him.
        reviews = reviews and (desk.tasks > 0 or not declares)
        cards = [*_desk_cards(desk, reviews, declares)]
        charts: dict[str, Any] = {}
        if counts:
            stages = statistics.by_stage(actor)
            year = statistics.year_of(statistics.years(stages))
            cards += _project_cards(stages, year)
            charts = _charts(actor, stages, year)
        # A late review is the reviewer's business; its unit can only wait.
        if actor.holds("alert", "read") and (reviews or not declares):
            cards.append(_alert_card(actor))
        state = statistics.office_state(actor) if actor.holds("parameter", "read") else None
        cards += [*_keeper_cards(actor, state)]
        return self.render_template(
            "home.html",
            title=greeting(),
            subtitle=_subtitle(desk, reviews, declares),
            cards=cards,
            when=when,
            tasks=_tasks(actor) if reviews else None,
            tasks_href=link("TaskTodoView.list"),
            drafts=_drafts(actor) if declares or desk.drafts or desk.returned else None,
            drafts_links=_drafts_links(desk),
            create_href=link("DeclarationDraftView.create") if actor.holds("declaration", "create") else None,
            jobs=state.jobs if state else (),
            names=names,
            warnings=statistics.recent_warnings(actor) if actor.holds("log", "read") else None,
            warnings_href=link("SystemLogView.list", level=[LogLevel.ERROR.value, LogLevel.WARNING.value]),
            **charts,
        )


def greeting() -> str:
    """Good morning, by the clock on the office's wall."""
    user = current_user_row()
    name = user.full_name if user else ""
    hour = utcnow().astimezone(SHANGHAI).hour
    if hour < _NOON:
        return gettext("Good morning, %(name)s", name=name)
    if hour < _EVENING:
        return gettext("Good afternoon, %(name)s", name=name)
    return gettext("Good evening, %(name)s", name=name)


def _subtitle(desk: Desk, reviews: bool, declares: bool) -> str:
    if reviews and desk.tasks:
        return gettext(
            "%(tasks)s reviews wait for you, %(overdue)s of them overdue",
            tasks=desk.tasks,
            overdue=desk.overdue,
        )
    if declares and (desk.drafts or desk.returned):
        return gettext(
            "%(returned)s documents were returned to you, %(drafts)s drafts are not submitted yet",
            returned=desk.returned,
            drafts=desk.drafts,
        )
    return gettext("Nothing waits for you today.") if reviews or declares else ""


# --- cards ----------------------------------------------------------------------------------------------


def _desk_cards(desk: Desk, reviews: bool, declares: bool) -> Sequence[Card]:
    cards = []
    if reviews:
        note = gettext("Overdue: %(count)s", count=desk.overdue)
        href = link("TaskTodoView.list")
        cards.append(Card(gettext("To review"), f"{desk.tasks:,}", note, "ti-checklist", "orange", href))
    # One card per kind, for a list holds one kind: what was sent back and the drafts stand in it together.
    cards += [
        Card(
            gettext("To submit: %(kind)s", kind=PAGES[kind].label),
            f"{waiting.all:,}",
            gettext("Sent back: %(count)s", count=waiting.returned),
            "ti-arrow-back-up" if waiting.returned else "ti-pencil",
            "yellow" if waiting.returned else "azure",
            _drafts_list(kind),
        )
        for kind, waiting in desk.filling.items()
        if waiting.all or (declares and kind == Declaration.document_kind)
    ]
    return cards


def _drafts_list(kind: str) -> str | None:
    """The list of what is to be filled in of a kind; whoever may edit the kind may open it."""
    return link(f"{(PAGES[kind].draft_endpoint or '').partition('.')[0]}.list")


def _drafts_links(desk: Desk) -> Sequence[tuple[str, str]]:
    """Where all that is to be filled in stands: a link for each kind that has something, or may have it."""
    kinds = [kind for kind, waiting in desk.filling.items() if waiting.all] or list(desk.filling)[:1]
    lists = [(str(PAGES[kind].label), _drafts_list(kind)) for kind in kinds]
    found = [(label, href) for label, href in lists if href]
    return [(gettext("All drafts"), href) for _, href in found] if len(found) == 1 else found


def _project_cards(stages: Sequence[StageFigure], year: int) -> Sequence[Card]:
    known = {figure.year: figure for figure in statistics.years(stages)}
    present = known.get(year, statistics.YearFigure(year))
    before = known.get(year - 1, statistics.YearFigure(year - 1))
    come_to = {figure.milestone: figure.projects for figure in statistics.funnel(stages, year)}
    planned = come_to[Milestone.PLANNED]
    return [
        Card(
            gettext("Projects of %(year)s", year=str(year)),
            f"{present.projects:,}",
            gettext("%(change)s against the year before", change=f"{present.projects - before.projects:+,}"),
            "ti-folders",
            "blue",
            figures.project_list(year=year),
        ),
        Card(
            gettext("In the plan"),
            f"{planned:,}",
            gettext("Arranged: %(amount)s", amount=short_amount(present.arranged)),
            "ti-calendar-check",
            "green",
            figures.project_list(year=year, reached=Milestone.PLANNED.value),
        ),
    ]


def _alert_card(actor: Actor) -> Card:
    lights = alert.light_counts(actor)
    return Card(
        gettext("Red alerts"),
        f"{lights[Light.RED]:,}",
        gettext("Due soon: %(count)s", count=f"{lights[Light.AMBER]:,}"),
        "ti-traffic-lights",
        "red",
        link("AlertView.list", light=Light.RED.value),
    )


def _keeper_cards(actor: Actor, state: OfficeState | None) -> Sequence[Card]:
    """What the system, security and audit administrators look after."""
    cards: list[Card] = []
    if state is not None:
        cards += _system_cards(state)
    if actor.holds("session", "read"):
        cards += _security_cards(actor)
    if actor.holds("log", "read"):
        words = {
            LogLevel.ERROR: (gettext("Errors"), "ti-alert-octagon", "red"),
            LogLevel.WARNING: (gettext("Warnings"), "ti-alert-triangle", "yellow"),
            LogLevel.INFO: (gettext("Log entries"), "ti-list-details", "blue"),
        }
        for figure in statistics.log_figures(actor):
            label, icon, colour = words[figure.level]
            href = link("SystemLogView.list", level=figure.level.value)
            note = gettext("in the last seven days")
            cards.append(Card(label, f"{figure.entries:,}", note, icon, colour, href))
    return cards


def _system_cards(state: OfficeState) -> Sequence[Card]:
    if state.beat_at is None:
        beat = gettext("has not run yet")
    else:
        last = state.beat_at.astimezone(SHANGHAI).strftime("%m-%d %H:%M")
        beat = gettext("Last beat %(time)s", time=last)
    waiting = gettext("to be sent")
    if state.held_until is not None:
        hour = state.held_until.astimezone(SHANGHAI).strftime("%H:%M")
        waiting = gettext("%(count)s text messages wait until %(hour)s", count=state.held, hour=hour)
    sent = link("SmsView.list")
    return [
        Card(
            gettext("Background worker"),
            gettext("Running") if state.alive else gettext("Stopped"),
            beat,
            "ti-heartbeat",
            "green" if state.alive else "red",
        ),
        Card(
            gettext("Jobs that failed"),
            f"{len(state.failed_jobs):,}",
            gettext(", ").join(map(names.job_name, state.failed_jobs)) or gettext("All ended well last time"),
            "ti-clock-exclamation",
            "red" if state.failed_jobs else "green",
        ),
        Card(gettext("Messages waiting"), f"{state.waiting:,}", waiting, "ti-send", "azure", sent),
        Card(
            gettext("Messages not delivered"),
            f"{state.lost:,}",
            gettext("given up after several tries"),
            "ti-mail-off",
            "orange" if state.lost else "green",
            sent,
        ),
    ]


def _security_cards(actor: Actor) -> Sequence[Card]:
    state = statistics.security_state(actor)
    users = link("UserView.list")
    return [
        Card(
            gettext("Active users"), f"{state.active:,}", gettext("who may log in"), "ti-users", "blue", users
        ),
        Card(gettext("Disabled users"), f"{state.disabled:,}", "", "ti-user-off", "secondary", users),
        Card(gettext("Open sessions"), f"{state.sessions:,}", gettext("at present"), "ti-login", "green"),
    ]


# --- tables and charts ----------------------------------------------------------------------------------


def _tasks(actor: Actor) -> list[dict[str, Any]]:
    rows = current_session().execute(review.tasks(actor, Box.TODO).limit(_TASKS_SHOWN))
    kinds = registered()
    return [
        {
            "lamp": lamp(light_of(row.due_at)),
            "title": row.title,
            "kind": gettext(kinds[row.kind].label) if row.kind in kinds else row.kind,
            "href": link("ReviewView.task", pk=row.task_id),
            "unit": row.unit_name,
            "step": row.step_en if in_english() else row.step_zh,
            "amount": row.amount,
            "arrived_at": row.arrived_at,
            "left": days_badge(row.due_at),
        }
        for row in rows
    ]


def _drafts(actor: Actor) -> list[dict[str, Any]]:
    return [
        {
            "title": draft.title,
            "kind": str(PAGES[draft.kind].label),
            "href": link(PAGES[draft.kind].draft_endpoint or PAGES[draft.kind].show_endpoint, pk=draft.id),
            "status": draft.status,
            "amount": draft.amount,
            "updated_at": draft.updated_at,
        }
        for draft in statistics.own_drafts(actor, _TASKS_SHOWN)
    ]


def _charts(actor: Actor, stages: Sequence[StageFigure], year: int) -> dict[str, Any]:
    return {
        "year": year,
        "funnel": figures.stage_funnel(statistics.funnel(stages, year), year),
        "by_unit": figures.amounts_by_unit(statistics.by_unit(actor, year, _TOP_UNITS), year),
        "by_month": figures.declarations_as_line(statistics.by_month(actor, year), year),
    }
