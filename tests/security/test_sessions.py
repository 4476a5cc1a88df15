"""Sessions live on the server and end there (SEC-40 to SEC-43)."""

from __future__ import annotations

import datetime as dt

import pytest
import time_machine
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.access.actor import SYSTEM
from app.core.errors import NotAllowed, NotFound
from app.models.base import utcnow
from app.models.dictionary import RuleParameter
from app.models.user import AppUser, UserSession
from app.services import parameter, user
from app.services import session as sessions
from app.services.unit_of_work import unit_of_work
from tests.conftest import PASSWORD
from tests.factories import actor_of, make_actor, make_user
from tests.security.conftest import ADDRESS, Browser, Program, events, statements


def open_sessions(session: Session) -> list[UserSession]:
    session.expire_all()
    return list(session.scalars(select(UserSession).where(UserSession.ended_at.is_(None))))


def test_a_visitor_cannot_choose_the_session_he_will_have(session: Session, browser: Browser) -> None:
    """Session fixation: what was in the cookie before logging in does not name the session after it."""
    make_user(username="liang")
    browser.get("/login/")
    with browser.client.session_transaction() as cookie:
        cookie["_user_id"] = "chosen-by-somebody-else"
        before = dict(cookie)
    browser.log_in("liang")
    with browser.client.session_transaction() as cookie:
        key = cookie["_user_id"]
        assert key != before["_user_id"]
        assert cookie.get("csrf_token") != before["csrf_token"]
    assert len(key) >= 43, "32 random bytes"
    (row,) = open_sessions(session)
    assert key not in (row.key_hash, str(row.id))
    assert row.address == ADDRESS


def test_two_log_ins_have_two_sessions(session: Session, browser: Browser, another_browser: Browser) -> None:
    make_user(username="liang")
    browser.log_in("liang")
    another_browser.log_in("liang")
    assert len({row.key_hash for row in open_sessions(session)}) == 2


def test_logging_in_again_ends_the_session_one_had(session: Session, browser: Browser) -> None:
    make_user(username="liang")
    make_user(username="chen")
    browser.log_in("liang")
    cookie = browser.cookie
    browser.post("/login/", {"username": "chen", "password": PASSWORD}, form_on="/password/")
    assert browser.is_in
    assert len(open_sessions(session)) == 1
    browser.cookie = cookie
    assert not browser.is_in


def test_logging_out_ends_it_on_the_server(session: Session, browser: Browser) -> None:
    """Plain Flask-AppBuilder empties the cookie; the old one, sent again, still opens everything."""
    make_user(username="liang")
    browser.log_in("liang")
    cookie = browser.cookie
    assert browser.log_out().location == "/login/"
    browser.cookie = cookie
    answer = browser.get("/profile/")
    assert (answer.status_code, answer.location) == (302, "/login/?next=/profile/")
    assert len(events(session, "LOGOUT")) == 1


def test_nobody_is_logged_out_by_a_link(session: Session, browser: Browser) -> None:
    """Plain Flask-AppBuilder logs out on GET."""
    make_user(username="liang")
    browser.log_in("liang")
    assert browser.get("/logout/").status_code == 405
    assert browser.client.post("/logout/").status_code == 400, "without the CSRF token"
    assert browser.is_in


def test_half_an_hour_without_a_click_ends_it(session: Session, browser: Browser) -> None:
    make_user(username="liang")
    start = utcnow()
    with time_machine.travel(start, tick=False) as clock:
        browser.log_in("liang")
        for minutes in (29, 58, 87):
            clock.move_to(start + dt.timedelta(minutes=minutes))
            assert browser.is_in
        clock.move_to(start + dt.timedelta(minutes=87 + 31))
        assert not browser.is_in


def test_twelve_hours_end_it_however_busy(session: Session, browser: Browser) -> None:
    make_user(username="liang")
    start = utcnow()
    with time_machine.travel(start, tick=False) as clock:
        browser.log_in("liang")
        for quarter in range(1, 12 * 4):
            clock.move_to(start + dt.timedelta(minutes=15 * quarter))
            assert browser.is_in
        clock.move_to(start + dt.timedelta(hours=12, minutes=1))
        assert not browser.is_in


def test_the_limits_are_parameters(session: Session, browser: Browser) -> None:
    make_user(username="liang")
    start = utcnow()
    with time_machine.travel(start, tick=False) as clock:
        browser.log_in("liang")
        assert browser.is_in
        with unit_of_work(SYSTEM) as work:
            row = work.scalars(select(RuleParameter).where(RuleParameter.key == "session.idle_minutes")).one()
            row.value = "5"
        clock.move_to(start + dt.timedelta(minutes=6))
        assert not browser.is_in, "the changed parameter is in force with the next request"
    assert parameter.int_of(session, "session.idle_minutes") == 5


