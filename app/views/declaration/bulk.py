"""The same move with several rows of a list: each row tells its own result."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from flask import flash, request
from flask_babel import gettext
from sqlalchemy.orm import joinedload

from app.access import policy
from app.access.actor import Actor
from app.core.errors import DomainError, InvalidInput, NotFound, Problem
from app.models.declaration import Declaration
from app.services.unit_of_work import current_session
from app.views.errors import translate

_MOST = 200


def chosen_rows(actor: Actor, verb: str) -> Sequence[Declaration]:
    """The rows ticked on the list. One row outside the actor's scope refuses them all (`NotFound`)."""
    texts = request.form.getlist("rowid")
    if not texts or len(texts) > _MOST or not all(text.isdecimal() and len(text) < 12 for text in texts):
        raise InvalidInput({"rowid": [Problem.of("Choose 1 to %(most)s rows.", most=_MOST)]})
    ids = {int(text) for text in texts}
    statement = (
        policy.scoped(actor, Declaration, verb).where(Declaration.id.in_(ids)).order_by(Declaration.id)
    )
    rows = current_session().scalars(statement.options(joinedload(Declaration.unit))).all()
    if len(rows) != len(ids):
        raise NotFound
    return rows


def do_each(rows: Sequence[Declaration], move: Callable[[Declaration], object]) -> int:
    """Make the move with each row; those that refuse it are named with the reason. Returns how many moved."""
    done = 0
    for code, row in [(row.code, row) for row in rows]:
        try:
            move(row)
            done += 1
        except DomainError as error:
            flash(
                gettext("%(code)s: %(reason)s", code=code, reason=translate(error.message, error.params)),
                "warning",
            )
    return done
