"""Flask-AppBuilder's security manager, answering from the actor of the request.

Plain Flask-AppBuilder keeps the session in a signed cookie (log-out ends nothing), lets its JSON log-in try
passwords without limit, and asks the database about every button and menu entry. Here a cookie or token only
names a session on the server, all ways in share one service, and every question about permissions is
answered from the grants that the request already holds.
"""

from __future__ import annotations

import logging
from typing import Any

from flask import Flask, abort, flash, g, jsonify, make_response, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_appbuilder.security.sqla.manager import SecurityManager
from flask_babel import gettext
from flask_jwt_extended import JWTManager, decode_token
from flask_jwt_extended.exceptions import JWTExtendedException
from flask_login import LoginManager, current_user
from jwt.exceptions import PyJWTError
from sqlalchemy.exc import OperationalError

from app.models.user import AppUser
from app.services import access, session
from app.services.access import PERMISSION_PREFIX
from app.services.session import SessionUser
from app.services.unit_of_work import current_session
from app.views.actor import client_address, current_actor
from app.views.errors import wants_json
from app.views.security.language import LanguageView
from app.views.security.login import LoginView
from app.views.security.panel import PasswordView, ProfileView
from app.views.security.token import TokenApi

logger = logging.getLogger(__name__)

SESSION_CLAIM = "sid"
"""The claim of an API token that names its session on the server."""

_OPEN_TO_ALL_LOGGED_IN = frozenset({("can_get", "OpenApi"), ("can_show", "SwaggerView")})
_READING = frozenset({"GET", "HEAD", "OPTIONS"})
_WITHOUT_ACTOR = frozenset({"static", "appbuilder.static"})
_BEFORE_PASSWORD_CHANGE = frozenset(
    {"PasswordView.index", "LoginView.logout", "LoginView.login", "LanguageView.switch", "TokenApi.logout"}
)


