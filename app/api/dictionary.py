"""数据字典 for programs: every dictionary with its entries, whose codes the documents carry."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Response

from app.access import policy
from app.api.base import ReadApi, current_actor
from app.api.document import Operation, Schema, page_of, record_of, route
from app.api.fields import Field, FieldSet
from app.api.kinds import FLAG, TEXT, WHOLE, WORDS
from app.api.listing import Source
from app.core.errors import NotFound
from app.models.dictionary import DictItem, DictType
from app.services.unit_of_work import current_session

_ITEM = FieldSet(
    (
        Field("code", WORDS),
        Field("parent_code", WORDS),
        Field("label_zh", WORDS),
        Field("label_en", WORDS),
        Field("sort", WHOLE),
        Field("active", FLAG),
        Field("source", WORDS),
    )
)


class DictionaryApi(ReadApi):
    """`/api/v1/dictionary/`, read by every logged-in user; a dictionary is known by its code.

    Entries no longer in use are there too (`active` false): old documents carry them.
    """

    noun = "dictionary"
    model = DictType
    component = "Dictionary"
    open_to_everyone = True
    default_order = "code"
    default_page_size = 100
    include_route_methods = {"get_list", "get_one"}
    fields = FieldSet(
        (
            Field("code", TEXT, DictType.code),
            Field("label_zh", TEXT, DictType.label_zh),
            Field("label_en", TEXT, DictType.label_en),
        )
    )

    @route("GET", "/<string:code>", "read", "One dictionary")
    def get_one(self, code: str) -> Response:
        """One dictionary with its entries."""
        session = current_session()
        if code.isprintable():
            known = policy.scoped(current_actor(), DictType).where(DictType.code == code)
            row = session.scalars(known).first()
            if row is not None:
                found = [self.fields.record(row)]
                self.complete(found)
                return self.answer(id=code, result=found[0])
        raise NotFound

    def source(self, verb: str) -> Source:
        return Source(DictType, policy.criterion(current_actor(), DictType, verb), DictType.code)

    def complete(self, rows: list[dict[str, Any]]) -> None:
        """The entries of every dictionary on the page, in one statement."""
        items: dict[str, list[dict[str, Any]]] = {row["code"]: [] for row in rows if "code" in row}
        statement = (
            policy.scoped(current_actor(), DictItem)
            .where(DictItem.type_code.in_(items))
            .order_by(DictItem.type_code, DictItem.sort, DictItem.id)
        )
        for item in current_session().scalars(statement):
            items[item.type_code].append(_ITEM.record(item))
        for row in rows:
            if "code" in row:
                row["items"] = items[row["code"]]

    def schemas(self) -> Mapping[str, Schema]:
        described = self.fields.schema()
        items = {"type": "array", "items": _ITEM.schema()}
        return {self.component: {**described, "properties": {**described["properties"], "items": items}}}

    def operation(self, name: str) -> Operation:
        key = {"type": "string"}
        answers = {"get_list": page_of(self.component, key), "get_one": record_of(self.component, key)}
        return self.operations[name].answering(answers[name])
