"""机构管理: the tree of organisations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask_babel import lazy_gettext

from app.core.enums import UnitKind
from app.core.xlsx import ColumnKind
from app.models.unit import Unit
from app.services import unit
from app.services.unit_of_work import current_session
from app.views.actor import current_actor
from app.views.base import Column, ScopedInterface, TextField, enum_choice
from app.views.base.cells import TreeColumn, yes_no_field
from app.views.base.configuration import ConfigurationView, Options


class UnitView(ConfigurationView):
    """The tree of organisations, kept by the system administrator."""

    datamodel = ScopedInterface(Unit)
    table = unit.TABLE
    title = lazy_gettext("Organisations")
    add_label = lazy_gettext("Add an organisation")
    form_template = "configuration/unit.html"
    labels = {
        "code": lazy_gettext("Code"),
        "name": lazy_gettext("Name"),
        "short_name": lazy_gettext("Short name"),
        "kind": lazy_gettext("Kind of organisation"),
        "parent_id": lazy_gettext("Belongs to"),
        "uscc": lazy_gettext("Unified credit code"),
        "sort": lazy_gettext("Order"),
        "active": lazy_gettext("In use"),
    }
    hints = {
        "code": lazy_gettext("Given once; programs and old documents know the organisation by it."),
        "name": lazy_gettext("After a rename, old documents go on printing the name of their time."),
        "sort": lazy_gettext("Smaller numbers come first among those at the same place."),
    }
    pickers = frozenset({"parent_id"})
    default_sort = "name"
    has_units = False  # the list is the tree
    columns = (
        TreeColumn(
            "name", lazy_gettext("Name"), Unit.path + " " + Unit.name, path=Unit.path, link=True, nowrap=True
        ),
        Column("short_name", lazy_gettext("Short name"), Unit.short_name),
        Column("code", lazy_gettext("Code"), Unit.code, nowrap=True),
        Column("kind", lazy_gettext("Kind of organisation"), Unit.kind, enum=UnitKind),
        Column("uscc", lazy_gettext("Unified credit code"), Unit.uscc, visible=False),
        Column("sort", lazy_gettext("Order"), Unit.sort, kind=ColumnKind.INTEGER, visible=False),
        Column("active", lazy_gettext("In use"), Unit.active),
        Column("is_demo", lazy_gettext("Demonstration data"), Unit.is_demo),
    )
    fields = (
        TextField("q", lazy_gettext("Name or code"), columns=(Unit.name, Unit.short_name, Unit.code)),
        enum_choice("kind", lazy_gettext("Kind of organisation"), Unit.kind, UnitKind),
        yes_no_field("active", lazy_gettext("In use"), Unit.active),
    )

    def options(self, name: str, row: Any | None) -> Options:
        """The tree, without the unit itself and what is below it."""
        places = unit.tree(
            current_session(),
            current_actor(),
            keep=row.parent_id if row is not None else None,
            without_below=row.path if row is not None else "",
        )
        return [(str(place.id), "\u3000" * place.depth + place.name) for place in places]

    def shown(self, name: str, value: Any) -> str:
        if name == "parent_id" and value not in (None, ""):
            parent = current_session().get(Unit, int(value))
            return parent.name if parent else str(value)
        return super().shown(name, value)

    def beside_form(self, row: Any | None) -> Mapping[str, Any]:
        return {"names": unit.names(current_session(), row.id) if row is not None else []}
