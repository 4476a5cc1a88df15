"""委托代理 for programs: the appointments one made, received or administers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Response
from sqlalchemy.orm import joinedload
from sqlalchemy.sql.base import ExecutableOption

from app.access import policy
from app.api.base import ReadApi, current_actor
from app.api.body import Key, json_object, read_keys, schema_of
from app.api.document import WRITE_ERRORS, Operation, Schema, record_of, route
from app.api.fields import Field, FieldSet
from app.api.kinds import DAY, ID, MOMENT, WORDS, Whole
from app.core.errors import InvalidInput, Problem
from app.models.flow import AgentAppointment
from app.services import review
from app.services.reading import Day
from app.services.unit_of_work import current_session

_DAY = {"type": "string", "format": "date"}
_NEW = (
    Key("agent", Whole(1), {"type": "integer", "description": "A user who reviews"}, required=True),
    Key("date_from", Day(), _DAY, required=True),
    Key("date_to", Day(), {**_DAY, "description": "The last day, included"}, required=True),
    Key(
        "principal",
        Whole(1),
        {"type": "integer", "description": "The absent user; needs the grant `task.reassign`. Else oneself"},
    ),
)


class AgentApi(ReadApi):
    """`/api/v1/agent/`: who acts for whom, from a day to a day. What an agent does with a task of another is
    done by the task's own verbs."""

    noun = "agent"
    model = AgentAppointment
    component = "Agent"
    open_to_everyone = True
    default_order = "-date_from"
    include_route_methods = {"get_list", "get", "post", "revoke"}
    fields = FieldSet(
        (
            Field("id", ID, AgentAppointment.id),
            Field("principal.id", ID, AgentAppointment.principal_id, attribute="principal_id"),
            Field("agent.id", ID, AgentAppointment.agent_id, attribute="agent_id"),
            Field("date_from", DAY, AgentAppointment.date_from),
            Field("date_to", DAY, AgentAppointment.date_to),
            Field("revoked_at", MOMENT, AgentAppointment.revoked_at),
            Field("created_at", MOMENT, AgentAppointment.created_at),
        )
    )

    def options(self) -> tuple[ExecutableOption, ...]:
        return (joinedload(AgentAppointment.principal), joinedload(AgentAppointment.agent))

    @route("POST", "/", "create", "Name an agent", body=schema_of(_NEW), status=201, errors=WRITE_ERRORS)
    def post(self) -> Response:
        """Name an agent for oneself, or for an absent colleague. 409 says what forbids it."""
        wish = read_keys(json_object(), _NEW)
        try:
            row = review.appoint(
                current_actor(),
                wish["agent"],
                wish["date_from"],
                wish["date_to"],
                principal_id=wish["principal"],
            )
        except InvalidInput as error:
            raise InvalidInput(_spoken(error.fields), error.message, **error.params) from error
        return self.answer(201, id=row.id, result=self.record(row.id))

    @route(
        "POST",
        "/<int:pk>/revoke",
        "revoke",
        "Revoke",
        body=schema_of(()),
        answer=record_of("Agent"),
        errors=WRITE_ERRORS,
    )
    def revoke(self, pk: int) -> Response:
        """End an appointment at once."""
        read_keys(json_object(), ())
        review.revoke(current_actor(), pk)
        return self.answer(id=pk, result=self.record(pk))

    def record(self, pk: int) -> dict[str, Any]:
        """The appointment with the names of both."""
        row = policy.load(current_session(), current_actor(), AgentAppointment, pk, options=self.options())
        return _RECORD.record(row)

    def schemas(self) -> Mapping[str, Schema]:
        return {**super().schemas(), "Agent": _RECORD.schema()}

    def operation(self, name: str) -> Operation:
        operation = super().operation(name)
        return operation.answering(record_of("Agent")) if operation.answer is None else operation


def _spoken(fields: Mapping[str, list[Problem]]) -> dict[str, list[Problem]]:
    """Fields by the names of this resource."""
    return {name.removesuffix("_id"): problems for name, problems in fields.items()}


_RECORD = FieldSet(
    (
        *AgentApi.fields.fields,
        Field("principal.name", WORDS, attribute="principal.full_name"),
        Field("agent.name", WORDS, attribute="agent.full_name"),
    )
)
"""A single appointment says the names too."""
