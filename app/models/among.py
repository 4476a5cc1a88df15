"""A condition over thousands of values that costs one parameter."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from sqlalchemy import ColumnElement, Text, cast, func, literal, select
from sqlalchemy.dialects.postgresql import JSON
from sqlalchemy.orm import Session


def among(session: Session, column: Any, values: Iterable[str | int]) -> ColumnElement[bool]:
    """column IN the values: SQLite takes 32,766 parameters and PostgreSQL 65,535, and a workbook may hold
    more keys than that."""
    listed = json.dumps(list(values), ensure_ascii=False)
    if session.get_bind().dialect.name == "postgresql":
        each = func.json_array_elements_text(cast(literal(listed, Text()), JSON)).table_valued("value")
        value: ColumnElement[Any] = cast(each.c.value, column.type)
    else:
        each = func.json_each(listed).table_valued("value")
        value = each.c.value
    found: ColumnElement[bool] = column.in_(select(value))
    return found
