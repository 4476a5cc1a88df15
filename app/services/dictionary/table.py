"""How entries of dictionaries are written (services/configuration.py)."""

from __future__ import annotations

import re

from sqlalchemy import literal, select
from sqlalchemy.orm import Session

from app.core.errors import Problem
from app.models.dictionary import DictItem, DictType
from app.services.configuration import Problems, Table, Values
from app.services.dictionary.items import CHILDREN_IN, in_use

_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,39}")
_PARENT_IN = {child: parent for parent, child in CHILDREN_IN.items()}


def _check(session: Session, row: DictItem, values: Values) -> Problems:
    problems: Problems = {}
    type_code = values.get("type_code", row.type_code)
    if "type_code" in values and session.get(DictType, type_code) is None:
        problems["type_code"] = [Problem.of("There is no such dictionary.")]
    if "code" in values and not _CODE.fullmatch(values["code"]):
        problems["code"] = [Problem.of("A code has letters, digits, hyphens, dots and underlines only.")]
    if parent := values.get("parent_code"):
        above = select(literal(1)).where(
            DictItem.type_code == _PARENT_IN.get(type_code, type_code), DictItem.code == parent
        )
        if parent == values.get("code", row.code) or session.scalar(above.limit(1)) is None:
            problems["parent_code"] = [Problem.of("There is no such entry above.")]
    return problems


def _used(session: Session, row: DictItem) -> bool:
    below = select(literal(1)).where(
        DictItem.type_code == CHILDREN_IN.get(row.type_code, row.type_code), DictItem.parent_code == row.code
    )
    return in_use(session, row.type_code, row.code) or session.scalar(below.limit(1)) is not None


ITEMS = Table(
    model=DictItem,
    event="DICTIONARY_CHANGED",
    fields=("type_code", "code", "parent_code", "label_zh", "label_en", "sort", "active", "source"),
    fixed=frozenset({"type_code", "code"}),
    check=_check,
    used=_used,
    name_of=lambda item: f"{item.type_code}.{item.code} {item.label_zh}",
)
"""An entry's dictionary and code are given once: documents keep the code."""
