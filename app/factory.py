"""Putting the application together: extensions, headers, views, API, commands, queue."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from flask import Flask, Response, request
from werkzeug.middleware.proxy_fix import ProxyFix

from app import api, cli, tasks, views
from app.extensions import csrf, db, migrate, talisman
from app.gateways.storage import make_storage
from app.services import attachment
from app.views.security.appbuilder import OfficeAppBuilder
from app.views.security.manager import OfficeSecurityManager
from config import ROOT, VERSION, Settings

_SECURITY_POLICY = {
    "default-src": "'self'",
    "script-src": "'self'",
    "style-src": ["'self'", "'unsafe-inline'"],
    "img-src": ["'self'", "data:"],
    "font-src": "'self'",
    "object-src": "'none'",
    "base-uri": "'none'",
    "form-action": "'self'",
    "frame-ancestors": "'self'",
}


def build(settings: Settings) -> Flask:
    """The application for one set of settings."""
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    app = Flask("app", root_path=str(ROOT / "app"))
    app.config.from_mapping(settings.flask_config())
    app.json.ensure_ascii = False  # type: ignore[attr-defined]  # Flask types json as its base provider
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    if settings.trusted_proxies:
        hops = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]

    db.init_app(app)
    migrate.init_app(
        app, db, directory=str(ROOT / "app" / "migrations"), compare_type=True, render_as_batch=True
    )
    csrf.init_app(app)
    talisman.init_app(
        app,
        force_https=settings.https,
        strict_transport_security=settings.https,
        strict_transport_security_max_age=31_536_000,
        session_cookie_secure=settings.https,
        content_security_policy=_SECURITY_POLICY,
        content_security_policy_nonce_in=["script-src"],
        referrer_policy="same-origin",
        frame_options="SAMEORIGIN",
    )
    _bust_caches(app)
    attachment.bind(make_storage(settings.storage_url))
    with app.app_context():
        appbuilder = OfficeAppBuilder(
            app,
            db.session,
            indexview=views.IndexView,
            base_template="shell/base.html",
            security_manager_class=OfficeSecurityManager,
            update_perms=False,
        )
        views.register(appbuilder)
        api.register(appbuilder)
    views.install(app)
    cli.install(app)
    tasks.install(app)
    return app


def _bust_caches(app: Flask) -> None:
    """Static addresses carry the file's time: a browser keeps each for a year and never meets an old one
    after an upgrade. What a script or style asks for by itself carries none and is asked for again."""
    folder = Path(app.static_folder or "")

    @lru_cache
    def stamp(filename: str) -> str:
        try:
            return f"{(folder / filename).stat().st_mtime_ns:x}"
        except OSError:
            return VERSION

    @app.url_defaults
    def add_stamp(endpoint: str, values: dict[str, object]) -> None:
        if endpoint == "static" and "v" not in values:
            values["v"] = stamp(str(values.get("filename", "")))

    @app.after_request
    def keep(response: Response) -> Response:
        if request.endpoint == "static" and "v" in request.args and response.status_code in (200, 304):
            response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        return response