def test_reading_pages_writes_at_most_once_a_minute(session: Session, browser: Browser) -> None:
    make_user(username="liang")
    start = utcnow()
    with time_machine.travel(start, tick=False) as clock:
        browser.log_in("liang")
        with statements() as seen:
            clock.move_to(start + dt.timedelta(seconds=59))
            browser.get("/password/")
            assert not [text for text in seen if text.startswith(("UPDATE", "INSERT", "DELETE"))]
            clock.move_to(start + dt.timedelta(seconds=61))
            browser.get("/password/")
            browser.get("/password/")
            written = [text for text in seen if text.startswith(("UPDATE", "INSERT", "DELETE"))]
    assert len(written) == 1
    assert written[0].startswith("UPDATE user_session SET seen_at")


def test_a_changed_password_ends_the_other_sessions(
    session: Session, browser: Browser, another_browser: Browser, program: Program
) -> None:
    """Plain Flask-AppBuilder changes the password and every stolen cookie and token lives on."""
    make_user(username="liang")
    browser.log_in("liang")
    another_browser.log_in("liang")
    token = program.log_in("liang").json["access_token"]
    new = "Tan-River-2026-bridge"
    answer = browser.post("/password/", {"current": PASSWORD, "new": new, "again": new})
    assert answer.status_code == 302
    assert browser.is_in, "his own stays"
    assert not another_browser.is_in
    assert program.call("POST", "/api/v1/security/logout", token).status_code == 401


def test_disabling_a_user_ends_his_sessions_at_once(
    session: Session, browser: Browser, program: Program
) -> None:
    liang = make_user(username="liang")
    browser.log_in("liang")
    token = program.log_in("liang").json["access_token"]
    user.disable(make_actor("sys_admin"), liang.id)
    assert not browser.is_in
    assert program.call("POST", "/api/v1/security/logout", token).status_code == 401
    user.enable(make_actor("sys_admin"), liang.id)
    assert not browser.is_in, "what has ended does not begin again"


def test_a_user_switched_off_in_any_other_way_is_out_too(session: Session, browser: Browser) -> None:
    liang = make_user(username="liang")
    browser.log_in("liang")
    with unit_of_work(SYSTEM) as work:
        work.get_one(AppUser, liang.id).active = False
    assert not browser.is_in


def test_changed_roles_end_his_sessions(session: Session, browser: Browser) -> None:
    liang = make_user(username="liang")
    browser.log_in("liang")
    security = make_actor("sec_admin")
    user.set_roles(security, liang.id, ["unit_handler"])
    assert browser.is_in, "nothing changed"
    user.set_roles(security, liang.id, ["unit_leader"])
    assert not browser.is_in
    (line,) = events(session, "PERMISSION_CHANGED")
    assert (line.user_id, line.row_id, line.summary) == (
        security.user_id,
        liang.id,
        "unit_handler -> unit_leader",
    )


def test_only_the_security_administrator_changes_roles_and_never_his_own(session: Session) -> None:
    liang = make_user(username="liang")
    security = make_user("sec_admin")
    for actor in (make_actor("sys_admin"), make_actor("audit_admin"), actor_of(liang)):
        with pytest.raises(NotAllowed):
            user.set_roles(actor, liang.id, ["sys_admin"])
    with pytest.raises(NotAllowed):
        user.set_roles(actor_of(security), security.id, ["sys_admin", "sec_admin"])


def test_an_administrator_ends_a_session(session: Session, browser: Browser) -> None:
    make_user(username="liang")
    browser.log_in("liang")
    (row,) = open_sessions(session)
    with pytest.raises(NotFound):
        sessions.end(make_actor("unit_handler"), row.id)
    assert browser.is_in, "another handler does not even see it"
    sessions.end(make_actor("sec_admin"), row.id)
    assert not browser.is_in
    (line,) = events(session, "SESSION_ENDED")
    assert line.row_id == row.id


def test_a_forged_cookie_opens_nothing(session: Session, browser: Browser) -> None:
    liang = make_user(username="liang")
    for guess in (str(liang.id), "", "0" * 43):
        with browser.client.session_transaction() as cookie:
            cookie["_user_id"] = guess
        assert not browser.is_in
