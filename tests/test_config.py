"""What the program starts with: production refuses what would be unsafe, and says why."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from app.access.actor import SYSTEM
from app.cli import start
from app.services.demo import ACCOUNTS, DEMO_MAIL
from app.services.unit_of_work import unit_of_work
from config import SHORTEST_SECRET, Settings, SettingsRefused
from tests.factories import make_user

GOOD_SECRET = "k7Qz-2mVx_81LrTnWc4bYhJp0sDfGa9e"


def production(folder: Path, **changes: str) -> Settings:
    environment = {
        "APP_PROFILE": "production",
        "DATA_DIR": str(folder),
        "SECRET_KEY": GOOD_SECRET,
        "TRUSTED_HOSTS": "xm.example",
        **changes,
    }
    return Settings.from_environment(environment)


def test_production_with_a_good_secret_starts(tmp_path: Path) -> None:
    settings = production(tmp_path)
    config = settings.flask_config()
    assert len(GOOD_SECRET) == SHORTEST_SECRET
    assert config["SESSION_COOKIE_NAME"] == "__Host-session"
    assert config["SESSION_COOKIE_SECURE"]
    assert config["SESSION_COOKIE_HTTPONLY"]
    assert settings.https


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"SECRET_KEY": ""}, "SECRET_KEY"),
        ({"SECRET_KEY": "changeme"}, "SECRET_KEY"),
        ({"SECRET_KEY": GOOD_SECRET[:-1]}, "SECRET_KEY"),
        ({"SECRET_KEY": "secret" * 10}, "SECRET_KEY"),
        ({"SECRET_KEY": "0" * 64}, "SECRET_KEY"),
        ({"FLASK_DEBUG": "1"}, "FLASK_DEBUG"),
        ({"FLASK_DEBUG": "true"}, "FLASK_DEBUG"),
        ({"HTTPS": "0"}, "HTTPS"),
        ({"TRUSTED_HOSTS": ""}, "TRUSTED_HOSTS"),
    ],
)
def test_production_refuses(tmp_path: Path, changes: dict[str, str], why: str) -> None:
    with pytest.raises(SettingsRefused, match=why):
        production(tmp_path, **changes)
    assert not list(tmp_path.iterdir()), "production makes up no secret of its own"


def test_an_unknown_profile_is_refused() -> None:
    with pytest.raises(SettingsRefused, match="prod"):
        Settings.from_environment({"APP_PROFILE": "prod"})


@pytest.mark.parametrize("name", ["secret_key", "demo_password"])
def test_what_the_demo_makes_up_is_random_kept_and_nobody_elses(tmp_path: Path, name: str) -> None:
    one = Settings.from_environment({"DATA_DIR": str(tmp_path / "one")})
    again = Settings.from_environment({"DATA_DIR": str(tmp_path / "one")})
    other = Settings.from_environment({"DATA_DIR": str(tmp_path / "other")})
    assert getattr(one, name) == getattr(again, name) != getattr(other, name)
    assert (tmp_path / "one" / name).stat().st_mode & 0o077 == 0


class TestDemoAccounts:
    @pytest.fixture
    def production_app(self, app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Flask:
        monkeypatch.setitem(app.config, "SETTINGS", production(tmp_path))
        monkeypatch.setattr("app.cli.upgrade", lambda: None)
        monkeypatch.setattr("app.cli.seed", lambda: None)
        return app

    def test_production_does_not_start_on_them(self, production_app: Flask, session: Session) -> None:
        user = make_user(username="anybody")
        with unit_of_work(SYSTEM):
            user.email = f"anybody{DEMO_MAIL}"
        with pytest.raises(SettingsRefused, match="demo accounts"):
            start.callback()

    def test_a_real_person_may_be_called_like_one(
        self, production_app: Flask, session: Session, capsys: pytest.CaptureFixture[str]
    ) -> None:
        for account in ACCOUNTS:
            make_user(username=account.username)
        start.callback()
        assert "http://" in capsys.readouterr().out

    def test_they_are_not_loaded_there(self, production_app: Flask, session: Session) -> None:
        answer = production_app.test_cli_runner().invoke(args=["demo", "load"])
        assert answer.exit_code != 0
        assert "refused in production" in answer.output
