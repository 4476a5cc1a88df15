"""审核流程: every document kind's flows; drafts are edited, checked, tried, compared and published here."""

from __future__ import annotations

import io
from typing import Any

from flask import flash, jsonify, make_response, redirect, request, send_file, url_for
from flask.typing import ResponseReturnValue
from flask_appbuilder import BaseView, expose
from flask_appbuilder.security.decorators import has_access, permission_name
from flask_babel import gettext, lazy_gettext

from app.access import policy
from app.core import download
from app.core.errors import DomainError, InvalidInput, Problem, StaleVersion
from app.core.flow import FlowState
from app.models.flow import FlowDefinition
from app.services import review
from app.services.review.flows import overview, transfer
from app.services.review.flows.compare import Fate, compare
from app.services.review.flows.drafts import entry_of
from app.services.review.flows.names import Names, find_reviewers
from app.services.review.flows.rehearsal import Rehearsal, fields_asked, rehearse_document, rehearse_values
from app.services.review.flows.sheet import Problems, sheet_of
from app.services.unit_of_work import current_session
from app.views.actor import current_actor
from app.views.errors import field_errors, problem_text, translate
from app.views.flow.form import apply_tool, new_condition, new_step, read_form
from app.views.flow.page import (
    EditPage,
    diagram,
    flow_words,
    kind_label,
    rights,
    shown_changes,
    shown_differences,
    shown_findings,
    step_names,
)
from app.views.shell import menu_endpoint
from app.views.trail import add_crumb
from app.workflow.registry import registered

_READ = ("list", "versions", "show", "compare", "rehearsal", "export")
_MANAGE = ("create", "draft", "copy", "edit", "people", "confirm", "publish", "remove", "import_file")
_NO_REVISION = -1
_MOST_TOLD = 10


