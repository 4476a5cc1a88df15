"""Logging in: one lock, one log and one answer on every way in (SEC-35, SEC-38, SEC-53)."""

from __future__ import annotations

import datetime as dt
from statistics import median
from time import perf_counter

import pytest
import time_machine
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.access.actor import SYSTEM
from app.core.enums import LogLevel
from app.models.base import utcnow
from app.models.log import SystemLog
from app.models.user import LoginAttempt
from app.services import login
from app.services.login import LoginLocked, LoginRefused
from app.services.unit_of_work import unit_of_work
from app.views.security import captcha
from tests.conftest import PASSWORD
from tests.factories import actor_of, make_user
from tests.security.conftest import ADDRESS, WRONG, Browser, Program, events


def fail(browser: Browser, username: str, times: int) -> None:
    for _ in range(times):
        browser.log_in(username, WRONG)


def test_a_handler_logs_in_and_comes_to_the_page_he_asked_for(session: Session, browser: Browser) -> None:
    make_user(username="liang")
    asked = browser.get("/profile/?from=mail")
    assert asked.status_code == 302
    assert asked.location == "/login/?next=/profile/?from%3Dmail"
    answer = browser.log_in("liang", path=asked.location)
    assert (answer.status_code, answer.location) == (302, "/profile/?from=mail")
    assert browser.is_in
    (line,) = events(session, "LOGIN_OK")
    assert (line.username, line.address, line.summary) == ("liang", ADDRESS, "local")


@pytest.mark.parametrize(
    "elsewhere",
    [
        "//evil.example",
        r"/\evil.example",
        "https:evil.example",
        "https://evil.example/",
        "http://localhost.evil.example/",
        "http://localhost@evil.example/",
        "javascript:alert(1)",
        "%2F%2Fevil.example",
        "\t//evil.example",
        "/\t/evil.example",
        "\n//evil.example",
        "/\n/evil.example",
        " //evil.example",
        "///evil.example",
    ],
)
def test_after_logging_in_nobody_is_sent_to_another_host(
    session: Session, browser: Browser, elsewhere: str
) -> None:
    make_user(username="liang")
    answer = browser.post(
        "/login/", {"username": "liang", "password": PASSWORD, "next": elsewhere}, form_on="/login/"
    )
    assert (answer.status_code, answer.location) == (302, "/")


def test_our_own_address_written_in_full_is_followed(session: Session, browser: Browser) -> None:
    """Flask-AppBuilder's `has_access` writes `next` that way."""
    make_user(username="liang")
    answer = browser.log_in("liang", path="/login/?next=http://localhost/profile/?a%3D1")
    assert answer.location == "/profile/?a=1"


def test_wrong_name_and_wrong_password_get_the_same_answer(session: Session, browser: Browser) -> None:
    make_user(username="liang")
    known, unknown = browser.log_in("liang", WRONG), browser.log_in("nobody", WRONG)
    assert known.status_code == unknown.status_code == 401
    shown = [page.text.replace("liang", "?").replace("nobody", "?") for page in (known, unknown)]
    alerts = [text[text.index('role="alert"') :][:200] for text in shown]
    assert alerts[0] == alerts[1]
    assert 'value="liang"' in known.text and PASSWORD not in known.text


def test_an_unknown_name_takes_as_long_as_a_known_one(session: Session) -> None:
    """Both cost one scrypt; without it the unknown name answers about fifty times faster."""
    make_user(username="liang")

    def seconds(name: str) -> float:
        start = perf_counter()
        with pytest.raises(LoginRefused):
            login.authenticate(name, WRONG, address=ADDRESS, way="local")
        return perf_counter() - start

    # The user's test hash is a cheap one on purpose; the stand-in for nobody is a real one.
    unknown = median(seconds(f"nobody{number}") for number in range(3))
    assert unknown > 0.02


