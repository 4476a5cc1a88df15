"""The review page: the document at the left, at the right what a reviewer may do with his task."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from flask import flash, jsonify, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_appbuilder import BaseView, expose
from flask_appbuilder.security.decorators import has_access, permission_name
from flask_babel import get_locale, gettext

from app.access.rules_task import why_closed
from app.core.errors import Change, Conflict, DomainError, InvalidInput, NotFound, StaleVersion
from app.core.flow import RunState, TaskKind, TaskState, Verb
from app.models.attachment import OF_TASK
from app.models.base import utcnow
from app.models.flow import Task
from app.services import attachment, parameter, people, review
from app.services.unit_of_work import current_session
from app.views import go
from app.views.actor import current_actor
from app.views.base.cells import days_badge
from app.views.document.files import file_view
from app.views.document_pages import DocumentPage, page_context, page_of
from app.views.errors import field_errors, translate
from app.views.filters import localtime
from app.views.review.tasks import NO_VERSION, known_task, next_address, number_of, queue_around
from app.views.shell import menu_endpoint
from app.views.trail import add_crumb
from app.workflow.naming import step_name

TO_APPLICANT = "applicant"
"""What the form sends as the step to return to, when that is the unit itself."""

_DECIDES = frozenset({Verb.APPROVE, Verb.RETURN, Verb.REJECT, Verb.TRANSFER, Verb.DELEGATE})
"""Verbs after which the task is out of the reviewer's hands, so that the next one is shown."""


@dataclass
class Refused:
    """What a refused attempt leaves on the page: everything typed, and why."""

    opinion: str | None = None
    errors: Mapping[str, Sequence[str]] = field(default_factory=dict)
    message: str = ""
    changes: Sequence[Change] = ()
    chosen: Mapping[str, Sequence[str]] = field(default_factory=dict)


class ReviewView(BaseView):
    """One task of mine."""

    route_base = "/review"
    default_view = "task"
    class_permission_name = "task"
    method_permission_name = {
        "task": "read",
        "act": "act",
        "save_opinion": "act",
        "people": "act",
        "take_back": "act",
    }
    base_permissions = ["can_act", "can_read"]

    @expose("/<int:pk>")
    @has_access
    @permission_name("task")
    def task(self, pk: int) -> ResponseReturnValue:
        """The page of one task; of one that is done it says what became of it."""
        return self._page(known_task(pk), Refused())

    @expose("/<int:pk>/act", methods=["POST"])
    @has_access
    @permission_name("act")
    def act(self, pk: int) -> ResponseReturnValue:
        """Decide. A refusal shows the same page with everything typed still there."""
        form = request.form
        verb = form.get("verb", "")
        opinion = form.get("opinion", "")
        try:
            self._take_in(pk)
            result = review.act(
                current_actor(),
                pk,
                verb,
                version=number_of(form.get("version")) or NO_VERSION,
                opinion=opinion,
                to_step=_step_named(form.get("to_step", "")) if verb == Verb.RETURN else None,
                to_user=[
                    number for text in form.getlist("to_user") if (number := number_of(text)) is not None
                ],
                position=form.get("position", TaskKind.AFTER),
                attachment_ids=None,
            )
        except NotFound:
            raise
        except DomainError as error:
            return self._refusal(pk, error, opinion), error.status
        flash(_told(result), "success")
        if result.verb not in _DECIDES and result.verb is not Verb.REPLY:
            return redirect(url_for("ReviewView.task", pk=pk))
        done = known_task(pk)
        list_href = url_for(page_of(done.run.document_kind).tasks_endpoint)
        return redirect(next_address(done, list_href))

    @expose("/<int:pk>/opinion", methods=["POST"])
    @has_access
    @permission_name("save_opinion")
    def save_opinion(self, pk: int) -> ResponseReturnValue:
        """Keep what is being written, for the page's script: nothing typed is lost with a closed browser."""
        form = request.form
        result = review.act(
            current_actor(),
            pk,
            Verb.SAVE_OPINION,
            version=number_of(form.get("version")) or NO_VERSION,
            opinion=form.get("opinion", ""),
        )
        words = gettext("Opinion kept at %(time)s", time=localtime(utcnow()))
        return jsonify(version=result.task_version, saved_text=words)

    @expose("/<int:pk>/take-back", methods=["POST"])
    @has_access
    @permission_name("take_back")
    def take_back(self, pk: int) -> ResponseReturnValue:
        """Take one's own last approval back, or call back whom one has asked."""
        try:
            review.act(
                current_actor(),
                pk,
                Verb.TAKE_BACK,
                version=number_of(request.form.get("version")) or NO_VERSION,
            )
        except Conflict as error:
            return self._refusal(pk, error, None), error.status
        flash(gettext("It is with you again."), "success")
        return redirect(url_for("ReviewView.task", pk=pk))

    @expose("/<int:pk>/people")
    @has_access
    @permission_name("people")
    def people(self, pk: int) -> ResponseReturnValue:
        """Colleagues to transfer to, ask, add or send a copy, while one types: [{id, text}]. Only those who
        could do it: not who submitted, nor who has reviewed or is to review in this round."""
        task = known_task(pk)
        verb = request.args.get("verb", "")
        found = people.reviewers(
            current_actor(),
            request.args.get("q", "")[:60],
            grant="read" if verb == Verb.COPY_TO else "act",
            without=review.unfit_people(task, verb),
        )
        language = str(get_locale())
        return jsonify([{"id": person.id, "text": person.described(language)} for person in found])

    def _take_in(self, pk: int) -> None:
        """Keep the files of a browser without scripts; with them they were sent while one wrote."""
        for file in request.files.getlist("file"):
            if file.filename:
                attachment.add(current_actor(), OF_TASK, pk, "", file.filename, file.stream)

    # -- drawing ----------------------------------------------------------------------------------------

    def _refusal(self, pk: int, error: DomainError, opinion: str | None) -> str:
        """The page as it is now, with what was typed and why it was refused."""
        form = request.form
        refused = Refused(
            opinion=opinion,
            errors=field_errors(error) if isinstance(error, InvalidInput) else {},
            message=translate(error.message, error.params),
            changes=error.changes if isinstance(error, StaleVersion) else (),
            chosen={name: form.getlist(name) for name in ("to_step", "to_user", "position", "verb")},
        )
        return self._page(known_task(pk), refused)

    def _page(self, task: Task, refused: Refused) -> str:
        actor, session = current_actor(), current_session()
        kind, document_id = task.run.document_kind, task.run.document_id
        context = page_context(kind, document_id)
        page: DocumentPage = context["page"]
        panel = review.panel(actor, kind, document_id) if task.state is TaskState.OPEN else None
        if panel is not None and panel.task.id != task.id:
            panel = None
        if panel is None and refused.opinion is not None:
            # The panel says why: who was quicker, or that the run has ended.
            refused.message = gettext(
                "Your decision was not recorded; the panel says why. What you wrote is still there."
            )
        edits = panel is not None and panel.may_edit and page.edit_endpoint is not None
        menu_endpoint(page.tasks_endpoint)
        add_crumb(task.run.code)
        return self.render_template(
            "review/task.html",
            **context,
            task=task,
            run=task.run,
            step=str(step_name(task.step)),
            panel=panel,
            verbs={verb.name.lower(): True for verb in panel.options.verbs} if panel else {},
            return_to=[(step.id, str(step_name(step))) for step in panel.options.return_to] if panel else [],
            badge=days_badge(task.due_at),
            refused=refused,
            changes=page.changes(refused.changes),
            edit_href=url_for(page.edit_endpoint, pk=task.id) if edits and page.edit_endpoint else None,
            list_href=url_for(page.tasks_endpoint),
            chosen_people=_people_named(refused.chosen.get("to_user", ())),
            opinion=refused.opinion if refused.opinion is not None else task.saved_opinion,
            document_href=go.address(kind, document_id),
            may_take_back=_may_take_back(task),
            state_text="" if panel else _why_closed(task),
            queue=queue_around(task),
            here=url_for("ReviewView.task", pk=task.id),
            files=[file_view(row) for row in panel.files] if panel else [],
            accept=",".join(f".{name}" for name in parameter.list_of(session, "attachment.types")),
            answer=panel.answer if panel else None,
        )


