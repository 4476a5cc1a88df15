"""Attached files as pages show them."""

from __future__ import annotations

from dataclasses import dataclass

from flask import url_for

from app.models.attachment import Attachment

_MB = 1 << 20


@dataclass(frozen=True)
class FileView:
    """One attached file."""

    id: int
    name: str
    size: str
    href: str
    remove_href: str


@dataclass(frozen=True)
class Card:
    """One category of attachments."""

    category: str
    label: str
    required: bool
    expected: bool
    files: tuple[FileView, ...]


def file_view(row: Attachment) -> FileView:
    """One attached file as a page shows it."""
    return FileView(
        row.id,
        row.name,
        size_text(row.size),
        url_for("AttachmentView.content", pk=row.id),
        url_for("AttachmentView.remove", pk=row.id),
    )


def size_text(size: int) -> str:
    """120 KB, 3.4 MB."""
    return f"{size / _MB:.1f} MB" if size >= _MB else f"{max(1, -(-size // 1024))} KB"