class FlowView(BaseView):
    """Flows of every document kind."""

    route_base = "/flow"
    default_view = "list"
    class_permission_name = "flow"
    method_permission_name = {**dict.fromkeys(_READ, "read"), **dict.fromkeys(_MANAGE, "manage")}
    base_permissions = ["can_read", "can_manage"]
    title = lazy_gettext("Review flows")

    # -- reading -----------------------------------------------------------------------------------------

    @expose("/list/")
    @has_access
    @permission_name("list")
    def list(self) -> str:
        """Every document kind: what is in force, and what is in preparation."""
        menu_endpoint("FlowView.list")
        return self.render_template(
            "flow/list.html", title=str(self.title), kinds=overview.kinds(current_actor()), **_common()
        )

    @expose("/versions")
    @has_access
    @permission_name("versions")
    def versions(self) -> ResponseReturnValue:
        """Every version of one kind, to open and to compare."""
        kind = request.args.get("kind", "")
        if kind not in registered():
            return redirect(url_for("FlowView.list"))
        _crumbs()
        flows = overview.versions_of(current_actor(), kind)
        return self.render_template("flow/versions.html", title=kind_label(kind), flows=flows, **_common())

    @expose("/<int:pk>")
    @has_access
    @permission_name("show")
    def show(self, pk: int) -> str:
        """One version to read: diagram, steps and, of a draft, what is wrong with it."""
        actor = current_actor()
        definition = overview.version(actor, pk)
        names = Names(current_session())
        words, sheet = flow_words(definition.document_kind, names), sheet_of(definition, names)
        found = review.findings(current_session(), definition) if _is_draft(definition) else []
        _crumbs(definition)
        steps = step_names(sheet, words=words)
        return self.render_template(
            "flow/show.html",
            title=definition.name,
            version=overview.about(actor, definition),
            definition=definition,
            nodes=diagram(sheet, words, found),
            rights=[rights(step, words, steps) for step in sheet["steps"]],
            findings=shown_findings(found, sheet, words),
            published=overview.in_force(actor, definition.document_kind),
            others=[(kind, kind_label(kind)) for kind in registered() if kind != definition.document_kind],
            **_common(),
        )

    @expose("/compare")
    @has_access
    @permission_name("compare")
    def compare(self) -> ResponseReturnValue:
        """Two versions of a kind, step by step and field by field."""
        old_id, new_id = _number("old"), _number("new")
        if old_id is None or new_id is None:
            return redirect(url_for("FlowView.list"))
        actor = current_actor()
        old, new = (overview.version(actor, one) for one in (old_id, new_id))
        if old.document_kind != new.document_kind:
            problem = Problem.of("Only versions of the same kind of document can be compared.")
            raise InvalidInput({"new": [problem]})
        names = Names(current_session())
        words = flow_words(new.document_kind, names)
        sheets = sheet_of(old, names), sheet_of(new, names)
        found = compare(*sheets)
        _crumbs(new)
        return self.render_template(
            "flow/compare.html",
            title=gettext("Version %(old)s and version %(new)s", old=old.version, new=new.version),
            old=old,
            new=new,
            flows=overview.versions_of(actor, new.document_kind),
            differences=shown_differences(found, words, step_names(*sheets, words=words)),
            changed=sum(one.fate is not Fate.SAME for one in found),
            **_common(),
        )

    @expose("/<int:pk>/rehearsal")
    @has_access
    @permission_name("rehearsal")
    def rehearsal(self, pk: int) -> ResponseReturnValue:
        """Try a version on a document or on given values; nothing is written."""
        actor, args = current_actor(), request.args
        definition = overview.version(actor, pk)
        entry = entry_of(definition.document_kind)
        names = Names(current_session())
        may_read = actor.holds(policy.noun(entry.model), "read")
        result: Rehearsal | None = None
        errors: dict[str, list[str]] = {}
        try:
            if args.get("code", "").strip() and may_read:
                result = rehearse_document(actor, pk, args["code"])
            elif args.get("try"):
                raw = {name: values[0] if len(values) == 1 else values for name, values in args.lists()}
                result = rehearse_values(actor, pk, raw)
        except InvalidInput as error:
            errors = field_errors(error)
        page = EditPage(definition, entry, names, sheet_of(definition, names), definition.revision, errors)
        _crumbs(definition)
        add_crumb(gettext("Try it"))
        html = self.render_template(
            "flow/rehearsal.html",
            title=gettext("Try version %(version)s", version=definition.version),
            definition=definition,
            asked=[
                page.condition_field(one.name, args.getlist(one.name))
                for one in fields_asked(definition, entry)
            ],
            values=args,
            may_read=may_read,
            result=result,
            errors=errors,
            nodes=page.nodes,
            **_common(),
        )
        return make_response(html, 400 if errors else 200)

    @expose("/<int:pk>/export")
    @has_access
    @permission_name("export")
    def export(self, pk: int) -> ResponseReturnValue:
        """A version as a file."""
        file = transfer.export(current_actor(), pk)
        response = send_file(io.BytesIO(file.data), "application/json")
        response.headers.update(download.headers(file.name, len(file.data)))
        return response

    # -- making drafts -----------------------------------------------------------------------------------

    @expose("/new", methods=["POST"])
    @has_access
    @permission_name("create")
    def create(self) -> ResponseReturnValue:
        """Begin an empty draft."""
        kind = request.form.get("kind", "")
        if kind not in registered():
            raise InvalidInput({"kind": [Problem.of("Choose the kind of document.")]})
        name = gettext("Review flow of %(kind)s", kind=kind_label(kind))
        draft = review.create_flow(current_actor(), kind, name)
        return redirect(url_for("FlowView.edit", pk=draft.id))

    @expose("/<int:pk>/draft", methods=["POST"])
    @has_access
    @permission_name("draft")
    def draft(self, pk: int) -> ResponseReturnValue:
        """Begin the next version as a copy of this one."""
        draft = review.draft_of(current_actor(), pk)
        flash(gettext("Draft of version %(version)s was begun.", version=draft.version), "success")
        return redirect(url_for("FlowView.edit", pk=draft.id))

    @expose("/<int:pk>/copy", methods=["POST"])
    @has_access
    @permission_name("copy")
    def copy(self, pk: int) -> ResponseReturnValue:
        """Copy a version to another kind of document, as a draft."""
        kind = request.form.get("kind", "")
        if kind not in registered():
            raise InvalidInput({"kind": [Problem.of("Choose the kind of document.")]})
        brought = review.copy_flow(current_actor(), pk, kind)
        _tell_left_out(brought.left_out)
        flash(gettext("The flow was copied to a draft for %(kind)s.", kind=kind_label(kind)), "success")
        return redirect(url_for("FlowView.edit", pk=brought.draft.id))

    @expose("/import", methods=["GET", "POST"])
    @has_access
    @permission_name("import_file")
    def import_file(self) -> ResponseReturnValue:
        """Make a draft from a file; a refused file is told place by place."""
        errors: dict[str, list[str]] = {}
        kind, partly = (
            request.form.get("kind", request.args.get("kind", "")),
            bool(request.form.get("partly")),
        )
        if request.method == "POST":
            try:
                upload = request.files.get("file")
                data = upload.stream.read(transfer.LARGEST_FILE + 1) if upload and upload.filename else b""
                if not data:
                    raise InvalidInput({"file": [Problem.of("Choose a file.")]})
                chosen = kind if kind in registered() else None
                brought = transfer.import_file(current_actor(), data, chosen, partly=partly)
            except InvalidInput as error:
                errors = field_errors(error)
            else:
                _tell_left_out(brought.left_out)
                flash(
                    gettext("Draft of version %(version)s was begun.", version=brought.draft.version),
                    "success",
                )
                return redirect(url_for("FlowView.edit", pk=brought.draft.id))
        _crumbs()
        html = self.render_template(
            "flow/import.html",
            title=gettext("Import a flow"),
            kinds=[(one, kind_label(one)) for one in registered()],
            kind=kind,
            partly=partly,
            errors=errors.pop("file", []),
            places=[(_place(path), texts) for path, texts in errors.items()],
            **_common(),
        )
        return make_response(html, 400 if request.method == "POST" else 200)

    # -- editing -----------------------------------------------------------------------------------------

    @expose("/<int:pk>/edit", methods=["GET", "POST"])
    @has_access
    @permission_name("edit")
    def edit(self, pk: int) -> ResponseReturnValue:
        """A draft's form. What is refused comes back as typed."""
        actor = current_actor()
        definition = overview.version(actor, pk)
        if request.method == "GET":
            if not _is_draft(definition):
                return redirect(url_for("FlowView.show", pk=pk))
            return self._form(definition, None)
        sheet, keys = read_form(request.form.items(multi=True))
        revision = _revision()
        tool = request.form.get("tool", "")
        entry = entry_of(definition.document_kind)
        if tool and _is_draft(definition):
            changed = apply_tool(sheet, keys, tool, entry)
            added = len(changed["steps"]) > len(keys)
            touched = {keys.index(tool.partition(".")[0])} if tool.partition(".")[0] in keys else set()
            opened = frozenset(touched | ({len(changed["steps"]) - 1} if added else set()))
            return self._form(definition, changed, revision=revision, open_steps=opened)
        try:
            saved = review.save_flow(actor, pk, sheet, revision=revision)
        except InvalidInput as error:
            return self._form(definition, sheet, error, revision=revision), error.status
        except StaleVersion as error:
            # The newer revision goes into the form: saving again puts what was typed over it, knowingly.
            current = overview.version(actor, pk)
            return self._form(current, sheet, error, revision=current.revision), error.status
        if request.form.get("intent") == "publish":
            return redirect(url_for("FlowView.confirm", pk=pk))
        flash(gettext("The draft was saved."), "success")
        return redirect(url_for("FlowView.edit", pk=saved.id))

    @expose("/people")
    @has_access
    @permission_name("people")
    def people(self) -> ResponseReturnValue:
        """People who may review, while one types: [{id: user name, text}]."""
        found = find_reviewers(current_actor(), request.args.get("q", "")[:60])
        return jsonify([{"id": person.username, "text": str(person)} for person in found])

    @expose("/<int:pk>/remove", methods=["POST"])
    @has_access
    @permission_name("remove")
    def remove(self, pk: int) -> ResponseReturnValue:
        """Delete a draft."""
        review.remove_flow(current_actor(), pk, revision=_revision())
        flash(gettext("The draft was deleted."), "success")
        return redirect(url_for("FlowView.list"))

    # -- publishing --------------------------------------------------------------------------------------

    @expose("/<int:pk>/confirm")
    @has_access
    @permission_name("confirm")
    def confirm(self, pk: int) -> ResponseReturnValue:
        """The last look before publishing: what changes, what the check says, whom it concerns."""
        actor = current_actor()
        definition = overview.version(actor, pk)
        if not _is_draft(definition):
            return redirect(url_for("FlowView.show", pk=pk))
        return self._confirm(definition)

    @expose("/<int:pk>/publish", methods=["POST"])
    @has_access
    @permission_name("publish")
    def publish(self, pk: int) -> ResponseReturnValue:
        """Put a draft into force. A flow that cannot end is refused with the step named."""
        actor = current_actor()
        try:
            published = review.publish(actor, pk, revision=_revision())
        except (InvalidInput, StaleVersion) as error:
            definition = overview.version(actor, pk)
            return make_response(self._confirm(definition, error), error.status)
        flash(gettext("Version %(version)s is in force now.", version=published.version), "success")
        return redirect(url_for("FlowView.show", pk=pk))

    def _confirm(self, definition: FlowDefinition, error: DomainError | None = None) -> str:
        actor = current_actor()
        names = Names(current_session())
        words, sheet = flow_words(definition.document_kind, names), sheet_of(definition, names)
        found = review.findings(current_session(), definition)
        before = overview.in_force(actor, definition.document_kind)
        old = sheet_of(before, names) if before else {"name": "", "steps": []}
        differences = shown_differences(compare(old, sheet), words, step_names(sheet, old, words=words))
        _crumbs(definition)
        add_crumb(gettext("Publish"))
        return self.render_template(
            "flow/confirm.html",
            title=gettext("Publish version %(version)s", version=definition.version),
            definition=definition,
            before=overview.about(actor, before) if before else None,
            differences=[one for one in differences if one.fate is not Fate.SAME],
            findings=shown_findings(found, sheet, words),
            message=translate(error.message, error.params) if error else "",
            changes=shown_changes(error.changes, words, step_names(sheet, words=words))
            if isinstance(error, StaleVersion)
            else (),
            nodes=diagram(sheet, words, found),
            **_common(),
        )

    def _form(
        self,
        definition: FlowDefinition,
        typed: dict[str, Any] | None,
        error: DomainError | None = None,
        *,
        revision: int | None = None,
        open_steps: frozenset[int] = frozenset(),
    ) -> str:
        """The form with what is stored, or what was typed and why it was refused."""
        names = Names(current_session())
        stored = sheet_of(definition, names)
        page = EditPage(
            definition=definition,
            entry=entry_of(definition.document_kind),
            names=names,
            sheet=typed if typed is not None else stored,
            revision=definition.revision if revision is None else revision,
            errors=field_errors(error) if isinstance(error, InvalidInput) else {},
            message=translate(error.message, error.params) if error else "",
            unsaved=typed is not None,
            open_steps=open_steps,
            findings=review.findings(current_session(), definition),
        )
        if isinstance(error, StaleVersion):
            page.changes = shown_changes(
                error.changes, page.words, step_names(stored, page.sheet, words=page.words)
            )
        _crumbs(definition)
        add_crumb(gettext("Edit"))
        return self.render_template(
            "flow/edit.html",
            title=definition.name,
            page=page,
            definition=definition,
            stale=isinstance(error, StaleVersion),
            new_step={**new_step(), "code": ""},
            new_condition=new_condition(page.entry),
            nodes=page.nodes,
            findings=page.shown_findings,
            **_common(),
        )


