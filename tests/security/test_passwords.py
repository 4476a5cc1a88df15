"""Passwords: what they must be, how they are kept, who may change them (SEC-33, 34, 36, 37, 44, 48)."""

from __future__ import annotations

import datetime as dt

import pytest
import time_machine
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.access.actor import SYSTEM
from app.core.errors import Conflict, InvalidInput, NotAllowed
from app.gateways.signon.local import hash_password, password_matches
from app.models.base import utcnow
from app.models.dictionary import RuleParameter
from app.models.user import AppUser
from app.services import password, user
from app.services.login_rules import LoginRules, rules_for
from app.services.unit_of_work import unit_of_work
from app.services.user import NewUser, Profile
from tests.conftest import PASSWORD
from tests.factories import actor_of, make_actor, make_unit, make_user
from tests.security.conftest import WRONG, Browser, Program, events

NEW = "Tan-River-2026-bridge"


def set_parameter(key: str, value: str) -> None:
    with unit_of_work(SYSTEM) as session:
        session.scalars(select(RuleParameter).where(RuleParameter.key == key)).one().value = value


def change(browser: Browser, new: str, current: str = PASSWORD, again: str | None = None) -> int:
    answer = browser.post(
        "/password/", {"current": current, "new": new, "again": new if again is None else again}
    )
    return answer.status_code


@pytest.fixture
def rules(session: Session) -> LoginRules:
    return rules_for(session)


@pytest.mark.parametrize(
    ("candidate", "good"),
    [
        ("Aa1-aaaaaaa", False),  # 11 characters
        ("Aa1-aaaaaaaa", True),  # 12
        ("Aa1-" + "é" * 124, True),  # 128
        ("Aa1-" + "é" * 125, False),  # 129: refused, not cut off
        ("alllowercase", False),
        ("lowerandUPPER", False),
        ("lowerand12345", False),
        ("lowerAND12345", True),
        ("Liang-2026-xyz", False),  # holds the username
        ("Password1234!", False),  # "password" with figures around it
        ("1qaz2wsx3edc", False),
        ("QWErty123456", False),
        ("Sunshine2026!!", False),
        ("correct horse 9 Battery", True),
        ("correct horse 9 Battery\x00", False),  # scrypt would take it for the one above
    ],
)
def test_what_a_password_must_be(rules: LoginRules, candidate: str, good: bool) -> None:
    assert (password.problem_with(candidate, "liang", rules) is None) == good


def test_the_three_thousand_most_used_are_refused_under_any_settings(session: Session) -> None:
    from zxcvbn.frequency_lists import FREQUENCY_LISTS

    for key, value in (("password.min_length", "8"), ("password.classes", "1")):
        set_parameter(key, value)
    loose = rules_for(session)
    assert loose.password_classes == 1
    for common in FREQUENCY_LISTS["passwords"][:3000]:
        assert password.problem_with(common, "", loose) is not None, common
        assert password.problem_with(common.upper(), "", loose) is not None, common
    assert password.problem_with("onlysmallletters", "", loose) is None, "the ASVS profile asks for no mix"


def test_nothing_is_cut_off_and_the_hash_is_scrypt(session: Session) -> None:
    """bcrypt would take both for the same: they differ at the 73rd byte."""
    long = "Aa1-" + "x" * 68
    kept = hash_password(long + "1" + "y" * 20)
    assert kept.startswith("scrypt:32768:8:1$")
    assert password_matches(kept, long + "1" + "y" * 20)
    assert not password_matches(kept, long + "2" + "y" * 20)
    assert not password_matches(None, "")
    assert not password_matches("", "")


def test_a_user_changes_his_password(session: Session, browser: Browser) -> None:
    """Plain Flask-AppBuilder asks for no current password and takes `1`."""
    make_user(username="liang")
    browser.log_in("liang")
    assert change(browser, "1") == 400
    assert change(browser, NEW, current=WRONG) == 400
    assert change(browser, NEW, again=NEW + "x") == 400
    assert change(browser, PASSWORD) == 400, "the same again"
    assert change(browser, "Password1234!") == 400
    assert change(browser, NEW) == 302
    browser.log_out()
    assert browser.log_in("liang").status_code == 401
    assert browser.log_in("liang", NEW).status_code == 302
    assert len(events(session, "PASSWORD_CHANGED")) == 1