def test_six_wrong_passwords_lock_the_form_and_the_api(
    session: Session, browser: Browser, another_browser: Browser, program: Program
) -> None:
    """Plain Flask-AppBuilder counts failures and does nothing with them; its JSON log-in stays unlimited even
    with AUTH_RATE_LIMITED on."""
    make_user(username="liang")
    make_user(username="chen")
    fail(browser, "liang", 6)
    assert browser.log_in("liang").status_code == 429, "the right password is refused until the lock ends"
    assert another_browser.log_in("liang").status_code == 429, "from wherever it is tried"
    locked = program.log_in("liang")
    assert locked.status_code == 429
    assert set(locked.json) == {"message"}
    assert browser.log_in("chen").status_code == 302, "another user from the same address still gets in"
    assert [line.username for line in events(session, "LOCKED")] == ["liang"]
    assert len(events(session, "LOGIN_FAILED")) == 5
    assert all(line.level is LogLevel.WARNING for line in events(session, "LOGIN_FAILED", "LOGIN_REFUSED"))


def test_six_wrong_passwords_on_the_api_lock_the_form(
    session: Session, browser: Browser, program: Program
) -> None:
    make_user(username="liang")
    assert [program.log_in("liang", WRONG).status_code for _ in range(6)] == [401] * 5 + [429]
    assert browser.log_in("liang").status_code == 429


def test_the_lock_ends_by_itself_and_begins_anew_after_five_more(session: Session, program: Program) -> None:
    make_user(username="liang")
    start = utcnow()
    with time_machine.travel(start, tick=False) as clock:
        for _ in range(5):
            program.log_in("liang", WRONG)
        clock.move_to(start + dt.timedelta(minutes=14, seconds=59))
        assert program.log_in("liang").status_code == 429
        clock.move_to(start + dt.timedelta(minutes=15, seconds=1))
        assert program.log_in("liang", WRONG).status_code == 401, "one more failure does not lock at once"
        assert program.log_in("liang").status_code == 200


def test_failures_over_a_whole_day_do_not_add_up(session: Session, program: Program) -> None:
    make_user(username="liang")
    start = utcnow()
    with time_machine.travel(start, tick=False) as clock:
        for hour in range(12):
            clock.move_to(start + dt.timedelta(hours=hour))
            assert program.log_in("liang", WRONG).status_code == 401
        assert program.log_in("liang").status_code == 200


def test_a_success_wipes_the_slate(session: Session, program: Program) -> None:
    make_user(username="liang")
    for _ in range(3):
        assert [program.log_in("liang", WRONG).status_code for _ in range(4)] == [401] * 4
        assert program.log_in("liang").status_code == 200


def test_an_address_that_tries_many_names_is_locked(
    session: Session, program: Program, browser: Browser
) -> None:
    make_user(username="liang")
    with unit_of_work(SYSTEM) as work:
        work.add_all(
            LoginAttempt(username=f"?{number}", address=ADDRESS, way="local", succeeded=False, at=utcnow())
            for number in range(50)
        )
    assert program.log_in("liang").status_code == 429
    program.peer = {"REMOTE_ADDR": "10.4.4.4"}
    assert program.log_in("liang").status_code == 200, "from elsewhere he gets in"


def test_a_disabled_user_is_refused_with_the_right_password(
    session: Session, browser: Browser, program: Program
) -> None:
    make_user(username="liang", active=False)
    assert browser.log_in("liang").status_code == 401
    assert program.log_in("liang").status_code == 401
    assert not browser.is_in
    assert len(events(session, "LOGIN_FAILED")) == 2


def test_what_people_type_by_mistake_is_kept_nowhere(session: Session, browser: Browser) -> None:
    """A password typed into the field of the name must not be read in the log."""
    browser.log_in("My-Secret-Pass-2026", WRONG)
    lines = session.scalars(select(SystemLog)).all()
    names = session.scalars(select(LoginAttempt.username)).all()
    kept = " ".join([f"{line.username} {line.summary}" for line in lines] + list(names))
    assert lines and names
    assert "Secret" not in kept and WRONG not in kept


