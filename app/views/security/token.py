"""Tokens for programs: the same log-in, the same lock, a session on the server behind every token."""

from __future__ import annotations

from typing import Any

from flask import current_app, jsonify, request
from flask.typing import ResponseReturnValue
from flask_appbuilder.api import BaseApi, expose
from flask_babel import gettext
from flask_jwt_extended import create_access_token, create_refresh_token, get_jwt, jwt_required
from flask_login import current_user

from app.core.errors import InvalidInput, Problem
from app.extensions import csrf
from app.services import login
from app.services import session as sessions
from app.views.actor import client_address, current_actor
from app.views.security.login import providers

_LONGEST = 1000


class TokenApi(BaseApi):
    """`/api/v1/security/`: log in, refresh, log out."""

    resource_name = "security"
    openapi_spec_tag = "Security"

    def create_blueprint(self, *args: Any, **kwargs: Any) -> Any:
        """Free of CSRF tokens: nothing here acts on a cookie."""
        blueprint = super().create_blueprint(*args, **kwargs)
        csrf.exempt(blueprint)
        return blueprint

    @expose("/login", methods=["POST"])
    def login(self) -> ResponseReturnValue:
        """Get a token by user name and password
        ---
        post:
          requestBody:
            required: true
            content:
              application/json:
                schema:
                  type: object
                  required: [username, password]
                  properties:
                    username: {type: string}
                    password: {type: string}
                    provider: {type: string, enum: [db, ldap], default: db}
                    refresh: {type: boolean, default: false}
          responses:
            200:
              description: "A token, sent as `Authorization: Bearer …`; it ends with its session"
              content:
                application/json:
                  schema:
                    type: object
                    properties:
                      access_token: {type: string}
                      refresh_token: {type: string}
            400: {description: A field is missing}
            401: {description: Not let in}
            429: {description: Locked after too many failures}
        """
        values = request.get_json(silent=True)
        values = values if isinstance(values, dict) else {}
        username, password = _text(values, "username"), _text(values, "password")
        way = _text({"provider": "db", **values}, "provider")
        provider = providers().password(way)
        if provider is None and way != "db":
            raise InvalidInput({"provider": [Problem.of("There is no such way of logging in here.")]})
        user = login.authenticate(
            username,
            password,
            address=client_address(),
            way=f"api:{way}",
            provider=provider,
        )
        agent = request.headers.get("User-Agent", "")
        key = sessions.begin(user.id, address=client_address(), agent=agent)
        claims = {"sid": key}
        answer = {"access_token": create_access_token(str(user.id), fresh=True, additional_claims=claims)}
        if values.get("refresh") is True:
            lifetime = current_app.config["JWT_ACCESS_TOKEN_EXPIRES"]
            answer["refresh_token"] = create_refresh_token(
                str(user.id), expires_delta=lifetime, additional_claims=claims
            )
        return jsonify(answer)

    @expose("/refresh", methods=["POST"])
    @jwt_required(refresh=True)
    def refresh(self) -> ResponseReturnValue:
        """Get another access token for the same session
        ---
        post:
          responses:
            200:
              description: A token
              content:
                application/json:
                  schema:
                    type: object
                    properties:
                      access_token: {type: string}
            401: {description: The session is over}
        """
        token = get_jwt()
        return jsonify(
            access_token=create_access_token(
                token["sub"], fresh=False, additional_claims={"sid": token["sid"]}
            )
        )

    @expose("/logout", methods=["POST"])
    @jwt_required()
    def logout(self) -> ResponseReturnValue:
        """End the session behind this token
        ---
        post:
          responses:
            200: {description: Every token of the session is over}
            401: {description: It was already}
        """
        sessions.end(current_actor(), current_user.session_id)
        return jsonify(message=gettext("You are logged out."))


def _text(values: dict[str, Any], name: str) -> str:
    value = values.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= _LONGEST or not _is_unicode(value):
        raise InvalidInput({name: [Problem.of("Send this as text that is not empty.")]})
    return value


def _is_unicode(text: str) -> bool:
    """JSON can carry half of a surrogate pair, which nothing else can."""
    return not any(0xD800 <= ord(character) <= 0xDFFF for character in text)
