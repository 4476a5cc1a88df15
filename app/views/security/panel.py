"""我的面板: 个人信息 and 修改密码."""

from __future__ import annotations

import datetime as dt
from typing import Any

from flask import flash, make_response, redirect, url_for
from flask_appbuilder import BaseView, expose
from flask_babel import gettext, lazy_gettext
from flask_login import current_user, login_required
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response
from wtforms import PasswordField, StringField
from wtforms.validators import EqualTo, InputRequired, Length

from app.core.errors import InvalidInput
from app.core.text import trim
from app.models.base import utcnow
from app.services import user as users
from app.services.login import LoginLocked
from app.services.login_rules import rules_for
from app.services.unit_of_work import current_session
from app.views.actor import current_actor
from app.views.errors import field_errors, translate

_JUST_NOW = dt.timedelta(minutes=5)
_REQUIRED = lazy_gettext("Please fill this in.")


class ProfileForm(FlaskForm):
    """What a user keeps about himself."""

    last_name = StringField(lazy_gettext("Family name"), [InputRequired(_REQUIRED), Length(max=64)])
    first_name = StringField(lazy_gettext("Given name"), [Length(max=64)])
    position = StringField(lazy_gettext("Position"), [Length(max=60)])
    mobile = StringField(lazy_gettext("Mobile"), [Length(max=20)])
    email = StringField(lazy_gettext("E-mail"), [InputRequired(_REQUIRED), Length(max=120)])
    current_password = PasswordField(lazy_gettext("Present password"))


class PasswordForm(FlaskForm):
    """The present password and, twice, the new one."""

    current = PasswordField(lazy_gettext("Present password"), [InputRequired(_REQUIRED)])
    new = PasswordField(lazy_gettext("New password"), [InputRequired(_REQUIRED)])
    again = PasswordField(
        lazy_gettext("New password, once more"),
        [InputRequired(_REQUIRED), EqualTo("new", lazy_gettext("The two new passwords differ."))],
    )


class ProfileView(BaseView):
    """个人信息."""

    route_base = "/profile"
    default_view = "index"

    @expose("/", methods=["GET", "POST"])
    @login_required
    def index(self) -> Response:
        """Show and change one's own profile; a new telephone or e-mail asks for the password."""
        actor = current_actor()
        row = users.own_profile(actor)
        form = ProfileForm(obj=row)
        status = 200
        if form.validate_on_submit():
            profile = users.Profile(
                **{
                    name: trim(form[name].data or "")
                    for name in ("last_name", "first_name", "email", "mobile", "position")
                }
            )
            recent = utcnow() - current_user.session_started_at < _JUST_NOW
            try:
                users.update_profile(actor, profile, form.current_password.data or "", just_logged_in=recent)
            except (InvalidInput, LoginLocked) as error:
                status = _take_back(form, error)
            else:
                flash(gettext("Your profile is saved."), "success")
                return redirect(url_for("ProfileView.index"))
        elif form.is_submitted():
            status = 400
        page = self.render_template(
            "security/profile.html", title=gettext("Profile"), form=form, user=current_user
        )
        return make_response(page, status)


class PasswordView(BaseView):
    """修改密码."""

    route_base = "/password"
    default_view = "index"

    @expose("/", methods=["GET", "POST"])
    @login_required
    def index(self) -> Response:
        """Change one's own password; the user's other sessions end."""
        form = PasswordForm()
        status = 200
        if form.validate_on_submit():
            try:
                users.set_password(
                    current_actor(),
                    form.current.data or "",
                    form.new.data or "",
                    keep_session_id=current_user.session_id,
                )
            except (InvalidInput, LoginLocked) as error:
                status = _take_back(form, error)
            else:
                flash(gettext("Your password is changed. Your other sessions have ended."), "success")
                return redirect("/")
        elif form.is_submitted():
            status = 400
        page = self.render_template(
            "security/password.html",
            title=gettext("Change password"),
            form=form,
            rules=rules_for(current_session(), current_user.access_version),
            must_change=current_user.must_change_password,
        )
        return make_response(page, status)


def _take_back(form: Any, error: InvalidInput | LoginLocked) -> int:
    """Put a refusal beside its fields, or on top of the form."""
    if isinstance(error, InvalidInput):
        for name, texts in field_errors(error).items():
            form[name].errors = [*form[name].errors, *texts]
    else:
        form.form_errors.append(translate(error.message, error.params))
    return error.status
