"""Attachments: taken in whole or not at all, only what they say they are, only for whom the document is."""

from __future__ import annotations

import datetime as dt
import hashlib
import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.access import policy
from app.access.actor import SYSTEM, Actor
from app.core.errors import Conflict, InvalidInput, NotFound, TooLarge, UnsupportedFile
from app.gateways.storage import LocalStorage
from app.models.attachment import Attachment
from app.models.declaration import Declaration
from app.models.dictionary import RuleParameter
from app.models.log import FieldChange, SystemLog
from app.models.unit import Unit
from app.services import attachment, review
from app.services import declaration as declarations
from app.services.unit_of_work import unit_of_work
from tests import samples
from tests.factories import make_actor, make_unit

MB = 1 << 20
EICAR = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$" + b"EICAR-STANDARD-ANTIVIRUS" + b"-TEST-FILE!$H+H*"


class Endless(io.RawIOBase):
    """A sender that does not say how much comes, and never stops."""

    def __init__(self) -> None:
        self.sent = 0

    def read(self, size: int = -1) -> bytes:
        self.sent += size
        return b"%PDF-" + b"x" * (size - 5)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    before = attachment._desk.storage
    attachment.bind(LocalStorage(tmp_path / "files"))
    yield tmp_path / "files"
    if before is not None:
        attachment.bind(before)


@pytest.fixture
def office(session: Session) -> Unit:
    return make_unit()


@pytest.fixture
def handler(office: Unit) -> Actor:
    return make_actor("unit_handler", office)


@pytest.fixture
def draft(handler: Actor, folder: Path) -> Declaration:
    return declarations.create(handler, samples.maintenance())


def add(
    actor: Actor,
    draft: Declaration,
    name: str = "会议纪要.pdf",
    content: bytes | None = None,
    category: str = "BASIS",
) -> Attachment:
    data = samples.pdf() if content is None else content
    return attachment.add(actor, "declaration", draft.id, category, name, io.BytesIO(data))


def files_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def set_parameter(session: Session, key: str, value: str) -> None:
    with unit_of_work(SYSTEM):
        session.add(
            RuleParameter(
                key=key, value=value, label_zh=key, label_en=key, effective_from=dt.date(2026, 1, 2)
            )
        )


def zipped(**entries: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def test_a_file_is_kept_under_a_name_of_ours_with_its_digest(
    session: Session, handler: Actor, draft: Declaration, folder: Path
) -> None:
    row = add(handler, draft, "../../政务\u202e会议纪要.pdf")

    assert row.name == "政务会议纪要.pdf"
    assert row.media_type == "application/pdf"
    assert row.size == len(samples.pdf())
    assert row.sha256 == hashlib.sha256(samples.pdf()).hexdigest()
    assert [path.name for path in files_in(folder)] == [row.storage_key]
    with attachment.open_attachment(handler, row.id).content as content:
        assert content.read() == samples.pdf()
    assert [each.id for each in attachment.attachments_of(session, handler, "declaration", draft.id)] == [
        row.id
    ]


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("脚本.html", b"<script>", "not accepted"),
        ("图片.svg", b"<svg onload=alert(1)>", "not accepted"),
        ("没有扩展名", b"%PDF-1.4\n%%EOF", "not accepted"),
        ("照片.pdf", b"\x89PNG\r\n\x1a\n", "not %(kind)s"),
        ("程序.jpg", b"<?php system($_GET[0]);", "not %(kind)s"),
        ("空.pdf", b"", "empty"),
        ("测试.pdf", b"%PDF-1.4\n" + EICAR + b"\n%%EOF\n", "malware"),
        ("压缩.zip", zipped(a=EICAR), "malware"),
    ],
)
def test_a_file_that_is_not_what_its_name_says_leaves_nothing_behind(
    session: Session, handler: Actor, draft: Declaration, folder: Path, name: str, content: bytes, words: str
) -> None:
    with pytest.raises(UnsupportedFile) as excinfo:
        add(handler, draft, name, content)

    assert excinfo.value.status == 415
    assert words in excinfo.value.message
    assert files_in(folder) == []
    assert session.scalar(select(func.count(Attachment.id))) == 0


def test_the_office_may_take_fewer_types(session: Session, handler: Actor, draft: Declaration) -> None:
    set_parameter(session, "attachment.types", "png,ofd")
    with pytest.raises(UnsupportedFile) as excinfo:
        add(handler, draft)
    assert excinfo.value.params == {"allowed": "png, ofd"}


