"""Attachments: taken in and handed out only through the policy of the document they belong to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from flask import Response, jsonify, make_response, request
from flask_appbuilder import BaseView, expose
from flask_babel import gettext
from flask_login import login_required

from app.core import download
from app.core.errors import InvalidInput, Problem
from app.services import attachment
from app.views.actor import current_actor
from app.views.document.files import file_view

_CHUNK = 1 << 16


class AttachmentView(BaseView):
    """Whoever may read a document may fetch its files, whoever may fill it in may change them.

    No permission of its own stands before it: reviewers and signers from other units come here too.
    """

    route_base = "/attachment"
    default_view = "content"

    @expose("/<int:pk>/content")
    @login_required
    def content(self, pk: int) -> Response:
        """The file, always to be saved and never shown by the browser (SEC-17, SEC-31)."""
        opened = attachment.open_attachment(current_actor(), pk)
        row = opened.row
        response = Response(
            _stream(opened.content),
            mimetype=row.media_type,
            headers=download.headers(row.name, row.size),
            direct_passthrough=True,
        )
        response.call_on_close(opened.content.close)
        return response

    @expose("/upload", methods=["POST"])
    @login_required
    def upload(self) -> Response:
        """Take in one file: `owner_kind`, `owner_id`, `category`, `file`; answers JSON."""
        file = request.files.get("file")
        owner_id = request.form.get("owner_id", "")
        if file is None or not file.filename:
            raise InvalidInput({"file": [Problem.of("Choose a file.")]})
        if not (owner_id.isascii() and owner_id.isdigit() and len(owner_id) < 12):
            raise InvalidInput(
                {"owner_id": [Problem.of("“%(value)s” is not a whole number from 1.", value=owner_id)]}
            )
        row = attachment.add(
            current_actor(),
            request.form.get("owner_kind", ""),
            int(owner_id),
            request.form.get("category", ""),
            file.filename,
            file.stream,
        )
        view = file_view(row)
        body = {
            "id": view.id,
            "name": view.name,
            "size": row.size,
            "size_text": view.size,
            "href": view.href,
            "remove_href": view.remove_href,
        }
        return make_response(jsonify(body), 201)

    @expose("/<int:pk>/remove", methods=["POST"])
    @login_required
    def remove(self, pk: int) -> Response:
        """Take a file away; answers JSON."""
        attachment.remove(current_actor(), pk)
        return jsonify({"message": gettext("The attachment was deleted.")})


def _stream(content: BinaryIO) -> Iterator[bytes]:
    while chunk := content.read(_CHUNK):
        yield chunk