def _common() -> dict[str, Any]:
    """What every page of flows needs."""
    return {
        "may_manage": current_actor().holds("flow", "manage"),
        "kind_label": kind_label,
        "DRAFT": FlowState.DRAFT,
    }


def _crumbs(definition: FlowDefinition | None = None) -> None:
    menu_endpoint("FlowView.list")
    if definition is not None:
        kind = definition.document_kind
        add_crumb(kind_label(kind), url_for("FlowView.versions", kind=kind))
        add_crumb(
            gettext("Version %(version)s", version=definition.version),
            url_for("FlowView.show", pk=definition.id),
        )


def _is_draft(definition: FlowDefinition) -> bool:
    return definition.state is FlowState.DRAFT


def _number(name: str) -> int | None:
    text = request.args.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


def _revision() -> int:
    text = request.form.get("revision", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else _NO_REVISION


def _place(path: str) -> str:
    """A path of a file as people count: `steps.0.users` is step 1, users."""
    parts = path.split(".")
    if parts[0] == "steps" and len(parts) > 1 and parts[1].isdigit():
        return " · ".join((gettext("Step %(number)s", number=int(parts[1]) + 1), *parts[2:]))
    return path or gettext("The file")


def _tell_left_out(left_out: Problems) -> None:
    for path, problems in [*left_out.items()][:_MOST_TOLD]:
        words = "; ".join(problem_text(problem) for problem in problems)
        flash(gettext("Left out at %(place)s: %(words)s", place=_place(path), words=words), "warning")