@pytest.mark.parametrize(("size", "taken"), [(MB - 1, True), (MB, True), (MB + 1, False)])
def test_one_file_has_a_limit(
    session: Session, handler: Actor, draft: Declaration, folder: Path, size: int, taken: bool
) -> None:
    set_parameter(session, "attachment.max_size_mb", "1")
    content = samples.pdf()
    content = content[:9] + b"x" * (size - len(content)) + content[9:]
    assert len(content) == size
    if taken:
        assert add(handler, draft, content=content).size == size
        return
    with pytest.raises(TooLarge) as excinfo:
        add(handler, draft, content=content)
    assert excinfo.value.status == 413
    assert files_in(folder) == []


@pytest.mark.parametrize(("last", "taken"), [(MB - 1, True), (MB, True), (MB + 1, False)])
def test_one_document_has_a_limit(
    session: Session, handler: Actor, draft: Declaration, folder: Path, last: int, taken: bool
) -> None:
    set_parameter(session, "attachment.max_total_mb", "3")

    def sized(size: int, mark: bytes) -> bytes:
        content = samples.pdf()
        return content[:9] + mark * (size - len(content)) + content[9:]

    add(handler, draft, content=sized(2 * MB, b"a"))
    if taken:
        add(handler, draft, content=sized(last, b"b"))
        assert attachment.total_size(session, "declaration", draft.id) == 2 * MB + last
        return
    with pytest.raises(TooLarge):
        add(handler, draft, content=sized(last, b"b"))
    assert len(files_in(folder)) == 1


def test_an_announced_size_over_the_limit_is_refused_unread(handler: Actor, draft: Declaration) -> None:
    stream = Endless()
    with pytest.raises(TooLarge):
        attachment.add(handler, "declaration", draft.id, "BASIS", "大.pdf", stream, size=51 * MB)
    assert stream.sent == 0


def test_a_sender_that_never_stops_is_cut_off(session: Session, handler: Actor, draft: Declaration) -> None:
    set_parameter(session, "attachment.max_size_mb", "2")
    stream = Endless()
    with pytest.raises(TooLarge):
        attachment.add(handler, "declaration", draft.id, "BASIS", "大.pdf", stream)
    assert stream.sent <= 4 * MB


def test_the_same_file_sent_twice_is_kept_once(
    session: Session, handler: Actor, draft: Declaration, folder: Path
) -> None:
    first, second = add(handler, draft), add(handler, draft)
    other = add(handler, draft, category="QUOTE")

    assert first.id == second.id != other.id
    assert len(files_in(folder)) == 2


def test_an_unknown_category_is_refused(handler: Actor, draft: Declaration) -> None:
    with pytest.raises(InvalidInput) as excinfo:
        add(handler, draft, category="SECRET_PLANS")
    assert set(excinfo.value.fields) == {"category"}


def test_a_failed_transaction_leaves_no_file(
    handler: Actor, draft: Declaration, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_args: object, **_more: object) -> None:
        raise RuntimeError("the disk of the database is full")

    monkeypatch.setattr(attachment, "_note", fail)
    with pytest.raises(RuntimeError):
        add(handler, draft)
    assert files_in(folder) == []


def test_removed_the_file_goes_and_the_log_stays(
    session: Session, handler: Actor, draft: Declaration, folder: Path
) -> None:
    row = add(handler, draft)
    attachment.remove(handler, row.id)

    assert files_in(folder) == []
    assert session.scalar(select(func.count(Attachment.id))) == 0
    events = session.scalars(select(SystemLog.summary).where(SystemLog.event == "ATTACHMENT_REMOVED")).all()
    assert events == [f"BASIS 会议纪要.pdf sha256:{row.sha256}"]


def test_a_removal_that_fails_keeps_the_file(
    session: Session, handler: Actor, draft: Declaration, folder: Path
) -> None:
    row = add(handler, draft)
    with pytest.raises(RuntimeError), unit_of_work(handler):
        attachment.remove(handler, row.id)
        raise RuntimeError
    assert len(files_in(folder)) == 1


