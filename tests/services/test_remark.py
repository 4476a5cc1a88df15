"""Remarks and answers: who may say what, what the other side is told, and what the next round sees."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.access.actor import SYSTEM, Actor
from app.access.policy import POLICY
from app.core.errors import Conflict, InvalidInput, NotAllowed, NotFound
from app.core.flow import RemarkState
from app.models.attachment import Attachment
from app.models.dictionary import RuleParameter
from app.models.message import OutboxMessage
from app.models.remark import Remark
from app.services import log, remark
from app.services.log import Difference
from app.services.unit_of_work import current_session, unit_of_work
from app.workflow.registry import registered
from tests.factories import make_actor, make_unit
from tests.sql import count_statements
from tests.workflow.support import Office, declarations_for_tests, publish_flow, step

KIND = "declaration"


@pytest.fixture
def office(session: Session) -> Iterator[Office]:
    with declarations_for_tests() as outcomes:
        unit = make_unit()
        yield Office(unit, make_actor("unit_handler", unit), outcomes)


@pytest.fixture
def reviewer(office: Office) -> Actor:
    (first,) = office.people(1)
    publish_flow(step("first", first))
    return first


def said(template: str) -> list[tuple[int, str]]:
    """Whom a message of this kind was put out for, and the count it names."""
    rows = current_session().execute(
        select(OutboxMessage.recipient_id, OutboxMessage.params)
        .where(OutboxMessage.template == template)
        .order_by(OutboxMessage.id)
    )
    return [(row.recipient_id, row.params["count"]) for row in rows]


def state(row: Remark) -> RemarkState:
    found = current_session().get(Remark, row.id, populate_existing=True)
    assert found is not None
    return found.state


class TestReviewer:
    def test_pins_a_remark_and_nothing_moves(self, office: Office, reviewer: Actor) -> None:
        document = office.submitted()
        before = (office.at(document), office.task(reviewer, document).version, len(office.log(document)))
        row = remark.add(
            reviewer,
            KIND,
            document,
            "  单价依据不足。 ",
            field="budget_lines.0.unit_price",
            label="预算明细 · 1",
        )
        assert (row.text, row.label, row.round, row.state) == (
            "单价依据不足。",
            "预算明细 · 1",
            1,
            RemarkState.OPEN,
        )
        assert (
            office.at(document),
            office.task(reviewer, document).version,
            len(office.log(document)),
        ) == before
        assert said("remarks_asked") == [], "nobody is told of each click"

    @pytest.mark.parametrize(
        ("text", "field", "wrong"),
        [
            ("", "title", "text"),
            ("   ", "", "text"),
            ("长" * (remark.LONGEST + 1), "", "text"),
            ("请说明。", "title'; drop table remark", "field"),
            ("请说明。", "a.b.c.d", "field"),
            ("请说明。", "x" * 81, "field"),
        ],
    )
    def test_bad_input_is_refused_at_its_field(
        self, office: Office, reviewer: Actor, text: str, field: str, wrong: str
    ) -> None:
        document = office.submitted()
        with pytest.raises(InvalidInput) as refused:
            remark.add(reviewer, KIND, document, text, field=field)
        assert list(refused.value.fields) == [wrong]

    def test_the_longest_text_is_taken(self, office: Office, reviewer: Actor) -> None:
        made = remark.add(reviewer, KIND, office.submitted(), "长" * remark.LONGEST)
        assert made.text == "长" * remark.LONGEST

    def test_only_who_has_the_task_may(self, office: Office, reviewer: Actor) -> None:
        document = office.submitted()
        with pytest.raises(NotAllowed):
            remark.add(office.handler, KIND, document, "我自己提意见")
        with pytest.raises(NotAllowed):
            remark.add(make_actor("bureau_checker"), KIND, document, "不是我的任务")
        with pytest.raises(NotFound):
            remark.add(office.stranger(), KIND, document, "别的单位")
        office.approve(document, reviewer)
        with pytest.raises(NotAllowed):
            remark.add(reviewer, KIND, document, "已经办结")

    def test_a_file_must_be_the_documents_own(self, office: Office, reviewer: Actor) -> None:
        document, other = office.submitted(), office.submitted()
        with unit_of_work(SYSTEM) as session:
            files = [
                Attachment(
                    owner_kind=KIND,
                    owner_id=owner,
                    category="QUOTE",
                    name=f"报价{owner}.pdf",
                    media_type="application/pdf",
                    size=10,
                    sha256="0" * 64,
                    storage_key=f"remark-{owner}",
                )
                for owner in (document, other)
            ]
            session.add_all(files)
        own, foreign = (file.id for file in files)
        row = remark.add(reviewer, KIND, document, "没有盖章。", attachment_id=own, label="骗人的名字")
        assert row.label == f"报价{document}.pdf"
        with pytest.raises(InvalidInput):
            remark.add(reviewer, KIND, document, "没有盖章。", attachment_id=foreign)

    def test_asking_tells_the_unit_once_of_all(self, office: Office, reviewer: Actor) -> None:
        document = office.submitted()
        for words in ("一", "二", "三"):
            remark.add(reviewer, KIND, document, words)
        assert remark.ask(reviewer, KIND, document) == 3
        assert remark.ask(reviewer, KIND, document) == 0
        assert said("remarks_asked") == [(office.handler.user_id, "3")]
        remark.add(reviewer, KIND, document, "四")
        assert remark.ask(reviewer, KIND, document) == 1

    def test_his_own_is_taken_back_until_the_unit_has_read_it(self, office: Office, reviewer: Actor) -> None:
        document = office.submitted()
        mistake = remark.add(reviewer, KIND, document, "写错了")
        remark.remove(reviewer, KIND, document, mistake.id)
        assert remark.remarks(reviewer, KIND, document) == []
        told = remark.add(reviewer, KIND, document, "已通知")
        remark.ask(reviewer, KIND, document)
        with pytest.raises(Conflict):
            remark.remove(reviewer, KIND, document, told.id)

    def test_settling_twice_is_settling_once_and_it_can_be_asked_again(
        self, office: Office, reviewer: Actor
    ) -> None:
        document = office.submitted()
        row = remark.add(reviewer, KIND, document, "请说明。")
        first = remark.settle(reviewer, KIND, document, row.id).settled_at
        assert remark.settle(reviewer, KIND, document, row.id).settled_at == first
        assert state(row) is RemarkState.SETTLED
        remark.reopen(reviewer, KIND, document, row.id)
        assert state(row) is RemarkState.OPEN
        with pytest.raises(NotAllowed):
            remark.settle(office.handler, KIND, document, row.id)
        with pytest.raises(NotFound):
            remark.settle(office.stranger(), KIND, document, row.id)

    def test_the_next_step_settles_what_an_earlier_one_asked(self, office: Office) -> None:
        first, second = office.people(2)
        publish_flow(step("first", first), step("second", second))
        document = office.submitted()
        row = remark.add(first, KIND, document, "请说明。")
        office.approve(document, first)
        with pytest.raises(NotAllowed):
            remark.settle(first, KIND, document, row.id)
        remark.settle(second, KIND, document, row.id)
        assert state(row) is RemarkState.SETTLED

    def test_a_remark_on_another_document_is_not_settled_here(self, office: Office, reviewer: Actor) -> None:
        document, other = office.submitted(), office.submitted()
        row = remark.add(reviewer, KIND, other, "请说明。")
        with pytest.raises(InvalidInput):
            remark.settle(reviewer, KIND, document, row.id)
        assert state(row) is RemarkState.OPEN


class TestUnit:
    def test_answers_in_review_go_out_as_one_message(self, office: Office, reviewer: Actor) -> None:
        document = office.submitted()
        rows = [remark.add(reviewer, KIND, document, words) for words in ("一", "二", "三")]
        assert (
            remark.answer(
                office.handler, KIND, document, {rows[0].id: "答一", rows[1].id: "答二", rows[2].id: " "}
            )
            == 2
        )
        assert [state(row) for row in rows] == [RemarkState.ANSWERED, RemarkState.ANSWERED, RemarkState.OPEN]
        assert said("remarks_answered") == [(reviewer.user_id, "2")]

    def test_while_returned_answers_wait_for_the_resubmission(self, office: Office, reviewer: Actor) -> None:
        document = office.submitted()
        rows = [remark.add(reviewer, KIND, document, words) for words in ("一", "二")]
        office.act(reviewer, document, "return", opinion="请逐条答复。")
        for row in rows:
            remark.answer(office.handler, KIND, document, {row.id: "先写一点"})
        remark.answer(office.handler, KIND, document, {rows[0].id: "改好了"})
        assert said("remarks_answered") == []
        found = remark.remarks(office.handler, KIND, document)
        assert [[answer.text for answer in row.answers] for row in found] == [["改好了"], ["先写一点"]]
        office.submit(document)
        assert said("remarks_answered") == [(reviewer.user_id, "2")]
        remark.answer(office.handler, KIND, document, {rows[0].id: "再补充"})
        found = remark.remarks(office.handler, KIND, document)
        assert [answer.text for answer in found[0].answers] == ["改好了", "再补充"], "what was sent stays"

    def test_nobody_else_answers_and_nothing_after_the_end(self, office: Office, reviewer: Actor) -> None:
        document, other = office.submitted(), office.submitted()
        row = remark.add(reviewer, KIND, document, "请说明。")
        with pytest.raises(NotAllowed):
            remark.answer(reviewer, KIND, document, {row.id: "替单位答"})
        with pytest.raises(NotFound):
            remark.answer(office.stranger(), KIND, document, {row.id: "别的单位"})
        with pytest.raises(NotFound):
            remark.answer(office.handler, KIND, other, {row.id: "张冠李戴"})
        office.approve(document, reviewer)
        with pytest.raises(NotAllowed):
            remark.answer(office.handler, KIND, document, {row.id: "太晚了"})

    def test_a_settled_remark_takes_no_answer_and_a_long_one_is_refused(
        self, office: Office, reviewer: Actor
    ) -> None:
        document = office.submitted()
        row = remark.add(reviewer, KIND, document, "请说明。")
        with pytest.raises(InvalidInput) as refused:
            remark.answer(office.handler, KIND, document, {row.id: "长" * (remark.LONGEST + 1)})
        assert list(refused.value.fields) == [f"answer.{row.id}"]
        remark.settle(reviewer, KIND, document, row.id)
        with pytest.raises(Conflict):
            remark.answer(office.handler, KIND, document, {row.id: "还想说"})


class TestNextRound:
    def test_open_ones_come_first_with_what_became_of_the_field(
        self, office: Office, reviewer: Actor
    ) -> None:
        document = office.submitted(amount="31900.00")
        done = remark.add(reviewer, KIND, document, "标题请规范。", field="title")
        price = remark.add(reviewer, KIND, document, "单价过高。", field="budget_lines.1")
        amount = remark.add(reviewer, KIND, document, "金额请核减。", field="requested_amount")
        remark.settle(reviewer, KIND, document, done.id)
        office.act(reviewer, document, "return", opinion="请核减。")
        with unit_of_work(office.handler) as session:
            for version, old, new in ((3, "31900.00", "30000.00"), (4, "30000.00", "29900.00")):
                changes = [
                    Difference("requested_amount", old, new),
                    Difference("budget_lines.1.unit_price", old, new),
                    Difference("budget_lines.10.unit_price", old, new),
                ]
                log.record_changes(session, office.handler, KIND, document, version, changes)
        office.submit(document)
        found = remark.remarks(reviewer, KIND, document)
        assert [row.id for row in found] == [price.id, amount.id, done.id]
        changes = remark.changes_since(KIND, document, found)
        told = {number: [(one.field, one.old, one.new) for one in rows] for number, rows in changes.items()}
        assert told == {
            amount.id: [("requested_amount", "31900.00", "29900.00")],
            price.id: [("budget_lines.1.unit_price", "31900.00", "29900.00")],
            done.id: [],
        }

    def test_by_default_unanswered_ones_only_warn(self, office: Office, reviewer: Actor) -> None:
        document = office.submitted()
        remark.add(reviewer, KIND, document, "请说明。", label="申请金额", field="requested_amount")
        office.act(reviewer, document, "return", opinion="请答复。")
        assert list(remark.unanswered(current_session(), KIND, document)) == ["申请金额"]
        office.submit(document)
        assert office.at(document) == "first"

    def test_the_parameter_makes_them_block_and_names_them(self, office: Office, reviewer: Actor) -> None:
        document = office.submitted()
        row = remark.add(reviewer, KIND, document, "请说明。", label="申请金额", field="requested_amount")
        office.act(reviewer, document, "return", opinion="请答复。")
        with unit_of_work(SYSTEM) as session:
            for parameter in session.scalars(
                select(RuleParameter).where(RuleParameter.key == remark.UNANSWERED)
            ):
                parameter.value = remark.BLOCK
        with pytest.raises(Conflict) as refused:
            office.submit(document)
        assert refused.value.params == {"count": 1, "labels": "申请金额"}
        remark.answer(office.handler, KIND, document, {row.id: "已核减。"})
        office.submit(document)
        assert office.at(document) == "first"


def test_reading_takes_few_statements_whatever_was_said(office: Office, reviewer: Actor) -> None:
    document = office.submitted()
    for number in range(12):
        row = remark.add(reviewer, KIND, document, f"第{number}条", field=f"budget_lines.{number}")
        remark.answer(office.handler, KIND, document, {row.id: "答复"})
    current_session().expire_all()
    with count_statements() as sent:
        found = remark.remarks(reviewer, KIND, document)
        remark.changes_since(KIND, document, found)
        assert [len(row.answers) for row in found] == [1] * 12
    assert len(sent) <= 4, sent


def test_what_was_said_goes_only_with_its_document(office: Office, reviewer: Actor) -> None:
    document = office.submitted()
    remark.add(reviewer, KIND, document, "请说明。")
    with pytest.raises(NotFound):
        remark.remarks(office.stranger(), KIND, document)
    assert current_session().scalar(select(func.count()).select_from(Remark)) == 1


def test_every_kind_that_is_reviewed_says_who_may_remark_and_answer(session: Session) -> None:
    for kind, entry in registered().items():
        verbs = POLICY[entry.model].verbs  # type: ignore[union-attr]
        assert {"remark", "answer"} <= verbs.keys(), f"{kind} has no rule for remarks"
