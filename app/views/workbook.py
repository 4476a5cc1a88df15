"""Sending a workbook that a service has written."""

from __future__ import annotations

from flask import Response, send_file

from app.core import download
from app.services.export import Workbook

EXCEL = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def send(written: Workbook, name: str) -> Response:
    """The workbook as a download called `name`."""
    response = send_file(written.file, mimetype=EXCEL)
    response.headers.update(download.headers(f"{name}.xlsx", written.size))
    response.headers["X-Rows"] = str(written.count)
    return response
