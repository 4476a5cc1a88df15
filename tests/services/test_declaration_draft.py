"""A handler fills in a declaration: what is kept, what is refused, and nothing is lost."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.access.actor import Actor
from app.core.enums import DocumentStatus
from app.core.errors import Conflict, InvalidInput, NotAllowed, NotFound, StaleVersion
from app.models.declaration import BudgetLine, Declaration
from app.models.log import FieldChange, SystemLog
from app.models.unit import Unit
from app.services import declaration as service
from tests import samples
from tests.factories import make_actor, make_unit

pytestmark = pytest.mark.usefixtures("session")


@pytest.fixture
def office(session: Session) -> Unit:
    return make_unit("开平市公安局(测试)")


@pytest.fixture
def handler(office: Unit) -> Actor:
    return make_actor("unit_handler", office)


def refused(excinfo: pytest.ExceptionInfo[InvalidInput]) -> dict[str, str]:
    return {name: problems[0].message % problems[0].params for name, problems in excinfo.value.fields.items()}


def test_the_maintenance_renewal_is_kept_with_its_amounts_computed(handler: Actor) -> None:
    draft = service.create(handler, samples.maintenance())

    assert draft.status is DocumentStatus.DRAFT
    assert draft.version == 1
    assert draft.unit_id == handler.unit_id
    assert draft.code.startswith("SB")
    assert [f"{line.amount:.2f}" for line in draft.budget_lines] == ["24000.00", "7800.00", "100.00"]
    assert f"{draft.requested_amount:.2f}" == samples.MAINTENANCE_AMOUNT


def test_the_form_and_json_say_the_same(session: Session, handler: Actor) -> None:
    by_json = service.create(handler, samples.new_build())
    by_form = service.create(handler, service.raw_from_form(samples.as_form(samples.new_build())))

    assert service.values_of(by_json) == service.values_of(by_form)
    assert len(by_form.budget_lines) == 8
    assert len(by_form.funding_splits) == 2


def test_a_draft_may_be_nearly_empty_and_is_for_next_year(handler: Actor) -> None:
    draft = service.create(handler, {"title": "  数字档案馆\n建设 "})

    assert draft.title == "数字档案馆 建设"
    assert draft.budget_year == samples.next_year()


@pytest.mark.parametrize(
    ("path", "raw", "words"),
    [
        ("requested_amount", {"requested_amount": "31900.005"}, "more than 2 decimals"),
        ("requested_amount", {"requested_amount": 31900.5}, "decimal string"),
        ("requested_amount", {"requested_amount": "-1"}, "negative"),
        ("requested_amount", {"requested_amount": "三万"}, "digits"),
        ("lead_mobile", {"lead_mobile": "12800002210"}, "eleven digits"),
        ("nature", {"nature": "RENOVATION"}, "not one of the choices"),
        ("service_categories", {"service_categories": ["PLATFORM", "MAGIC"]}, "not one of the choices"),
        ("budget_year", {"budget_year": "27"}, "Enter a year"),
        ("title", {"title": "长" * 201}, "At most 200 characters"),
        ("begin_date", {"begin_date": "2027-02-30"}, "Enter a date"),
        ("end_date", {"begin_date": "2027-03-01", "end_date": "2027-02-28"}, "before the beginning"),
        ("budget_lines.1.quantity", {"budget_lines": [{}, {"quantity": "1.23456"}]}, "At most 4 decimals"),
        ("budget_lines.0.unit_price", {"budget_lines": [{"unit_price": "0.001"}]}, "more than 2 decimals"),
        (
            "budget_lines.0.unit_price",
            {"budget_lines": [{"quantity": "99999999", "unit_price": "99999999999999.99"}]},
            "may not exceed",
        ),
        (
            "budget_lines.0.amount",
            {"budget_lines": [{"quantity": "3", "unit_price": "33.33", "amount": "100.00"}]},
            "99.99 yuan, not 100.00",
        ),
        ("funding_splits.0.channel", {"funding_splits": [{"channel": "LOTTERY"}]}, "not one of the choices"),
        ("indicators.0.weight", {"indicators": [{"weight": "100.01"}]}, "At most 100"),
        (
            "schedule.0.end_date",
            {"schedule": [{"begin_date": "2027-02-01", "end_date": "2027-01-31"}]},
            "before",
        ),
        ("budget_lines", {"budget_lines": [{"name": "一"}] * 201}, "At most 200 rows"),
        ("budget_lines", {"budget_lines": "everything"}, "list of rows"),
        ("budget_lines.0", {"budget_lines": ["软件"]}, "as an object"),
        ("is_secret", {"is_secret": "1"}, "state secrets"),
        ("predecessor_id", {"predecessor_id": "999999"}, "no such record"),
        ("supervising_unit_id", {"supervising_unit_id": "市公安局"}, "no such record"),
    ],
)
def test_what_cannot_be_read_is_refused_beside_its_field(
    handler: Actor, path: str, raw: dict[str, object], words: str
) -> None:
    with pytest.raises(InvalidInput) as excinfo:
        service.create(handler, raw)

    assert words in refused(excinfo)[path]


def test_two_hundred_lines_are_taken(handler: Actor) -> None:
    draft = service.create(handler, {"budget_lines": [{"name": f"第{n}项"} for n in range(200)]})

    assert len(draft.budget_lines) == 200


@pytest.mark.parametrize("key", ["status", "unit_id", "code", "created_by_id", "arranged_amount", "version"])
def test_what_is_not_the_units_to_set_is_refused(handler: Actor, key: str) -> None:
    with pytest.raises(InvalidInput) as excinfo:
        service.create(handler, {"title": "数字档案馆", key: "APPROVED"})

    assert "may not be set" in refused(excinfo)[key]


def test_a_form_with_extra_inputs_changes_nothing_else(handler: Actor) -> None:
    raw = service.raw_from_form([("title", "数字档案馆"), ("status", "APPROVED"), ("csrf_token", "x")])

    assert service.create(handler, raw).status is DocumentStatus.DRAFT


def test_an_unchecked_box_and_an_emptied_table_are_said_by_the_form(handler: Actor) -> None:
    draft = service.create(handler, samples.new_build())
    raw = service.raw_from_form(
        [
            ("_present", "on_cloud"),
            ("_present", "scope_public"),
            ("_present", "schedule"),
            ("later_years.7.year", " "),
            ("title", draft.title),
        ]
    )

    saved = service.save(handler, draft.id, draft.version, raw)

    assert not saved.on_cloud
    assert saved.scope_public == []
    assert saved.schedule == []
    assert saved.later_years == []
    assert len(saved.budget_lines) == 8, "what the page did not show stays"


def test_saving_names_every_changed_field_once(session: Session, handler: Actor) -> None:
    draft = service.create(handler, samples.new_build())
    lines = samples.new_build()["budget_lines"]
    del lines[2]
    lines[0]["quantity"] = "41"

    saved = service.save(handler, draft.id, draft.version, {"title": "平台二期", "budget_lines": lines})

    changes = session.scalars(select(FieldChange).where(FieldChange.row_id == draft.id)).all()
    assert {change.field: (change.old, change.new) for change in changes} == {
        "title": ("“一网统管”平台二期建设", "平台二期"),
        "budget_lines.0.quantity": ("40", "41"),
        "budget_lines.2": ("1.1 | 数据汇聚与治理 | 人月 | 30 | 24000.00 | EFFORT", ""),
    }
    assert {change.row_version for change in changes} == {saved.version}
    assert session.scalar(select(func.count()).where(BudgetLine.declaration_id == draft.id)) == 7


def test_saving_the_same_again_keeps_the_version(session: Session, handler: Actor) -> None:
    draft = service.create(handler, samples.new_build())
    version = draft.version

    assert service.save(handler, draft.id, version, samples.new_build()).version == version


def test_a_change_in_rows_alone_makes_old_pages_stale(handler: Actor, office: Unit) -> None:
    colleague = make_actor("unit_handler", office, last_name="陈", first_name="晓琳")
    draft = service.create(handler, samples.maintenance())
    seen = draft.version
    lines = samples.maintenance()["budget_lines"]
    lines[0]["unit_price"] = "1900.00"
    service.save(colleague, draft.id, seen, {"budget_lines": lines})

    with pytest.raises(StaleVersion) as excinfo:
        service.save(handler, draft.id, seen, {"title": "另一个名称"})

    [change] = excinfo.value.changes
    assert (change.field, change.old, change.new, change.by) == (
        "budget_lines.0.unit_price",
        "2000.00",
        "1900.00",
        "陈晓琳",
    )


class TestAutosave:
    def test_an_unreadable_amount_comes_back_as_it_was_typed(self, session: Session, handler: Actor) -> None:
        kept = service.autosave(
            handler,
            None,
            None,
            {
                "title": "数字档案馆",
                "requested_amount": "12.345",
                "begin_date": "2027-05-01",
                "end_date": "2027-04-01",
                "budget_lines": [{"name": "扫描", "quantity": "一百", "unit_price": "2.5"}],
            },
        )

        assert set(kept.problems) == {"requested_amount", "end_date", "budget_lines.0.quantity"}
        session.expunge_all()
        state = service.form_state(service.load(session, handler, kept.id))
        assert state["title"] == "数字档案馆"
        assert state["requested_amount"] == "12.345"
        assert state["end_date"] == "2027-04-01"
        assert state["budget_lines"][0]["quantity"] == "一百"
        assert state["budget_lines"][0]["unit_price"] == "2.50"

    def test_typing_it_right_forgets_the_wrong_text(self, session: Session, handler: Actor) -> None:
        kept = service.autosave(handler, None, None, {"requested_amount": "12.345", "lead_mobile": "1380"})
        again = service.autosave(handler, kept.id, kept.version, {"requested_amount": "12.34"})

        draft = service.load(session, handler, again.id)
        assert draft.draft_input == {"lead_mobile": "1380"}
        assert service.form_state(draft)["requested_amount"] == "12.34"

    def test_ones_own_autosaves_never_make_ones_own_page_stale(self, handler: Actor) -> None:
        draft = service.create(handler, samples.maintenance())
        opened = draft.version
        service.autosave(handler, draft.id, opened, {"title": "第一次"}, page="tab-1")
        # The answer to this one is lost on the way, and the page still shows the version it was opened with.
        service.autosave(handler, draft.id, opened, {"title": "第二次"}, page="tab-1")

        assert service.save(handler, draft.id, opened, {"title": "最后"}, page="tab-1").title == "最后"

    def test_a_save_that_its_successor_has_overtaken_changes_nothing(
        self, session: Session, handler: Actor
    ) -> None:
        draft = service.create(handler, samples.maintenance())
        opened = draft.version
        last = service.autosave(handler, draft.id, opened, {"title": "关窗时"}, page="tab-1", turn=2)
        late = service.autosave(handler, draft.id, opened, {"title": "关窗前"}, page="tab-1", turn=1)

        assert (late.version, late.turn) == (last.version, 2)
        assert service.load(session, handler, draft.id).title == "关窗时"
        # A form that does not count, and another page's first save, are not late.
        service.autosave(handler, draft.id, last.version, {"title": "无脚本"}, page="tab-1")
        assert service.load(session, handler, draft.id).title == "无脚本"

    def test_another_tab_is_told(self, handler: Actor) -> None:
        draft = service.create(handler, samples.maintenance())
        opened = draft.version
        service.autosave(handler, draft.id, opened, {"title": "第一个标签页"}, page="tab-1")

        with pytest.raises(StaleVersion):
            service.save(handler, draft.id, opened, {"title": "第二个标签页"}, page="tab-2")

    def test_a_colleagues_save_in_between_is_told(self, handler: Actor, office: Unit) -> None:
        draft = service.create(handler, samples.maintenance())
        first = service.autosave(handler, draft.id, draft.version, {"title": "甲"}, page="tab-1")
        service.save(make_actor("unit_handler", office), draft.id, first.version, {"title": "乙"})

        with pytest.raises(StaleVersion):
            service.save(handler, draft.id, first.version, {"title": "丙"}, page="tab-1")

    def test_a_new_page_makes_one_draft_however_often_it_saves(
        self, session: Session, handler: Actor
    ) -> None:
        first = service.autosave(handler, None, None, {"title": "数字档案馆"}, page="new-1")
        second = service.autosave(handler, None, None, {"title": "数字档案馆建"}, page="new-1")
        saved = service.create(handler, {"title": "数字档案馆建设"}, page="new-1")

        assert first.id == second.id == saved.id
        assert session.scalar(select(func.count()).where(Declaration.unit_id == handler.unit_id)) == 1

    def test_state_secrets_are_not_even_kept_as_a_draft(self, session: Session, handler: Actor) -> None:
        with pytest.raises(InvalidInput):
            service.autosave(handler, None, None, {"title": "涉密系统", "is_secret": True})

        assert session.scalar(select(func.count()).where(Declaration.unit_id == handler.unit_id)) == 0

    def test_unknown_keys_are_passed_over(self, handler: Actor) -> None:
        assert service.autosave(handler, None, None, {"title": "一", "status": "APPROVED"}).version == 1


class TestRecycleBin:
    def test_recycle_restore_purge(self, session: Session, handler: Actor) -> None:
        draft = service.create(handler, samples.maintenance())
        binned = service.recycle(handler, draft.id, draft.version)
        assert binned.status is DocumentStatus.RECYCLED
        back = service.restore(handler, draft.id, binned.version)
        assert back.status is DocumentStatus.DRAFT
        binned = service.recycle(handler, draft.id, back.version)

        service.purge(handler, draft.id, binned.version)

        assert session.get(Declaration, draft.id) is None
        assert session.scalar(select(func.count()).where(BudgetLine.declaration_id == draft.id)) == 0
        events = session.scalars(
            select(SystemLog.event)
            .where(SystemLog.noun == "declaration", SystemLog.row_id == draft.id)
            .order_by(SystemLog.id)
        ).all()
        assert events == [
            "DECLARATION_CREATED",
            "DECLARATION_RECYCLED",
            "DECLARATION_RESTORED",
            "DECLARATION_RECYCLED",
            "DECLARATION_PURGED",
        ]

    def test_a_number_once_purged_does_not_come_back(self, session: Session, handler: Actor) -> None:
        draft = service.create(handler, samples.maintenance())
        binned = service.recycle(handler, draft.id, draft.version)
        service.purge(handler, draft.id, binned.version)

        assert service.create(handler, samples.maintenance()).id > draft.id

    def test_only_what_is_in_the_bin_is_purged(self, handler: Actor) -> None:
        draft = service.create(handler, samples.maintenance())
        with pytest.raises(Conflict):
            service.purge(handler, draft.id, draft.version)


class TestWhoMay:
    def test_another_units_draft_does_not_exist(self, handler: Actor) -> None:
        draft = service.create(handler, samples.maintenance())
        stranger = make_actor("unit_handler")
        for move in (service.recycle, service.submit):
            with pytest.raises(NotFound):
                move(stranger, draft.id, draft.version)
        with pytest.raises(NotFound):
            service.save(stranger, draft.id, draft.version, {"title": "改名"})

    def test_a_reviewer_does_not_declare(self) -> None:
        with pytest.raises(NotAllowed):
            service.create(make_actor("bureau_reviewer"), samples.maintenance())

    def test_a_reviewer_does_not_see_drafts(self, session: Session, handler: Actor) -> None:
        draft = service.create(handler, samples.maintenance())
        with pytest.raises(NotFound):
            service.load(session, make_actor("bureau_reviewer"), draft.id)
