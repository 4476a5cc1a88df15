"""机构 for programs: the tree of organisations, with the names they bore."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.orm import selectinload
from sqlalchemy.sql.base import ExecutableOption

from app.api.base import ReadApi
from app.api.fields import Field, FieldSet
from app.api.kinds import DAY, FLAG, ID, MOMENT, TEXT, WHOLE, WORDS, choice
from app.core.enums import UnitKind
from app.models.unit import Unit


class UnitApi(ReadApi):
    """`/api/v1/unit/`, read by every logged-in user."""

    noun = "unit"
    model = Unit
    component = "Unit"
    open_to_everyone = True
    default_order = "sort"
    include_route_methods = {"get_list", "get"}
    fields = FieldSet(
        (
            Field("id", ID, Unit.id),
            Field("code", TEXT, Unit.code),
            Field("name", TEXT, Unit.name),
            Field("short_name", TEXT, Unit.short_name),
            Field("kind", choice(UnitKind), Unit.kind),
            Field("parent.id", ID, Unit.parent_id, attribute="parent_id"),
            Field("path", TEXT, Unit.path),
            Field("sort", WHOLE, Unit.sort),
            Field("active", FLAG, Unit.active),
            Field("uscc", TEXT, Unit.uscc),
            Field("updated_at", MOMENT, Unit.updated_at),
        )
    )

    tables = {
        "names": FieldSet((Field("name", WORDS), Field("valid_from", DAY), Field("valid_to", DAY))),
    }

    def options(self) -> Sequence[ExecutableOption]:
        return (selectinload(Unit.names),)