def test_what_was_typed_into_password_fields_does_not_come_back(session: Session, browser: Browser) -> None:
    make_user(username="liang")
    browser.log_in("liang")
    page = browser.post("/password/", {"current": WRONG, "new": NEW, "again": NEW})
    assert page.status_code == 400
    assert WRONG not in page.text and NEW not in page.text


def test_the_current_password_cannot_be_guessed_from_an_open_screen(
    session: Session, browser: Browser
) -> None:
    make_user(username="liang")
    browser.log_in("liang")
    for _ in range(5):
        assert change(browser, NEW, current=WRONG) == 400
    assert change(browser, NEW) == 429
    assert browser.is_in


def test_a_new_user_must_choose_his_own_password_first(
    session: Session, browser: Browser, program: Program
) -> None:
    unit = make_unit()
    liang, initial = user.create_user(
        SYSTEM, NewUser("liang", last_name="梁", unit_id=unit.id, roles=("unit_handler",))
    )
    assert password.problem_with(initial, "liang", rules_for(session)) is None
    assert liang.password.startswith("scrypt:")
    assert browser.log_in("liang", initial).status_code == 302
    for path in ("/", "/profile/", "/nowhere", "/api/v1/project/"):
        answer = browser.get(path)
        assert (answer.status_code, answer.location) == (302, "/password/") or answer.status_code == 403, path
    assert browser.get("/static/css/app.css").status_code == 200
    token = program.log_in("liang", initial).json["access_token"]
    assert program.call("GET", "/api/v1/project/", token).status_code == 403
    assert change(browser, NEW, current=initial) == 302
    assert browser.get("/profile/").status_code == 200


def test_two_initial_passwords_differ(rules: LoginRules) -> None:
    made = {password.random_password(rules) for _ in range(50)}
    assert len(made) == 50


def test_after_ninety_days_it_must_be_changed_unless_switched_off(session: Session, browser: Browser) -> None:
    make_user(username="liang", password_changed_at=utcnow())
    start = utcnow()
    with time_machine.travel(start, tick=False) as clock:
        clock.move_to(start + dt.timedelta(days=89))
        browser.log_in("liang")
        assert browser.get("/profile/").status_code == 200
        clock.move_to(start + dt.timedelta(days=91))
        browser.log_in("liang")
        assert browser.get("/profile/").location == "/password/"
        set_parameter("password.max_age_days", "0")
        assert browser.get("/profile/").status_code == 200


def test_an_administrator_resets_a_password(session: Session, browser: Browser) -> None:
    liang = make_user(username="liang")
    browser.log_in("liang")
    initial = user.reset_password(make_actor("sys_admin"), liang.id)
    assert not browser.is_in
    assert browser.log_in("liang").status_code == 401
    assert browser.log_in("liang", initial).status_code == 302
    assert browser.get("/").location == "/password/"
    with pytest.raises(NotAllowed):
        user.reset_password(make_actor("sec_admin"), liang.id)


def test_entering_users_is_one_post_and_granting_roles_another(session: Session) -> None:
    """GB/T 22239: system and security administrators are separate."""
    system = make_actor("sys_admin")
    user.create_user(system, NewUser("chen", last_name="陈"))
    with pytest.raises(NotAllowed):
        user.create_user(system, NewUser("wang", last_name="王", roles=("sys_admin",)))
    with pytest.raises(NotAllowed):
        user.create_user(make_actor("unit_leader"), NewUser("wang", last_name="王"))
    with pytest.raises(Conflict):
        user.disable(system, system.user_id)


