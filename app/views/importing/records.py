"""导入记录: the list of every import."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask_babel import gettext, lazy_gettext

from app.core.xlsx import ColumnKind
from app.models.importing import ImportRun, ImportState
from app.services import importing
from app.views.base import ChoiceField, Column, DateRange, OfficeView, ScopedInterface, TextField, enum_choice
from app.views.base.columns import Labels
from app.views.base.listing import PageAction


@dataclass(frozen=True)
class ListColumn(Column):
    """Which list was imported, by its name."""

    def text(self, value: Any, labels: Labels) -> Any:
        kind = importing.importables().get(value)
        return gettext(kind.label) if kind else value


def _lists() -> list[tuple[str, str]]:
    return [(key, gettext(kind.label)) for key, kind in importing.importables().items()]


class ImportRunView(OfficeView):
    """导入记录: who imported which file when, with what result."""

    datamodel = ScopedInterface(ImportRun)
    noun = "import"
    title = lazy_gettext("Import records")
    route_base = "/import/records"
    export_verb = "export"
    method_permission_name = {"export": "read"}
    show_endpoint = "ImportView.run"
    default_sort = "-created_at"
    columns = (
        Column("created_at", lazy_gettext("Time"), ImportRun.created_at, ColumnKind.DATETIME, link=True),
        ListColumn("list", lazy_gettext("List"), ImportRun.list_key, nowrap=True),
        Column("file_name", lazy_gettext("File"), ImportRun.file_name, css="title"),
        Column("user_name", lazy_gettext("By"), ImportRun.user_name, nowrap=True),
        Column("state", lazy_gettext("State"), ImportRun.state, enum=ImportState),
        Column("new_count", lazy_gettext("New"), ImportRun.new_count, ColumnKind.INTEGER),
        Column("changed_count", lazy_gettext("Changed"), ImportRun.changed_count, ColumnKind.INTEGER),
        Column("unchanged_count", lazy_gettext("Unchanged"), ImportRun.unchanged_count, ColumnKind.INTEGER),
        Column("wrong_count", lazy_gettext("Wrong"), ImportRun.wrong_count, ColumnKind.INTEGER),
        Column("confirmed_at", lazy_gettext("Imported at"), ImportRun.confirmed_at, ColumnKind.DATETIME),
        Column("sha256", "SHA-256", ImportRun.sha256, css="code", visible=False, sortable=False),
    )
    fields = (
        ChoiceField("list", lazy_gettext("List"), column=ImportRun.list_key, options=_lists),
        enum_choice("state", lazy_gettext("State"), ImportRun.state, ImportState),
        TextField("file", lazy_gettext("File"), columns=(ImportRun.file_name,)),
        TextField("user", lazy_gettext("By"), columns=(ImportRun.user_name,)),
        DateRange("created", lazy_gettext("Time"), column=ImportRun.created_at, moment=True),
    )
    page_actions = (
        PageAction(lazy_gettext("Data import"), "ImportView.index", "import", "read", "ti-upload"),
    )
