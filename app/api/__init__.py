"""The REST API: Flask-AppBuilder's conventions over the same services and the same policy."""

from __future__ import annotations

from flask_appbuilder import AppBuilder

from app.api.adjustment import AdjustmentApi
from app.api.agent import AgentApi
from app.api.attachment import AttachmentApi
from app.api.base import OfficeApi
from app.api.change import ChangeApi
from app.api.declaration import DeclarationApi
from app.api.dictionary import DictionaryApi
from app.api.openapi import OpenApi
from app.api.project import ProjectApi
from app.api.task import TaskApi
from app.api.unit import UnitApi

APIS: tuple[type[OfficeApi], ...] = (
    UnitApi,
    DictionaryApi,
    ProjectApi,
    DeclarationApi,
    ChangeApi,
    AdjustmentApi,
    TaskApi,
    AgentApi,
    AttachmentApi,
    OpenApi,
)
"""Every resource, and the document that describes them."""


def register(appbuilder: AppBuilder) -> None:
    """Register every API."""
    for api in APIS:
        appbuilder.add_api(api)
