"""附件 for programs: listed, taken in, handed out and taken away through the document they belong to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from flask import Response, request
from flask_babel import gettext
from sqlalchemy.orm import joinedload
from sqlalchemy.sql.base import ExecutableOption

from app.access import policy
from app.api.base import ReadApi, current_actor
from app.api.document import WRITE_ERRORS, record_of, route
from app.api.fields import Field, FieldSet
from app.api.kinds import ID, MOMENT, TEXT, WHOLE, WORDS, Whole, code
from app.api.listing import NOTHING
from app.core import download
from app.core.errors import InvalidInput, Problem, UnsupportedFile
from app.models.attachment import Attachment
from app.models.user import AppUser
from app.services import attachment
from app.services.reading import Unreadable

_CHUNK = 1 << 16
_KEYS = frozenset({"owner_kind", "owner_id", "category"})
_UPLOAD = {
    "type": "object",
    "required": ["owner_kind", "owner_id", "category", "file"],
    "properties": {
        "owner_kind": {"type": "string", "enum": sorted(policy.OWNERS)},
        "owner_id": {"type": "integer"},
        "category": code("attachment_category").schema,
        "file": {"type": "string", "format": "binary"},
    },
}


class AttachmentApi(ReadApi):
    """`/api/v1/attachment/`. No permission of its own stands before it: whoever may read the document may
    fetch its files, whoever may fill it in, or change it in review, may add and remove them."""

    noun = "attachment"
    model = Attachment
    component = "Attachment"
    open_to_everyone = True
    include_route_methods = {"get_list", "get", "post", "content", "delete"}
    fields = FieldSet(
        (
            Field("id", ID, Attachment.id),
            Field("owner_kind", TEXT, Attachment.owner_kind),
            Field("owner_id", ID, Attachment.owner_id),
            Field("category", code("attachment_category"), Attachment.category),
            Field("name", TEXT, Attachment.name),
            Field("media_type", TEXT, Attachment.media_type),
            Field("size", WHOLE, Attachment.size),
            Field("sha256", TEXT, Attachment.sha256),
            Field("created_at", MOMENT, Attachment.created_at),
            Field("created_by.id", ID, Attachment.created_by_id),
            Field(
                "created_by.name",
                WORDS,
                AppUser.last_name + AppUser.first_name,
                attribute="created_by.full_name",
                join=Attachment.created_by,
                sortable=False,
            ),
        )
    )

    def options(self) -> tuple[ExecutableOption, ...]:
        return (joinedload(Attachment.created_by),)

    @route(
        "POST",
        "/",
        "add",
        "Attach a file to a document",
        answer=record_of("Attachment"),
        status=201,
        body=_UPLOAD,
        body_media="multipart/form-data",
        errors=WRITE_ERRORS,
    )
    def post(self) -> Response:
        """Take in one file; sent twice under one category it is kept once."""
        if request.mimetype != "multipart/form-data":
            raise UnsupportedFile("Send the file as multipart/form-data.")
        form, file = request.form, request.files.get("file")
        problems = {
            name[:80]: [Problem.of("There is no such field, or it may not be set.")]
            for name in (form.keys() - _KEYS) | (request.files.keys() - {"file"})
        }
        problems |= {name: [Problem.of("This is required.")] for name in _KEYS if not form.get(name)}
        if file is None or not file.filename:
            problems["file"] = [Problem.of("Choose a file.")]
        try:
            owner_id = Whole().read(form.get("owner_id"), NOTHING)
        except Unreadable as error:
            problems.setdefault("owner_id", [error.problem])
        if problems or file is None:
            raise InvalidInput(problems)
        row = attachment.add(
            current_actor(), form["owner_kind"], owner_id, form["category"], file.filename or "", file.stream
        )
        return self.answer(201, id=row.id, result=self.record(row.id))

    @route(
        "GET",
        "/<int:pk>/content",
        "read",
        "The file itself",
        answer={"type": "string", "format": "binary"},
        media="application/octet-stream",
    )
    def content(self, pk: int) -> Response:
        """The file, always to be saved and never shown by a browser (SEC-17, SEC-31)."""
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

    @route("DELETE", "/<int:pk>", "remove", "Take a file away", answer="Message", errors=(401, 403, 404, 409))
    def delete(self, pk: int) -> Response:
        """Take a file away; its name and digest stay in the log."""
        attachment.remove(current_actor(), pk)
        return self.answer(message=gettext("The attachment was deleted."))


def _stream(content: BinaryIO) -> Iterator[bytes]:
    while chunk := content.read(_CHUNK):
        yield chunk
