"""Every setting, from the environment, with the profiles demo (default), production and testing."""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent
VERSION = "0.1.0"
PROFILES = ("demo", "production", "testing")
WEAK_SECRETS = frozenset({"secret", "changeme", "dev", "test", "password"})
SHORTEST_SECRET = 32


class SettingsRefused(RuntimeError):
    """The program must not start with these settings; the message says which and what to do."""


@dataclass(frozen=True)
class Settings:
    """What the environment said; `flask_config()` is what Flask and its extensions read."""

    profile: str
    host: str
    port: int
    web_workers: int
    data_dir: Path
    secret_key: str
    database_url: str
    huey_url: str
    storage_url: str
    demo_password: str
    demo_projects: int
    office_name: str
    hotline: str
    https: bool
    trusted_proxies: int
    trusted_hosts: list[str]
    sms_gateway: str
    extra: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def from_environment(cls, environ: dict[str, str] | None = None) -> Settings:
        """Read the settings. Raises `SettingsRefused` for an unknown profile or an unsafe production."""
        env = dict(os.environ if environ is None else environ)
        profile = env.get("APP_PROFILE", "demo")
        if profile not in PROFILES:
            raise SettingsRefused(f"APP_PROFILE is {profile!r}; choose one of {', '.join(PROFILES)}.")
        data_dir = Path(env.get("DATA_DIR", str(ROOT / "var"))).resolve()
        settings = cls(
            profile=profile,
            host=env.get("HOST", "127.0.0.1"),
            port=int(env.get("PORT", "8080")),
            web_workers=int(env.get("WEB_WORKERS", "2")),
            data_dir=data_dir,
            secret_key=env.get("SECRET_KEY", "") or _kept_secret(profile, data_dir, "secret_key"),
            database_url=env.get("DATABASE_URL", f"sqlite:///{data_dir / 'app.db'}"),
            huey_url=env.get("HUEY_URL", f"sqlite:///{data_dir / 'queue.db'}"),
            storage_url=env.get("STORAGE_URL", f"file://{data_dir / 'files'}"),
            demo_password=env.get("DEMO_PASSWORD", "") or _kept_secret(profile, data_dir, "demo_password"),
            demo_projects=int(env.get("DEMO_PROJECTS", "300")),
            office_name=env.get("OFFICE_NAME", "开平市政务服务和数据管理局"),
            hotline=env.get("HOTLINE", ""),
            https=env.get("HTTPS", "1" if profile == "production" else "0") == "1",
            trusted_proxies=int(env.get("TRUSTED_PROXIES", "0")),
            trusted_hosts=[host for host in env.get("TRUSTED_HOSTS", "").split(",") if host],
            sms_gateway=env.get("SMS_GATEWAY", "recording"),
            extra={key: value for key, value in env.items() if key.startswith(("LDAP_", "YUEZHENGYI_"))},
        )
        if profile == "production":
            settings._refuse_unsafe(env)
        return settings

    def _refuse_unsafe(self, env: dict[str, str]) -> None:
        weak = self.secret_key.lower() in WEAK_SECRETS or len(set(self.secret_key)) < 10
        if weak or len(self.secret_key) < SHORTEST_SECRET:
            raise SettingsRefused(
                f"SECRET_KEY must be random and at least {SHORTEST_SECRET} characters long in production."
            )
        if env.get("FLASK_DEBUG", "0") not in ("", "0"):
            raise SettingsRefused("FLASK_DEBUG must be off in production.")
        if not self.https:
            raise SettingsRefused(
                "HTTPS=0 is refused in production: session cookies would travel in the clear."
            )
        if not self.trusted_hosts:
            raise SettingsRefused(
                "TRUSTED_HOSTS must name the host names people use in production, separated by commas: "
                "a request that names another host is refused."
            )

    def flask_config(self) -> dict[str, Any]:
        """The configuration of Flask, Flask-AppBuilder and the other extensions."""
        engine: dict[str, Any] = {"pool_pre_ping": True}
        if self.database_url.startswith("sqlite"):
            engine = {"connect_args": {"check_same_thread": False, "timeout": 15}}
        elif self.database_url.startswith("postgresql"):
            # Compiling a list's statement takes longer than running it.
            engine["connect_args"] = {"options": "-c jit=off"}
        return {
            "SETTINGS": self,
            "SECRET_KEY": self.secret_key,
            "SQLALCHEMY_DATABASE_URI": self.database_url,
            "SQLALCHEMY_ENGINE_OPTIONS": engine,
            "MAX_CONTENT_LENGTH": 52 * 1024 * 1024,
            "MAX_FORM_MEMORY_SIZE": 4 * 1024 * 1024,
            "MAX_FORM_PARTS": 8000,
            "APP_NAME": "政务信息化项目管理系统",
            "BABEL_DEFAULT_LOCALE": "zh",
            "BABEL_DEFAULT_TIMEZONE": "Asia/Shanghai",
            "BABEL_TRANSLATION_DIRECTORIES": str(ROOT / "translations"),
            "LANGUAGES": {
                "zh": {"flag": "cn", "name": "简体中文"},
                "en": {"flag": "gb", "name": "English"},
            },
            "AUTH_TYPE": 1,
            "AUTH_USER_REGISTRATION": False,
            "FAB_UPDATE_PERMS": False,
            "FAB_CREATE_DB": False,
            "FAB_ADD_SECURITY_VIEWS": False,
            "FAB_API_SWAGGER_UI": False,
            "FAB_API_SHOW_STACKTRACE": False,
            "FAB_API_MAX_PAGE_SIZE": 500,
            "JWT_ACCESS_TOKEN_EXPIRES": timedelta(hours=12),
            "SESSION_COOKIE_NAME": "__Host-session" if self.https else "session",
            "SESSION_COOKIE_SECURE": self.https,
            "SESSION_COOKIE_HTTPONLY": True,
            "SESSION_COOKIE_SAMESITE": "Lax",
            "SESSION_COOKIE_PATH": "/",
            "WTF_CSRF_TIME_LIMIT": None,
            "WTF_CSRF_SSL_STRICT": self.https,
            "TRUSTED_HOSTS": self.trusted_hosts or None,
            **self.extra,
        }


def _kept_secret(profile: str, data_dir: Path, name: str) -> str:
    """A random secret made at the first start and kept beside the data; none in production."""
    if profile == "production":
        return ""
    if profile == "testing":
        return secrets.token_urlsafe(32)
    path = data_dir / name
    if not path.exists():
        data_dir.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(48 if name == "secret_key" else 9), encoding="ascii")
    return path.read_text(encoding="ascii").strip()
