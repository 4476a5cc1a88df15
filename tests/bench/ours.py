"""Our own pages."""

from __future__ import annotations

import json
import os
from collections.abc import Callable

from flask import Flask
from sqlalchemy import func, select, update

from app import create_app
from app.extensions import db
from app.models.project import Project
from app.models.user import UserSession
from tests.bench.measure import Statements, page, token


def main() -> None:
    """Log in as a reviewer and fetch lists, a detail page and the workbench."""
    app = create_app()
    client = app.test_client()
    form = {"username": "reviewer", "password": os.environ["DEMO_PASSWORD"]}
    form["csrf_token"] = token(client.get("/login/").text)
    if client.post("/login/", data=form).status_code != 302:
        raise SystemExit("the reviewer cannot log in")
    with app.test_request_context():
        projects = app.url_for("ProjectView.list")
        summary = app.url_for("DeclarationSummaryView.list")
        tasks = app.url_for("ReviewTaskView.list")
        middle = db.session.scalar(
            select(Project.id)
            .where(Project.id >= select(func.max(Project.id) / 2).scalar_subquery())
            .limit(1)
        )
        detail = app.url_for("ProjectView.show", pk=middle)
    deep = max(1, min(3000, _rows(app) // 25 - 1))
    counted = Statements()
    result = {
        "list, first after a change": page(client, counted, projects, before=_change(app)),
        "list, filtered after a change": page(
            client, counted, f"{projects}?title=运维&year=2026", before=_change(app)
        ),
        "list, first": page(client, counted, projects),
        "list, filtered": page(client, counted, f"{projects}?title=运维&year=2026"),
        "list, page 3000": page(client, counted, f"{projects}?page={deep}"),
        "list, sorted by amount": page(client, counted, f"{projects}?sort=-requested_amount"),
        "summary": page(client, counted, summary),
        "my tasks": page(client, counted, tasks),
        "detail": page(client, counted, detail),
        "workbench": page(client, counted, "/"),
    }
    print(json.dumps(result))


def _change(app: Flask) -> Callable[[], None]:
    """Somebody commits something, so that nothing read before may be relied on."""

    def change() -> None:
        with app.app_context(), db.engine.begin() as connection:
            connection.execute(update(UserSession).values(seen_at=UserSession.seen_at))

    return change


def _rows(app: Flask) -> int:
    with app.app_context():
        return db.session.scalar(select(func.count()).select_from(Project)) or 0


if __name__ == "__main__":
    main()