def test_a_user_entered_wrong_is_refused_field_by_field(session: Session) -> None:
    make_user(username="liang")
    with pytest.raises(InvalidInput) as refused:
        user.create_user(SYSTEM, NewUser("liang", last_name=" ", mobile="123", email="x", unit_id=0))
    assert set(refused.value.fields) == {"username", "last_name", "mobile", "email", "unit_id"}
    with pytest.raises(InvalidInput) as refused:
        user.create_user(SYSTEM, NewUser("chen", last_name="陈", roles=("king",), group_ids=()))
    assert set(refused.value.fields) == {"roles"}


class TestProfile:
    """个人信息: contacts are where codes and messages go, so changing them asks who it is (SEC-44)."""

    @staticmethod
    def form(row: AppUser, **changes: str) -> dict[str, str]:
        return {
            "last_name": row.last_name,
            "first_name": row.first_name,
            "email": row.email,
            "mobile": row.mobile or "",
            "position": row.position or "",
            **changes,
        }

    def test_a_new_position_needs_no_password(self, session: Session, browser: Browser) -> None:
        row = make_user(username="liang")
        browser.log_in("liang")
        assert browser.post("/profile/", self.form(row, position="科员")).status_code == 302
        session.expire_all()
        assert session.get_one(AppUser, row.id).position == "科员"

    @pytest.mark.parametrize("change", [{"mobile": "13800000001"}, {"email": "new@example.gov.cn"}])
    def test_a_new_contact_needs_the_password(
        self, session: Session, browser: Browser, change: dict[str, str]
    ) -> None:
        row = make_user(username="liang")
        browser.log_in("liang")
        for attempt in ({}, {"current_password": WRONG}):
            page = browser.post("/profile/", self.form(row, **change, **attempt))
            assert page.status_code == 400
            assert next(iter(change.values())) in page.text, "what was typed is still there"
        session.expire_all()
        unchanged = session.get_one(AppUser, row.id)
        assert (unchanged.mobile, unchanged.email) == (row.mobile, row.email)
        good = browser.post("/profile/", self.form(row, **change, current_password=PASSWORD))
        assert good.status_code == 302
        session.expire_all()
        (name, value), *_ = change.items()
        assert getattr(session.get_one(AppUser, row.id), name) == value
        assert len(events(session, "CONTACT_CHANGED")) == 1

    def test_text_that_cannot_be_printed_is_not_kept(self, session: Session, browser: Browser) -> None:
        row = make_user(username="liang")
        browser.log_in("liang")
        assert browser.post("/profile/", self.form(row, position=" 科\x00员\u202e ")).status_code == 302
        session.expire_all()
        assert session.get_one(AppUser, row.id).position == "科员"
        profile = Profile("梁\x00", "", row.email, "", "")
        with pytest.raises(InvalidInput):
            user.update_profile(actor_of(row), profile)

    def test_somebody_elses_e_mail_is_refused(self, session: Session, browser: Browser) -> None:
        row, other = make_user(username="liang"), make_user()
        browser.log_in("liang")
        answer = browser.post("/profile/", self.form(row, email=other.email, current_password=PASSWORD))
        assert answer.status_code == 400

    def test_other_fields_cannot_be_sent_along(self, session: Session, browser: Browser) -> None:
        row = make_user(username="liang")
        unit_id = row.unit_id
        browser.log_in("liang")
        sent = self.form(row, unit_id="1", username="root", active="", must_change_password="1", position="x")
        assert browser.post("/profile/", sent).status_code == 302
        session.expire_all()
        kept = session.get_one(AppUser, row.id)
        assert (kept.unit_id, kept.username, kept.active) == (unit_id, "liang", True)

    def test_without_a_password_here_one_must_have_just_logged_in(self, session: Session) -> None:
        with unit_of_work(SYSTEM) as work:
            row = work.get_one(AppUser, make_user(username="liang").id)
            row.password = None
        changed = Profile("梁", "", "new@example.gov.cn", "", "")
        with pytest.raises(InvalidInput):
            user.update_profile(actor_of(row), changed)
        user.update_profile(actor_of(row), changed, just_logged_in=True)