def test_a_name_that_nobody_can_have_is_a_wrong_name(session: Session, browser: Browser) -> None:
    """PostgreSQL refuses a NUL within text; that must not become an error page."""
    make_user(username="liang")
    assert browser.log_in("liang\x00").status_code == 401
    assert browser.log_in("liang", PASSWORD + "\x00").status_code == 401


def test_line_breaks_in_a_name_make_no_second_line_of_the_log(session: Session, browser: Browser) -> None:
    browser.log_in("\r\nx\nLOGIN_OK admin", WRONG)
    (line,) = events(session, "LOGIN_FAILED")
    assert "\n" not in line.username + line.summary


class TestCaptcha:
    """The picture comes after three wrong passwords, on the form only."""

    @pytest.fixture
    def answers(self, monkeypatch: pytest.MonkeyPatch) -> list[str]:
        """What each picture drawn says, as a person would read it."""
        read: list[str] = []
        draw = captcha.ImageCaptcha.generate

        def remember(image: captcha.ImageCaptcha, text: str, **look: object) -> object:
            read.append(text)
            return draw(image, text, **look)

        monkeypatch.setattr(captcha.ImageCaptcha, "generate", remember)
        return read

    def test_it_is_asked_for_after_three_failures(
        self, session: Session, browser: Browser, answers: list[str]
    ) -> None:
        make_user(username="liang")
        fail(browser, "liang", 2)
        assert "captcha.png" not in browser.get("/login/").text
        assert browser.get("/login/captcha.png").status_code == 404
        fail(browser, "liang", 1)
        assert "captcha.png" in browser.get("/login/").text
        picture = browser.get("/login/captcha.png")
        assert picture.data.startswith(b"\x89PNG")
        assert picture.headers["Cache-Control"] == "no-store"
        assert browser.log_in("liang").status_code == 401, "without what the picture says"
        browser.get("/login/captcha.png")
        assert browser.log_in("liang", captcha=answers[-1].lower()).status_code == 302

    def test_the_right_password_without_the_picture_is_no_failure(
        self, session: Session, browser: Browser, answers: list[str]
    ) -> None:
        make_user(username="liang")
        fail(browser, "liang", 3)
        assert [browser.log_in("liang").status_code for _ in range(4)] == [401] * 4
        browser.get("/login/captcha.png")
        assert browser.log_in("liang", captcha=answers[-1]).status_code == 302

    def test_an_answer_is_used_once_even_with_the_old_cookie(
        self, session: Session, browser: Browser, answers: list[str]
    ) -> None:
        make_user(username="liang")
        fail(browser, "liang", 3)
        browser.get("/login/captcha.png")
        cookie, answer = browser.cookie, answers[-1]
        assert browser.log_in("liang", WRONG, captcha=answer).status_code == 401
        browser.cookie = cookie
        assert browser.log_in("liang", captcha=answer).status_code == 401
        assert not browser.is_in

    def test_an_answer_for_one_name_does_not_serve_another(
        self, session: Session, browser: Browser, answers: list[str]
    ) -> None:
        make_user(username="liang")
        make_user(username="chen")
        fail(browser, "chen", 3)
        fail(browser, "liang", 3)
        browser.get("/login/captcha.png")
        assert browser.log_in("chen", captcha=answers[-1]).status_code == 401

    def test_the_cookie_does_not_tell_the_answer(
        self, session: Session, browser: Browser, answers: list[str]
    ) -> None:
        make_user(username="liang")
        fail(browser, "liang", 3)
        browser.get("/login/captcha.png")
        with browser.client.session_transaction() as cookie:
            assert answers[-1] not in str(dict(cookie))


def test_confirming_ones_password_counts_towards_the_lock(session: Session) -> None:
    actor = actor_of(make_user(username="liang"))
    assert login.confirm_password(actor, PASSWORD)
    assert [login.confirm_password(actor, WRONG) for _ in range(5)] == [False] * 5
    with pytest.raises(LoginLocked):
        login.confirm_password(actor, PASSWORD)
