"""A plain Flask-AppBuilder list over the same rows and columns, as its documentation writes it."""

from __future__ import annotations

import json
import os

from flask import Flask
from flask_appbuilder import AppBuilder, ModelView
from flask_appbuilder.models.sqla.interface import SQLAInterface
from sqlalchemy.orm import Mapped, relationship

import app.models
from app.extensions import Model, db
from app.models.project import Project
from app.models.unit import Unit
from tests.bench.measure import Statements, page

assert app.models


class PlainUnit(Model):
    """The unit table, mapped plainly."""

    __table__ = Unit.__table__

    def __repr__(self) -> str:
        return str(self.short_name)


class PlainProject(Model):
    """The project table, mapped plainly."""

    __table__ = Project.__table__

    unit: Mapped[PlainUnit] = relationship(PlainUnit, lazy="joined", viewonly=True)


class PlainProjectView(ModelView):
    """What a first Flask-AppBuilder application writes."""

    datamodel = SQLAInterface(PlainProject)
    list_columns = [
        "code",
        "title",
        "unit",
        "declaration_type",
        "requested_amount",
        "arranged_amount",
        "stage",
        "construction_status",
        "updated_at",
    ]
    search_columns = ["code", "title", "unit", "construction_status", "budget_year"]
    base_order = ("id", "desc")
    page_size = 25


def main() -> None:
    """Build it, log in as its administrator, fetch the same three pages."""
    plain = Flask(__name__)
    plain.config.update(
        SECRET_KEY="bench",
        SQLALCHEMY_DATABASE_URI=os.environ["DATABASE_URL"],
        WTF_CSRF_ENABLED=False,
        FAB_ADD_SECURITY_VIEWS=True,
    )
    db.init_app(plain)
    with plain.app_context():
        appbuilder = AppBuilder(plain, db.session)
        appbuilder.add_view(PlainProjectView, "Projects", category="Projects")
        admin = appbuilder.sm.find_role("Admin")
        appbuilder.sm.add_user("plain", "plain", "plain", "plain@example.invalid", admin, "plain")
        total = db.session.query(PlainProject).count()
    client = plain.test_client()
    client.post("/login/", data={"username": "plain", "password": "plain"})
    counted = Statements()
    base = "/plainprojectview/list/"
    deep = max(1, min(3000, total // 25 - 1)) - 1
    result = {
        "list, first": page(client, counted, base),
        "list, filtered": page(client, counted, f"{base}?_flt_2_title=运维&_flt_0_budget_year=2026"),
        "list, page 3000": page(client, counted, f"{base}?page_PlainProjectView={deep}"),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