def _told(result: review.Result) -> str:
    """What was done, and how much is left."""
    left = review.todo_count(current_actor())
    verb = gettext(result.verb.label)
    if left:
        return gettext("Done: %(verb)s. Tasks left: %(count)s.", verb=verb, count=left)
    return gettext("Done: %(verb)s. Nothing else waits for you.", verb=verb)


def _why_closed(task: Task) -> str:
    """Why there is nothing to decide here: who was quicker, whom one waits for, or that the run has ended."""
    if task.state is TaskState.OPEN and review.has_submitted(current_actor(), task.run):
        return gettext("You submitted this document, so you may not review it.")
    if task.state is TaskState.OPEN:
        return gettext("This task is not open any more. This page shows how it stands now.")
    why = why_closed(task)
    if task.state is TaskState.WAITING:
        return translate(why.message, why.params)
    # Elsewhere the message asks to open the page again; this is the page.
    if "who" not in why.params:
        return gettext("This task is not open any more. This page shows how it stands now.")
    if why.params["who"] == current_actor().name:
        return gettext("You have already dealt with this (%(verb)s).", verb=_label(why.params["verb"]))
    return gettext(
        "%(who)s has already dealt with this (%(verb)s).",
        who=why.params["who"],
        verb=_label(why.params["verb"]),
    )


def _label(verb: object) -> str:
    return gettext(Verb(str(verb)).label)


def _may_take_back(task: Task) -> bool:
    """Is it worth offering? Whether it works is the engine's to say when it is tried."""
    if task.run.state is not RunState.RUNNING or task.superseded:
        return False
    approved = task.state is TaskState.DONE and task.decision is Verb.APPROVE
    return approved or task.state is TaskState.WAITING


def _people_named(texts: Sequence[str]) -> list[tuple[int, str]]:
    """The people a refused form had chosen, so that the choice is still there."""
    chosen = {number for text in texts if (number := number_of(text)) is not None}
    if not chosen:
        return []
    language = str(get_locale())
    found = people.named(current_actor(), chosen, grant="read")
    return [(person.id, person.described(language)) for person in found]


def _step_named(text: str) -> int | str | None:
    return None if text in ("", TO_APPLICANT) else text
