"""Several rows of a list at once: which are chosen, within whose scope, and what became of each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from flask import flash, redirect
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy import inspect, select
from sqlalchemy.orm import joinedload

from app.access import policy
from app.core.errors import NotAllowed, NotFound
from app.services.unit_of_work import current_session
from app.views.actor import current_actor
from app.views.base.bulk import MOST_AT_ONCE, RowResult, chosen_ids
from app.views.places import as_left
from app.views.shell import menu_endpoint


class SeveralRows:
    """The part of `OfficeView` that its bulk actions are made of."""

    datamodel: Any
    endpoint: Any
    list_query: Any
    list_verb: ClassVar[str]
    list_path: Any
    render_template: Any
    most_at_once: ClassVar[int] = MOST_AT_ONCE

    def chosen_ids(self) -> Sequence[int]:
        """The rows ticked, or all under the list's conditions, at most `most_at_once`."""
        return chosen_ids(lambda: self.list_query(self.list_verb), current_session(), self.most_at_once)

    def chosen_rows(self, verb: str) -> Sequence[Any]:
        """The same as rows. One that the actor may not read (`NotFound`), or may not do `verb` with in any
        state (`NotAllowed`), refuses them all; what only a row's state forbids is told of it by itself."""
        actor, session = current_actor(), current_session()
        model, ids = self.datamodel.obj, self.chosen_ids()
        chosen = model.id.in_(ids)
        statement = policy.scoped(actor, model).where(chosen).order_by(model.id)
        if "unit" in inspect(model).relationships:
            statement = statement.options(joinedload(model.unit))
        rows = session.scalars(statement).unique().all()
        if len(rows) != len(ids):
            raise NotFound
        within = set(session.scalars(select(model.id).where(chosen, policy.criterion(actor, model, verb))))
        for row in rows:
            why = None if row.id in within else policy.rule(model, verb).refusal(actor, row)
            if isinstance(why, NotAllowed):
                raise why
        return rows

    def tell_results(
        self,
        results: Sequence[RowResult],
        title: str,
        *,
        always: bool = False,
        subtitle: str = "",
        back: str = "",
    ) -> ResponseReturnValue:
        """What became of each row: a page with the refused ones first; when nothing was refused a line above
        the list will do, unless it is `always` a page."""
        done = sum(result.ok for result in results)
        if done == len(results) and not always:
            flash(gettext("%(title)s: %(done)s done.", title=title, done=done), "success")
            return redirect(self.list_path())
        menu_endpoint(f"{self.endpoint}.list")
        return self.render_template(
            "list/results.html",
            title=title,
            subtitle=subtitle,
            results=sorted(results, key=lambda result: result.ok),
            done=done,
            list_href=as_left(self.list_path()),
            back=back,
        )
