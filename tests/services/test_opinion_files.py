"""Files given with an opinion: the reviewer's alone while he writes, then whoever's may read the history."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from app.access.actor import SYSTEM, Actor
from app.core.errors import Conflict, DomainError, InvalidInput, NotFound, TooLarge, UnsupportedFile
from app.gateways.storage import LocalStorage
from app.models.attachment import OF_OPINION, OF_TASK, Attachment
from app.models.base import utcnow
from app.services import attachment, review
from app.services.unit_of_work import current_session, unit_of_work
from tests import samples
from tests.factories import make_actor, make_unit
from tests.services.test_attachment import EICAR, Endless
from tests.workflow.support import Office, declarations_for_tests, publish_flow, step


@pytest.fixture
def office(session: Session, tmp_path: Path) -> Iterator[Office]:
    before = attachment._desk.storage
    attachment.bind(LocalStorage(tmp_path / "files"))
    with declarations_for_tests() as outcomes:
        unit = make_unit()
        yield Office(unit, make_actor("unit_handler", unit), outcomes)
    if before is not None:
        attachment.bind(before)


def upload(office: Office, actor: Actor, declaration: int, name: str = "核减说明.pdf") -> Attachment:
    task = office.task(actor, declaration)
    return attachment.add(actor, OF_TASK, task.id, "", name, io.BytesIO(samples.pdf()))


def readers(row: Attachment, *actors: Actor) -> list[bool]:
    """Which of them may fetch the file."""
    found = []
    for actor in actors:
        try:
            attachment.open_attachment(actor, row.id).content.close()
        except NotFound:
            found.append(False)
        else:
            found.append(True)
    return found


def test_goes_with_the_decision_and_is_read_by_whoever_reads_the_history(office: Office) -> None:
    first, last = office.people(2)
    publish_flow(step("first", first), step("last", last))
    declaration = office.submitted()
    row = upload(office, first, declaration)
    everybody = (first, last, office.handler, office.stranger())
    assert readers(row, *everybody) == [True, False, False, False]
    office.act(first, declaration, "approve", opinion="核减见附件", attachment_ids=None)
    entry = office.log(declaration)[-1]
    assert entry.attachment_ids == [row.id]
    assert (row.owner_kind, row.owner_id) == (OF_OPINION, entry.id)
    assert readers(row, *everybody) == [True, True, True, False]
    assert review.timeline(office.handler, "declaration", declaration).files[row.id].name == "核减说明.pdf"


@pytest.mark.parametrize("verb", ["return", "reject", "transfer", "delegate", "add_signer"])
def test_goes_with_every_verb_that_carries_an_opinion(office: Office, verb: str) -> None:
    first, other = office.people(2)
    publish_flow(step("first", first))
    declaration = office.submitted()
    row = upload(office, first, declaration)
    office.act(first, declaration, verb, opinion="见附件", to_user=other.user_id, attachment_ids=None)
    assert office.log(declaration)[-1].attachment_ids == [row.id]


def test_a_refused_decision_loses_nothing(office: Office) -> None:
    (first,) = office.people(1)
    publish_flow(step("first", first))
    declaration = office.submitted()
    row = upload(office, first, declaration)
    with pytest.raises(InvalidInput):
        office.act(first, declaration, "return", opinion=" ", attachment_ids=None)
    panel = review.panel(first, "declaration", declaration)
    assert panel is not None and [file.id for file in panel.files] == [row.id]


def test_may_be_taken_away_before_and_never_after(office: Office) -> None:
    first, last = office.people(2)
    publish_flow(step("first", first), step("last", last))
    declaration = office.submitted()
    gone, kept = upload(office, first, declaration, "甲.pdf"), upload(office, first, declaration, "乙.pdf")
    attachment.remove(first, gone.id)
    office.act(first, declaration, "approve", attachment_ids=None)
    for actor in (first, last, office.handler):
        with pytest.raises(DomainError):
            attachment.remove(actor, kept.id)
    assert office.log(declaration)[-1].attachment_ids == [kept.id]


def test_copies_and_saved_words_take_no_file_along(office: Office) -> None:
    first, reader = office.people(2)
    publish_flow(step("first", first))
    declaration = office.submitted()
    row = upload(office, first, declaration)
    office.act(first, declaration, "copy_to", to_user=reader.user_id, attachment_ids=None)
    office.act(first, declaration, "save_opinion", opinion="未完", attachment_ids=None)
    assert row.owner_kind == OF_TASK


def test_only_to_ones_own_open_task(office: Office) -> None:
    first, last = office.people(2)
    publish_flow(step("first", first), step("last", last))
    declaration = office.submitted()
    task = office.task(first, declaration)
    for actor in (last, office.handler, office.stranger()):
        with pytest.raises(NotFound):
            attachment.add(actor, OF_TASK, task.id, "", "甲.pdf", io.BytesIO(samples.pdf()))
    office.approve(declaration, first)
    with pytest.raises(Conflict):
        upload(office, first, declaration)


def test_of_another_task_are_refused_by_name(office: Office) -> None:
    first, other = office.people(2)
    publish_flow(step("first", first, other))
    one, two = office.submitted(), office.submitted()
    theirs = upload(office, other, one)
    mine = upload(office, first, two)
    for row in (theirs, mine):
        with pytest.raises(InvalidInput) as refused:
            office.act(first, one, "approve", attachment_ids=[row.id])
        assert "attachments" in refused.value.fields
    assert office.verbs(one) == ["submit"]


def test_are_looked_through_like_every_other_file(office: Office) -> None:
    (first,) = office.people(1)
    publish_flow(step("first", first))
    task = office.task(first, office.submitted())
    for name, stream, refusal in (
        ("病毒.pdf", io.BytesIO(b"%PDF-1.4\n" + EICAR), UnsupportedFile),
        ("脚本.html", io.BytesIO(b"<script>"), UnsupportedFile),
        ("图片.png", io.BytesIO(samples.pdf()), UnsupportedFile),
        ("很大.pdf", Endless(), TooLarge),
    ):
        with pytest.raises(refusal):
            attachment.add(first, OF_TASK, task.id, "", name, stream)


def test_those_of_a_task_somebody_else_closed_are_removed_after_a_month(office: Office) -> None:
    first, twin = office.people(2)
    publish_flow(step("first", first, twin))
    declaration = office.submitted()
    gone = upload(office, first, declaration)
    office.approve(declaration, twin)
    still_open = upload(office, first, office.submitted())
    for days, removed in ((29, 0), (31, 1), (31, 0)):
        with unit_of_work(SYSTEM) as session:
            now = utcnow() + dt.timedelta(days=days)
            assert attachment.remove_abandoned(session, now=now) == removed
    assert current_session().get(Attachment, gone.id) is None
    assert current_session().get(Attachment, still_open.id) is not None
