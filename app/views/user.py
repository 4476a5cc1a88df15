"""用户管理: people, their units, roles, groups and state."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import flash, make_response, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_appbuilder import expose
from flask_appbuilder.security.decorators import has_access, permission_name
from flask_appbuilder.security.sqla.models import Group, Role
from flask_babel import gettext, lazy_gettext
from sqlalchemy import or_, select
from sqlalchemy.orm import selectinload

from app.access import policy
from app.core.errors import InvalidInput, NotAllowed
from app.core.xlsx import ColumnKind
from app.models.unit import Unit
from app.models.user import AppUser, RoleScope
from app.services import unit, user, user_table
from app.services.unit_of_work import current_session
from app.services.user import NewUser
from app.views.actor import current_actor
from app.views.base import ChoiceField, Column, ScopedInterface, TextField
from app.views.base.cells import MobileColumn, in_english, yes_no_field
from app.views.base.configuration import ConfigurationView, Options
from app.views.base.listing import Listing, RowAction
from app.views.errors import field_errors
from app.views.shell import menu_endpoint


def _role_names() -> Options:
    label = RoleScope.label_en if in_english() else RoleScope.label_zh
    rows = current_session().execute(
        select(Role.name, label).join(RoleScope, RoleScope.role_id == Role.id).order_by(Role.id)
    )
    return [(name, text) for name, text in rows]


def _holds(names: Sequence[str]) -> Any:
    own = AppUser.roles.any(Role.name.in_(names))
    through_group = AppUser.groups.any(Group.roles.any(Role.name.in_(names)))
    return or_(own, through_group)


class UserView(ConfigurationView):
    """Users: entered and kept by the system administrator, given roles by the security administrator."""

    datamodel = ScopedInterface(AppUser)
    table = user_table.TABLE
    title = lazy_gettext("Users")
    add_label = lazy_gettext("Add a user")
    list_verb = "read"
    export_verb = "read"
    include_route_methods = ConfigurationView.include_route_methods | {"reset_password", "roles"}
    # Who may grant is asked of the service; the page itself is open to whoever sees users.
    method_permission_name = {"reset_password": "manage", "roles": "read"}
    labels = {
        "username": lazy_gettext("Username"),
        "last_name": lazy_gettext("Family name"),
        "first_name": lazy_gettext("Given name"),
        "unit_id": lazy_gettext("Organisation"),
        "position": lazy_gettext("Position"),
        "mobile": lazy_gettext("Mobile"),
        "email": lazy_gettext("E-mail"),
    }
    hints = {
        "username": lazy_gettext("Given once; letters, digits and . _ @ -"),
        "last_name": lazy_gettext("The whole name, or the family name when the given name stands beside it."),
    }
    pickers = frozenset({"unit_id"})
    joins = (AppUser.unit,)
    default_sort = "username"
    columns = (
        Column(
            "name", lazy_gettext("Full name"), AppUser.last_name + AppUser.first_name, link=True, nowrap=True
        ),
        Column("username", lazy_gettext("Username"), AppUser.username, nowrap=True),
        Column("unit", lazy_gettext("Organisation"), Unit.name),
        Column("position", lazy_gettext("Position"), AppUser.position),
        MobileColumn("mobile", lazy_gettext("Mobile"), AppUser.mobile, nowrap=True),
        Column("active", lazy_gettext("Enabled"), AppUser.active),
        Column(
            "password_changed_at",
            lazy_gettext("Password changed"),
            AppUser.password_changed_at,
            kind=ColumnKind.DATETIME,
            visible=False,
        ),
    )
    fields = (
        TextField(
            "q",
            lazy_gettext("Name or username"),
            columns=(AppUser.last_name + AppUser.first_name, AppUser.username),
        ),
        TextField("unit", lazy_gettext("Organisation"), columns=(Unit.name, Unit.short_name)),
        ChoiceField("role", lazy_gettext("Role"), options=_role_names, where=_holds),
        yes_no_field("active", lazy_gettext("Enabled"), AppUser.active),
    )

    @classmethod
    def actions_of(cls, name: str) -> tuple[RowAction, ...]:
        return (
            *super().actions_of(name),
            RowAction(
                "reset_password",
                lazy_gettext("Reset the password"),
                "manage",
                f"{name}.reset_password",
                "ti-key",
                post=True,
                confirm=lazy_gettext(
                    "Give this user a new password? The user is logged out everywhere at once."
                ),
            ),
        )

    def options(self, name: str, row: Any | None) -> Options:
        places = unit.tree(current_session(), current_actor(), keep=row.unit_id if row is not None else None)
        return [(str(place.id), "\u3000" * place.depth + place.name) for place in places]

    def shown(self, name: str, value: Any) -> str:
        if name == "unit_id" and value not in (None, ""):
            row = current_session().get(Unit, int(value))
            return row.name if row else str(value)
        return super().shown(name, value)

    def create(self, values: Mapping[str, Any]) -> ResponseReturnValue:
        """Enter the user and show his first password, once."""
        given: dict[str, Any] = {name: (value or "").strip() for name, value in values.items()}
        given["unit_id"] = int(given["unit_id"]) if given["unit_id"] else None
        row, secret = user.create_user(current_actor(), NewUser(**given))
        return self._handed_over(row, secret)

    def switch(self, pk: int, *, active: bool) -> Any:
        (user.enable if active else user.disable)(current_actor(), pk)
        return policy.load(current_session(), current_actor(), AppUser, pk)

    @expose("/reset-password/<int:pk>", methods=["POST"])
    @has_access
    @permission_name("reset_password")
    def reset_password(self, pk: int) -> ResponseReturnValue:
        """A new random password, shown once."""
        secret = user.reset_password(current_actor(), pk)
        return self._handed_over(policy.load(current_session(), current_actor(), AppUser, pk), secret)

    def _handed_over(self, row: AppUser, secret: str) -> ResponseReturnValue:
        # On the page of the answer itself: a redirect would carry the password through a cookie.
        menu_endpoint("UserView.list")
        page = self.render_template(
            "configuration/password.html",
            title=row.full_name,
            row=row,
            secret=secret,
            back_href=url_for("UserView.list"),
        )
        return make_response(page)

    @expose("/roles/<int:pk>", methods=["GET", "POST"])
    @has_access
    @permission_name("roles")
    def roles(self, pk: int) -> ResponseReturnValue:
        """The roles and groups of a user, changed by the security administrator."""
        actor, session = current_actor(), current_session()
        if not actor.holds("role", "manage"):
            raise NotAllowed("Roles are granted by the security administrator.")
        loading = (selectinload(AppUser.roles), selectinload(AppUser.groups))
        row: AppUser = policy.load(session, actor, AppUser, pk, options=loading)
        chosen_roles = {role.name for role in row.roles}
        chosen_groups = {str(group.id) for group in row.groups}
        errors: list[str] = []
        if request.method == "POST":
            chosen_roles, chosen_groups = (
                set(request.form.getlist("roles")),
                set(request.form.getlist("groups")),
            )
            ids = [int(text) for text in chosen_groups if text.isdigit() and len(text) < 10]
            try:
                user.set_roles(actor, pk, chosen_roles, ids)
            except InvalidInput as error:
                errors = [text for texts in field_errors(error).values() for text in texts]
            else:
                flash(
                    gettext("The roles of %(name)s were saved.", name=row.full_name),
                    "success",
                )
                return redirect(url_for("UserView.list"))
        menu_endpoint("UserView.list")
        groups = session.execute(select(Group.id, Group.label, Group.name).order_by(Group.name)).all()
        page = self.render_template(
            "configuration/roles.html",
            title=gettext("Roles of %(name)s", name=row.full_name),
            row=row,
            roles=[(name, label, name in chosen_roles) for name, label in _role_names()],
            groups=[(id_, label or name, str(id_) in chosen_groups) for id_, label, name in groups],
            errors=errors,
            back_href=url_for("UserView.list"),
        )
        return make_response(page, 400 if errors else 200)

    def listing(self) -> Listing:
        """The list; granting roles is offered to whoever may."""
        listing = super().listing()
        actor = current_actor()
        if actor.holds("role", "manage"):
            label = gettext("Roles and groups")
            for row in listing.rows:
                if row["id"] != actor.user_id:
                    href = url_for("UserView.roles", pk=row["id"])
                    row["menu"].append(
                        {"label": label, "href": href, "post": False, "icon": "ti-shield-check"}
                    )
        return listing
