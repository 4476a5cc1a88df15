"""The REST API: Flask-AppBuilder's conventions over the same services and the same policy."""

from __future__ import annotations

from flask_appbuilder import AppBuilder


def register(appbuilder: AppBuilder) -> None:
    """Register every API."""
    for api in ():
        appbuilder.add_api(api)
