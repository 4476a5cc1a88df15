"""Flask-AppBuilder's data interface with its holes closed: rows only through the scope, no writes."""

from __future__ import annotations

from typing import Any, NoReturn

from flask_appbuilder.models.sqla.interface import SQLAInterface

from app.access import policy
from app.services.unit_of_work import current_session
from app.views.actor import current_actor


class ScopedInterface(SQLAInterface):
    """Reads go through the policy; writes belong to the services.

    Flask-AppBuilder's own interface loads any row whose id is asked for and commits by itself.
    """

    def get(
        self, id: Any, filters: Any = None, select_columns: Any = None, outer_default_load: bool = False
    ) -> Any:
        """The row within the actor's scope, or None."""
        if not str(id).isdigit():
            return None
        statement = policy.scoped(current_actor(), self.obj).where(self.obj.id == int(id))
        return current_session().scalars(statement).unique().one_or_none()

    def get_related_obj(self, col_name: str, value: Any) -> Any:
        """The related row within the actor's scope, or None: a picker accepts no id from outside it."""
        model = self.get_related_model(col_name)
        if not str(value).isdigit():
            return None
        statement = policy.scoped(current_actor(), model).where(model.id == int(value))
        return current_session().scalars(statement).unique().one_or_none()

    def add(self, item: Any, *_args: Any, **_kwargs: Any) -> NoReturn:
        self._refuse()

    def edit(self, item: Any, *_args: Any, **_kwargs: Any) -> NoReturn:
        self._refuse()

    def delete(self, item: Any, *_args: Any, **_kwargs: Any) -> NoReturn:
        self._refuse()

    def delete_all(self, items: Any) -> NoReturn:
        self._refuse()

    def _refuse(self) -> NoReturn:
        raise RuntimeError(f"{self.obj.__name__} is written by its service, not by Flask-AppBuilder")
