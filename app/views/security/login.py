"""Log-in, log-out and sign-on pages; what counts is decided in services/login.py."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from flask import abort, current_app, flash, make_response, redirect, request, session, url_for
from flask_appbuilder import BaseView, expose
from flask_babel import gettext, lazy_gettext
from flask_login import current_user, login_required
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response
from wtforms import PasswordField, StringField
from wtforms.validators import InputRequired, Length

from app.gateways import signon
from app.gateways.signon import Handshake, Providers, SignOnRefused
from app.models.user import AppUser
from app.services import login
from app.services import session as sessions
from app.services.login import LoginRefused
from app.views.actor import client_address, current_actor
from app.views.errors import translate
from app.views.redirects import local_address
from app.views.security import captcha, demo

_HANDSHAKE = "sign_on"
_LABELS = {
    signon.LOCAL: lazy_gettext("Local account"),
    "ldap": lazy_gettext("Unified sign-on"),
    "yuezhengyi": lazy_gettext("Yuezhengyi QR code"),
}


class LoginForm(FlaskForm):
    """Username, password and, when asked, what the picture says."""

    username = StringField(
        lazy_gettext("Username"),
        [InputRequired(lazy_gettext("Enter your username.")), Length(max=128)],
    )
    password = PasswordField(lazy_gettext("Password"), [InputRequired(lazy_gettext("Enter your password."))])
    captcha = StringField(lazy_gettext("Characters in the picture"), [Length(max=16)])


class LoginView(BaseView):
    """The one door for people: local, LDAP and QR side by side."""

    route_base = ""
    default_view = "login"

    @expose("/login/", methods=["GET", "POST"])
    def login(self) -> Response:
        """The log-in page; a refused try comes back with the username filled in."""
        if current_user.is_authenticated and request.method == "GET":
            return redirect(_wanted())
        form = LoginForm()
        if not form.validate_on_submit():
            return self._page(form, 400 if form.is_submitted() else 200)
        username, password = form.username.data or "", form.password.data or ""
        try:
            user = login.authenticate(
                username,
                password,
                address=client_address(),
                way=_way(),
                provider=providers().password(_way()),
                captcha=lambda last: captcha.is_answered(form.captcha.data or "", username, last),
            )
        except LoginRefused as refusal:
            if refusal.captcha_after is not None:
                captcha.demand(username, refusal.captcha_after)
            form.form_errors.append(translate(refusal.message, refusal.params))
            return self._page(form, refusal.status)
        return _enter(user)

    @expose("/logout/", methods=["POST"])
    @login_required
    def logout(self) -> Response:
        """End the session on the server: the cookie opens nothing any more."""
        sessions.end(current_actor(), current_user.session_id)
        _empty_cookie()
        flash(gettext("You are logged out."), "success")
        return redirect(url_for("LoginView.login"))

    @expose("/login/captcha.png")
    def captcha(self) -> Response:
        """The picture for the log-in page, when it shows one."""
        if not captcha.is_demanded():
            abort(404)
        response = make_response(captcha.draw())
        response.headers["Content-Type"] = "image/png"
        response.headers["Cache-Control"] = "no-store"
        return response

    @expose("/login/with/<string:key>")
    def sign_on(self, key: str) -> Response:
        """Send the browser to a provider's own page."""
        provider = providers().redirect(key) or abort(404)
        handshake = provider.begin()
        session[_HANDSHAKE] = {"key": key, "next": _wanted(), **asdict(handshake)}
        return redirect(provider.address(handshake, _callback(key)))

    @expose("/login/with/<string:key>/back")
    def signed_on(self, key: str) -> Response:
        """Where the provider sends the browser back. The one GET that lets somebody in: the protocol has
        no other; the handshake kept in this browser's session stands for the CSRF token."""
        provider = providers().redirect(key) or abort(404)
        kept = session.pop(_HANDSHAKE, None)
        try:
            identity = provider.finish(request.args, _handshake(kept, key), _callback(key))
        except SignOnRefused as error:
            raise login.refuse_identity(client_address(), key, str(error)) from error
        user = login.authenticate_identity(identity, address=client_address(), way=key)
        return _enter(user, kept["next"])

    def _page(self, form: LoginForm, status: int) -> Response:
        wanted = captcha.is_demanded()
        form.captcha.data = ""
        accounts = demo.accounts()
        page = self.render_template(
            "appbuilder/general/security/login_db.html",
            title=gettext("Log in"),
            form=form,
            providers=_offered(),
            demo_accounts=accounts,
            demo_password=demo.password() if accounts else "",
            captcha=wanted,
            captcha_src=url_for("LoginView.captcha") if wanted else "",
        )
        return make_response(page, status)


def providers() -> Providers:
    """The providers of this application, made once from its settings."""
    kept: Providers | None = current_app.extensions.get("sign_on")
    if kept is None:
        kept = current_app.extensions["sign_on"] = signon.configured(current_app.config)
    return kept


def _offered() -> list[dict[str, Any]]:
    known = providers()
    tabs = [signon.LOCAL, *(provider.key for provider in known.passwords)]
    offered: list[dict[str, Any]] = [{"key": key, "label": str(_LABELS[key]), "tab": True} for key in tabs]
    for provider in known.redirects:
        href = url_for("LoginView.sign_on", key=provider.key, next=request.args.get("next"))
        offered.append({"key": provider.key, "label": str(_LABELS[provider.key]), "href": href})
    return offered


def _way() -> str:
    """The way the form was sent by; an unknown one is the local one."""
    chosen = request.form.get("provider", signon.LOCAL)
    return chosen if providers().password(chosen) else signon.LOCAL


def _enter(user: AppUser, wanted: str | None = None) -> Response:
    """A new session with a new key; nothing of the visitor's cookie but his language is kept."""
    target = wanted or _wanted()
    if current_user.is_authenticated:
        sessions.end(current_actor(), current_user.session_id)
    _empty_cookie()
    agent = request.headers.get("User-Agent", "")
    session["_user_id"] = sessions.begin(user.id, address=client_address(), agent=agent)
    return redirect(target)


def _empty_cookie() -> None:
    locale = session.get("locale")
    session.clear()
    if locale:
        session["locale"] = locale


def _wanted() -> str:
    """Where to go after logging in: a page of this host that was asked for, else the first one."""
    target = request.args.get("next") or request.form.get("next") or ""
    own = request.host_url.rstrip("/")
    if target.startswith(f"{own}/"):
        target = target.removeprefix(own)
    return local_address(target, "/")


def _callback(key: str) -> str:
    return url_for("LoginView.signed_on", key=key, _external=True)


def _handshake(kept: Mapping[str, str] | None, key: str) -> Handshake | None:
    if kept is None or kept.get("key") != key:
        return None
    return Handshake(kept["state"], kept["nonce"], kept["verifier"])