class OfficeSecurityManager(SecurityManager):
    """Who is asking, and what he may; registered by `create_app`."""

    user_model = AppUser

    def register_views(self) -> None:
        """Our own views only: Flask-AppBuilder's let an administrator give himself anything, unlogged."""
        self.auth_view = self.appbuilder.add_view_no_menu(LoginView())
        self.appbuilder.add_view_no_menu(LanguageView)
        self.appbuilder.add_view_no_menu(PasswordView)
        self.appbuilder.add_view_no_menu(ProfileView)
        self.appbuilder.add_api(TokenApi)

    def create_db(self) -> None:
        """Nothing: tables come from migrations and roles from the seed; no account exists by default."""

    # -- who is asking ----------------------------------------------------------------------------------

    def create_login_manager(self, app: Flask) -> LoginManager:
        """Flask-Login over our sessions: what it calls a user id is the key of a session."""
        manager = LoginManager(app)
        # Its own protection compares browsers; the session on the server is what is trusted here.
        manager.session_protection = None
        manager.user_loader(self.load_user)
        manager.request_loader(lambda _request: self.load_user(""))
        manager.unauthorized_handler(_to_login)
        return manager

    def create_jwt_manager(self, app: Flask) -> JWTManager:
        """Tokens for programs; every refusal is a 401 in the shape of our errors."""
        manager = JWTManager(app)
        manager.user_lookup_loader(self.load_user_jwt)
        manager.user_lookup_error_loader(lambda _header, _claims: _refuse_token())
        manager.invalid_token_loader(lambda _why: _refuse_token())
        manager.unauthorized_loader(lambda _why: _refuse_token())
        manager.expired_token_loader(lambda _header, _claims: _refuse_token())
        return manager

    def load_user(self, pk: str) -> SessionUser | None:
        """The user of a session's key. A request with a token is its token's, whatever cookie it carries; in
        the API, which asks for no CSRF token, a cookie alone changes nothing."""
        token = _bearer()
        if token is not None:
            return self._resolve(_session_key(token))
        return self._resolve(pk) if _may_use_cookie() else None

    def load_user_jwt(self, _jwt_header: Any, jwt_data: Any) -> SessionUser | None:
        """The user of an API token, while its session lasts."""
        return self._resolve(str(jwt_data.get(SESSION_CLAIM, "")))

    def _resolve(self, key: str) -> SessionUser | None:
        if not key:
            return None
        found: tuple[str, SessionUser | None] | None = g.get("resolved_session")
        if found is None or found[0] != key:
            g.resolved_session = found = (key, session.resolve(current_session(), key))
        return found[1]

    def before_request(self) -> ResponseReturnValue | None:
        """Make the actor, once; whoever must change his password gets to that page first."""
        g.user = current_user
        g.actor = None
        if request.endpoint in _WITHOUT_ACTOR or not current_user.is_authenticated:
            return None
        user: SessionUser = current_user._get_current_object()
        try:
            session.touch(user)
        except OperationalError:
            # A busy database must not cost the reader his page; the next request notes it.
            logger.warning("session %s could not be noted as seen", user.session_id)
        database = current_session()
        g.actor = session.actor_of(database, user, client_address())
        g.roles = access.holdings_of(database, user.id, user.access_version).roles
        if user.must_change_password and request.endpoint not in _BEFORE_PASSWORD_CHANGE:
            return _change_password_first()
        return None

    # -- what he may ------------------------------------------------------------------------------------

    def has_access(self, permission_name: str, view_name: str) -> bool:
        """Does the actor hold it? `can_read` on `declaration` is the grant `declaration.read`.

        A visitor is sent to the log-in page, without the "Access is Denied" that plain
        Flask-AppBuilder greets him with there.
        """
        if not current_user.is_authenticated:
            abort(make_response(_to_login()))
        if (permission_name, view_name) in _OPEN_TO_ALL_LOGGED_IN:
            return True
        return current_actor().holds(view_name, permission_name.removeprefix(PERMISSION_PREFIX))

    def is_item_public(self, permission_name: str, view_name: str) -> bool:
        """Nothing is: what the public may see is not behind a permission at all."""
        return False

    def get_user_menu_access(self, menu_names: list[str] | None = None) -> set[str]:
        """None of Flask-AppBuilder's menu: ours is in the database (services/menu.py)."""
        return set()

    def get_user_permissions(self, user: Any) -> set[tuple[str, str]]:
        """The actor's grants as Flask-AppBuilder writes them."""
        pairs = (grant.rsplit(".", 1) for grant in current_actor().grants)
        return {(f"{PERMISSION_PREFIX}{verb}", noun) for noun, verb in pairs}

    # -- doors that stay shut ---------------------------------------------------------------------------

    def _shut(self, *_args: Any, **_kwargs: Any) -> Any:
        """These would let in, or change users and roles, past the lock, the log and the unit of work."""
        raise NotImplementedError("closed; services/login.py and services/user.py are the ways")

    auth_user_db = auth_user_ldap = auth_user_oauth = auth_user_remote_user = auth_user_saml = _shut
    add_user = update_user = reset_password = add_register_user = _shut
    add_role = update_role = add_group = _shut
    create_api_key = validate_api_key = _shut


def _bearer() -> str | None:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def _session_key(token: str) -> str:
    try:
        claims = decode_token(token)
    except (PyJWTError, JWTExtendedException):
        return ""
    return str(claims.get(SESSION_CLAIM, "")) if claims.get("type") == "access" else ""


def _may_use_cookie() -> bool:
    return request.method in _READING or not request.path.startswith("/api/")


def _refuse_token() -> ResponseReturnValue:
    return jsonify(message=gettext("Log in first: this token is missing, over or not valid.")), 401


def _to_login() -> ResponseReturnValue:
    if wants_json():
        return _refuse_token()
    wanted = request.full_path.rstrip("?") if request.method == "GET" else None
    return redirect(url_for("LoginView.login", next=wanted))


def _change_password_first() -> ResponseReturnValue:
    if wants_json():
        return jsonify(message=gettext("Change your password in the browser first.")), 403
    flash(gettext("Choose a password of your own before you go on."), "warning")
    return redirect(url_for("PasswordView.index"))
