"""数据字典管理: the entries of every dictionary."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext
from sqlalchemy import select

from app.core.xlsx import ColumnKind
from app.models.dictionary import DictItem, DictType
from app.services.dictionary.table import ITEMS
from app.services.unit_of_work import current_session
from app.views.base import ChoiceField, Column, ScopedInterface, TextField
from app.views.base.cells import bilingual, in_english, yes_no_field
from app.views.base.configuration import ConfigurationView, Options


def _dictionaries() -> Options:
    label = DictType.label_en if in_english() else DictType.label_zh
    rows = current_session().execute(select(DictType.code, label).order_by(label))
    return [(code, name) for code, name in rows]


class DictionaryView(ConfigurationView):
    """Entries of dictionaries: their codes never change, and one in use is deactivated, never deleted."""

    datamodel = ScopedInterface(DictItem)
    table = ITEMS
    title = lazy_gettext("Dictionaries")
    add_label = lazy_gettext("Add an entry")
    labels = {
        "type_code": lazy_gettext("Dictionary"),
        "code": lazy_gettext("Code"),
        "parent_code": lazy_gettext("Code of the entry above"),
        "label_zh": lazy_gettext("Chinese label"),
        "label_en": lazy_gettext("English label"),
        "sort": lazy_gettext("Order"),
        "active": lazy_gettext("In use"),
        "source": lazy_gettext("Source"),
    }
    hints = {
        "code": lazy_gettext("Given once; documents keep the code, people see the label."),
        "source": lazy_gettext("Whose rule this entry comes from; 待核对 where nobody has checked it yet."),
        "sort": lazy_gettext("Smaller numbers come first."),
    }
    pickers = frozenset({"type_code"})
    joins = (DictItem.type,)
    default_sort = "type,sort"
    page_size = 50
    columns = (
        bilingual("type", lazy_gettext("Dictionary"), DictType.label_zh, DictType.label_en),
        Column("code", lazy_gettext("Code"), DictItem.code, nowrap=True),
        Column("label_zh", lazy_gettext("Chinese label"), DictItem.label_zh, link=True),
        Column("label_en", lazy_gettext("English label"), DictItem.label_en),
        Column("parent_code", lazy_gettext("Code of the entry above"), DictItem.parent_code, nowrap=True),
        Column("sort", lazy_gettext("Order"), DictItem.sort, kind=ColumnKind.INTEGER),
        Column("active", lazy_gettext("In use"), DictItem.active),
        Column("source", lazy_gettext("Source"), DictItem.source),
    )
    fields = (
        ChoiceField("type", lazy_gettext("Dictionary"), column=DictItem.type_code, options=_dictionaries),
        TextField(
            "q", lazy_gettext("Code or label"), columns=(DictItem.code, DictItem.label_zh, DictItem.label_en)
        ),
        yes_no_field("active", lazy_gettext("In use"), DictItem.active),
    )

    def options(self, name: str, row: Any | None) -> Options:
        return _dictionaries()