def test_a_purged_draft_takes_its_files_along(
    session: Session, handler: Actor, draft: Declaration, folder: Path
) -> None:
    add(handler, draft)
    binned = declarations.recycle(handler, draft.id, draft.version)
    assert len(files_in(folder)) == 1
    declarations.purge(handler, draft.id, binned.version)

    assert files_in(folder) == []
    assert session.scalar(select(func.count(Attachment.id))) == 0


def test_another_units_file_does_not_exist(session: Session, handler: Actor, draft: Declaration) -> None:
    row = add(handler, draft)
    for someone in (make_actor("unit_handler"), make_actor("bureau_reviewer"), make_actor("sys_admin")):
        with pytest.raises(NotFound):
            attachment.open_attachment(someone, row.id)
        with pytest.raises(NotFound):
            attachment.remove(someone, row.id)
        with pytest.raises(NotFound):
            add(someone, draft)
        assert attachment.attachments_of(session, someone, "declaration", draft.id) == []


@pytest.mark.parametrize("kind", ["user", "project", "Declaration", ""])
def test_only_documents_own_files(handler: Actor, draft: Declaration, kind: str) -> None:
    with pytest.raises(NotFound):
        attachment.add(handler, kind, draft.id, "BASIS", "会议纪要.pdf", io.BytesIO(samples.pdf()))


def test_the_rule_and_the_list_agree_in_every_state(
    session: Session, handler: Actor, draft: Declaration
) -> None:
    reviewer = make_actor("bureau_reviewer")
    row = add(handler, draft)
    people = [
        handler,
        make_actor("finance"),
        reviewer,
        make_actor("bureau_checker"),
        make_actor("unit_handler"),
        make_actor("sys_admin"),
        SYSTEM,
    ]

    def agree() -> dict[str, int]:
        reached = {}
        for verb in ("read", "add", "remove"):
            allowed = [policy.may(person, verb, row) for person in people]
            listed = [
                session.scalar(policy.scoped(person, Attachment, verb).where(Attachment.id == row.id))
                is not None
                for person in people
            ]
            assert allowed == listed
            reached[verb] = sum(allowed)
        return reached

    assert agree() == {"read": 2, "add": 2, "remove": 2}, "the handler and the system"
    declarations.submit(handler, draft.id, draft.version)
    assert agree() == {"read": 5, "add": 1, "remove": 1}, "the one who may edit in review"


def test_in_review_the_reviewer_may_add_and_the_unit_sees_it(
    session: Session, handler: Actor, draft: Declaration
) -> None:
    reviewer = make_actor("bureau_reviewer")
    declarations.submit(handler, draft.id, draft.version)
    with pytest.raises(Conflict):
        add(handler, draft)

    row = add(reviewer, draft, "核价说明.pdf", category="NOTE")

    change = session.scalars(select(FieldChange).where(FieldChange.by_reviewer)).one()
    assert (change.field, change.old, change.new) == ("attachments.NOTE", "", "核价说明.pdf")
    with attachment.open_attachment(handler, row.id).content as content:
        assert content.read() == samples.pdf()


def test_what_a_review_record_names_stays(session: Session, handler: Actor, draft: Declaration) -> None:
    reviewer = make_actor("bureau_reviewer")
    make_actor("bureau_checker")
    row = add(handler, draft)
    declarations.submit(handler, draft.id, draft.version)
    task = review.open_task(reviewer, "declaration", draft.id)
    assert task is not None
    review.act(
        reviewer, task.id, "return", version=task.version, opinion="纪要不全。", attachment_ids=[row.id]
    )
    with pytest.raises(Conflict):
        attachment.remove(handler, row.id)


def test_the_daily_task_removes_what_no_row_names(
    session: Session, handler: Actor, draft: Declaration, folder: Path
) -> None:
    row = add(handler, draft)
    storage = LocalStorage(folder)
    storage.save("0" * 32, io.BytesIO(b"left by a killed process"))
    now = dt.datetime.now(dt.UTC)

    assert attachment.remove_orphans(session, now=now) == 0, "it may still be on its way to its commit"
    assert attachment.remove_orphans(session, now=now + dt.timedelta(days=1, minutes=1)) == 1
    assert [path.name for path in files_in(folder)] == [row.storage_key]


def test_a_file_the_store_has_lost_is_said_to_be_missing(
    handler: Actor, draft: Declaration, folder: Path
) -> None:
    row = add(handler, draft)
    files_in(folder)[0].unlink()
    with pytest.raises(NotFound):
        attachment.open_attachment(handler, row.id)
