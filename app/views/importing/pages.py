"""数据导入: template, upload, what each row would do, confirm; and the record of every import."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, BinaryIO, cast

from flask import Response, flash, make_response, redirect, request, send_file, url_for
from flask.typing import ResponseReturnValue
from flask_appbuilder import BaseView, expose
from flask_appbuilder.security.decorators import has_access, permission_name
from flask_babel import gettext

from app.core import download
from app.core.errors import Conflict, InvalidInput, Problem, TooLarge
from app.models.importing import ImportRun, ImportState, RowState
from app.services import importing
from app.services.importing import Importable
from app.services.unit_of_work import current_session
from app.views.actor import current_actor
from app.views.base.listing import Pagination
from app.views.document.files import size_text
from app.views.errors import field_errors, translate
from app.views.importing.rows import RowReader, reader_language
from app.views.shell import menu_endpoint
from app.views.trail import add_crumb
from app.views.workbook import EXCEL

PAGE_SIZE = 50
ALL = "ALL"
"""The state in an address that stands for every row."""


class ImportView(BaseView):
    """Importing a list, step by step. `import.read` opens the pages; each list asks for its own verb."""

    route_base = "/import"
    default_view = "index"
    class_permission_name = "import"
    method_permission_name = dict.fromkeys(
        ("index", "projects", "upload", "take", "template", "run", "confirm", "discard", "file", "wrong"),
        "read",
    )
    base_permissions = ["can_read"]

    @expose("/")
    @has_access
    @permission_name("index")
    def index(self) -> str:
        """The lists that the reader may import."""
        menu_endpoint("ImportView.index")
        actor = current_actor()
        known = [kind() for kind in importing.importables().values()]
        return self.render_template(
            "importing/index.html",
            title=gettext("Data import"),
            lists=[(each.key, gettext(each.label)) for each in known if each.allowed(actor)],
        )

    @expose("/projects")
    @has_access
    @permission_name("projects")
    def projects(self) -> ResponseReturnValue:
        """The import of projects, for the button above their list."""
        return redirect(url_for("ImportView.upload", key=importing.PROJECTS))

    @expose("/list/<key>")
    @has_access
    @permission_name("upload")
    def upload(self, key: str) -> Response:
        """Fetch the template, choose a file."""
        return self._upload_page(importing.importable_of(current_actor(), key))

    @expose("/list/<key>", methods=["POST"])
    @has_access
    @permission_name("take")
    def take(self, key: str) -> ResponseReturnValue:
        """Take a file in and show what it would do."""
        actor = current_actor()
        importable = importing.importable_of(actor, key)
        file = request.files.get("file")
        try:
            if file is None or not file.filename:
                raise InvalidInput({"file": [Problem.of("Choose a file.")]})
            run = importing.preview(actor, key, cast(BinaryIO, file.stream), file.filename)
        except InvalidInput as error:
            return self._upload_page(importable, field_errors(error).get("file", []), error.status)
        except TooLarge as error:
            return self._upload_page(importable, [translate(error.message, error.params)], error.status)
        return redirect(url_for("ImportView.run", pk=run.id))

    @expose("/list/<key>/template")
    @has_access
    @permission_name("template")
    def template(self, key: str) -> Response:
        """The workbook to fill in."""
        importable = importing.importable_of(current_actor(), key)
        wan = request.args.get("unit") == "wan"
        book = importing.template(current_session(), importable, reader_language(), wan=wan)
        return _workbook(book, gettext("Template: %(list)s", list=gettext(importable.label)))

    @expose("/run/<int:pk>")
    @has_access
    @permission_name("run")
    def run(self, pk: int) -> Response:
        """What each row would do, or has done."""
        return self._run_page(importing.load(current_actor(), pk))

    @expose("/run/<int:pk>/confirm", methods=["POST"])
    @has_access
    @permission_name("confirm")
    def confirm(self, pk: int) -> ResponseReturnValue:
        """Import what was previewed."""
        actor = current_actor()
        try:
            run = importing.confirm(actor, pk, only_good="only_good" in request.form)
        except InvalidInput as error:
            texts = [text for texts in field_errors(error).values() for text in texts]
            return self._run_page(importing.load(actor, pk), texts, error.status)
        except Conflict as error:
            said = translate(error.message, error.params)
            return self._run_page(importing.load(actor, pk), [said], error.status)
        flash(
            gettext(
                "Imported: %(new)s new, %(changed)s changed.", new=run.new_count, changed=run.changed_count
            ),
            "success",
        )
        return redirect(url_for("ImportView.run", pk=pk))

    @expose("/run/<int:pk>/discard", methods=["POST"])
    @has_access
    @permission_name("discard")
    def discard(self, pk: int) -> ResponseReturnValue:
        """Give a preview up."""
        run = importing.discard(current_actor(), pk)
        flash(gettext("Nothing was imported."), "info")
        return redirect(url_for("ImportView.upload", key=run.list_key))

    @expose("/run/<int:pk>/file")
    @has_access
    @permission_name("file")
    def file(self, pk: int) -> Response:
        """The file as it was uploaded, always to be saved."""
        run, content = importing.open_file(current_actor(), pk)
        response = send_file(content, mimetype="application/octet-stream")
        response.headers.update(download.headers(run.file_name, run.size))
        return response

    @expose("/run/<int:pk>/wrong")
    @has_access
    @permission_name("wrong")
    def wrong(self, pk: int) -> Response:
        """The wrong rows with their reasons, as a workbook to correct and upload again."""
        actor = current_actor()
        run = importing.load(actor, pk)
        reader = RowReader.of(run)
        rows = importing.wrong_rows(current_session(), run)
        reasons = {row.row_no: "；".join(reader.problems(row)) for row in rows}
        _, book = importing.wrong_workbook(actor, pk, reader_language(), reasons)
        return _workbook(book, gettext("Rows to correct: %(name)s", name=run.file_name.rpartition(".")[0]))

    def _upload_page(self, importable: Importable, errors: Sequence[str] = (), status: int = 200) -> Response:
        menu_endpoint("ImportView.index")
        title = gettext("Import: %(list)s", list=gettext(importable.label))
        add_crumb(gettext(importable.label))
        columns = importable.columns(current_session())
        language = reader_language()
        page = self.render_template(
            "importing/upload.html",
            title=title,
            key=importable.key,
            errors=errors,
            columns=[
                {
                    "header": column.header(language),
                    "required": column.required,
                    "hint": gettext(column.hint) if column.hint else "",
                }
                for column in columns
            ],
            has_amounts=any(column.header("zh") != column.headers["zh"] for column in columns),
        )
        return make_response(page, status)

    def _run_page(self, run: ImportRun, errors: Sequence[str] = (), status: int = 200) -> Response:
        menu_endpoint("ImportView.index")
        add_crumb(gettext("Import records"), url_for("ImportRunView.list"))
        add_crumb(run.file_name)
        counts = {
            RowState.NEW: run.new_count,
            RowState.CHANGED: run.changed_count,
            RowState.UNCHANGED: run.unchanged_count,
            RowState.WRONG: run.wrong_count,
        }
        waiting = run.state is ImportState.PREVIEWED
        # What is wrong is what has to be dealt with first.
        first = RowState.WRONG.value if waiting and run.wrong_count else ALL
        asked = request.args.get("state", first)
        state = RowState.__members__.get(asked)
        total = counts[state] if state is not None else sum(counts.values())
        page = _page_number(total)
        rows = importing.page_of(current_session(), run, state, (page - 1) * PAGE_SIZE, PAGE_SIZE)
        reader = RowReader.of(run)
        html = self.render_template(
            "importing/run.html",
            title=gettext("Import: %(list)s", list=reader.label),
            run=run,
            waiting=waiting,
            done=run.state is ImportState.DONE,
            mine=run.created_by_id == current_actor().user_id,
            size=size_text(run.size),
            errors=errors,
            notices=[translate(each["message"], each["params"]) for each in run.notices],
            tabs=_tabs(run, counts, state),
            rows=[reader.row(row) for row in rows],
            pagination=Pagination(
                page,
                PAGE_SIZE,
                total,
                lambda page: url_for("ImportView.run", pk=run.id, state=state or ALL, page=page),
            ),
        )
        return make_response(html, status)


def _tabs(run: ImportRun, counts: dict[RowState, int], chosen: RowState | None) -> Iterable[dict[str, Any]]:
    """The counts, each a link to its rows."""
    every: list[tuple[RowState | None, str, int, str]] = [
        (None, gettext("All rows"), sum(counts.values()), "secondary"),
        *((state, gettext(state.label), count, state.colour) for state, count in counts.items()),
    ]
    return [
        {
            "label": label,
            "count": count,
            "colour": colour,
            "active": state is chosen,
            "href": url_for("ImportView.run", pk=run.id, state=state or ALL),
        }
        for state, label, count, colour in every
    ]


def _page_number(total: int) -> int:
    asked = request.args.get("page", type=int, default=1)
    return min(max(asked, 1), max(1, -(-total // PAGE_SIZE)))


def _workbook(book: Any, name: str) -> Response:
    size = len(book.getbuffer())
    response = send_file(book, mimetype=EXCEL)
    response.headers.update(download.headers(f"{name}.xlsx", size))
    return response
