"""Excel import: what each row would do, one transaction, a log that stays, and files that are refused."""

from __future__ import annotations

import datetime as dt
import hashlib
import io
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from sqlalchemy import event, func, select
from sqlalchemy.orm import Session

from app.access.actor import Actor
from app.core.enums import ConstructionStatus, DocumentStatus, Stage, UnitKind
from app.core.errors import Conflict, InvalidInput, NotAllowed, NotFound, TooLarge
from app.gateways.storage import LocalStorage
from app.models.annual_plan import AnnualPlan
from app.models.declaration import Declaration
from app.models.dictionary import NumberSequence, WorkCalendarDay
from app.models.importing import ImportRow, ImportRun, ImportState, RowState
from app.models.log import FieldChange, SystemLog
from app.models.project import Project
from app.models.unit import Unit
from app.services import attachment, declaration, history, importing, numbering, parameter, work_calendar
from app.services.unit_of_work import unit_of_work
from tests import samples
from tests.factories import make_actor, make_unit
from tests.services.importing_support import project, sheet_of, workbook


@pytest.fixture
def store(session: Session, tmp_path: Path) -> Iterator[LocalStorage]:
    """Files of this test alone."""
    before = attachment.store()
    kept = LocalStorage(tmp_path / "files")
    attachment.bind(kept)
    yield kept
    attachment.bind(before)


@pytest.fixture
def clerk(session: Session, store: LocalStorage) -> Actor:
    """Somebody of the data bureau, and the units the sheets name."""
    make_unit("市水利局", short_name="水利局", code="SLJ")
    return make_actor("bureau_reviewer", make_unit("市政务服务和数据管理局", kind=UnitKind.DATA_BUREAU))


def _preview(clerk: Actor, file: io.BytesIO, name: str = "项目.xlsx", key: str = "projects") -> ImportRun:
    return importing.preview(clerk, key, file, name)


def _import(clerk: Actor, *records: dict[str, Any], **options: Any) -> ImportRun:
    return importing.confirm(clerk, _preview(clerk, sheet_of(*records)).id, **options)


def _rows(session: Session, run: ImportRun) -> list[ImportRow]:
    return list(
        session.scalars(select(ImportRow).where(ImportRow.run_id == run.id).order_by(ImportRow.row_no))
    )


def _problems(session: Session, run: ImportRun) -> list[tuple[int, str, str]]:
    """Row, column and message of everything that is wrong."""
    return [
        (row.row_no, problem["field"], problem["message"] % problem["params"])
        for row in _rows(session, run)
        for problem in row.problems
    ]


def _stored(session: Session, code: str) -> Project:
    return session.scalars(
        select(Project).where(Project.code == code).execution_options(populate_existing=True)
    ).one()


# --- the good rows ---------------------------------------------------------------------------------------


def test_a_project_of_an_earlier_year_comes_in_with_its_plan_and_its_amounts(
    clerk: Actor, session: Session
) -> None:
    row = project(
        "2024-XXH-007",
        **{
            "财政绩效项目编号": "440783-24-01",
            "批复金额(元)": "1180000.00",
            "资金渠道：一般公共预算(本级财政)(元)": 1000000,
            "资金渠道：单位自筹(元)": "260000",
        },
    )
    run = _import(clerk, row)
    assert (run.state, run.new_count, run.wrong_count) == (ImportState.DONE, 1, 0)
    stored = _stored(session, "2024-XXH-007")
    assert (stored.stage, stored.construction_status) == (Stage.ACCEPTED, ConstructionStatus.ACCEPTED)
    assert (stored.nature, stored.declaration_type) == ("OPERATION", "CONTINUING")
    assert stored.arranged_amount == Decimal("1200000.00")
    plan = session.scalars(select(AnnualPlan).where(AnnualPlan.project_id == stored.id)).one()
    assert (plan.year, plan.initial_amount) == (2024, Decimal("1200000.00"))
    (kept,) = history.versions_of(session, clerk, "project", stored.id)
    assert kept.event == "IMPORTED"
    (logged,) = _rows(session, run)
    assert (logged.state, logged.record_id, logged.title) == (RowState.NEW, stored.id, stored.title)
    assert {"field": "requested_amount", "old": "", "new": "1260000.00"} in logged.changes
    assert session.scalars(select(SystemLog.summary).where(SystemLog.event == "IMPORTED")).one()


def test_the_same_file_twice_changes_nothing(clerk: Actor, session: Session) -> None:
    records = [
        project("A-1", **{"资金渠道：其他(元)": 0}),
        project("A-2", **{"资金渠道：其他(元)": "1260000"}),
    ]
    _import(clerk, *records)
    before = {row.code: (row.version, row.updated_at) for row in session.scalars(select(Project))}
    again = _import(clerk, *records)
    assert (again.new_count, again.changed_count, again.unchanged_count) == (0, 0, 2)
    session.expire_all()
    assert {row.code: (row.version, row.updated_at) for row in session.scalars(select(Project))} == before
    assert session.scalar(select(func.count(FieldChange.id)).where(FieldChange.noun == "project")) == 0


def test_old_and_new_of_a_changed_row(clerk: Actor, session: Session) -> None:
    _import(clerk, project("A-1"))
    run = _preview(clerk, sheet_of(project("A-1", 项目名称="政务外网线路租赁(续租)", 申报年度="2025")))
    (row,) = _rows(session, run)
    assert row.state is RowState.CHANGED
    assert row.changes == [
        {"field": "title", "old": "电子政务外网线路租赁", "new": "政务外网线路租赁(续租)"},
        {"field": "budget_year", "old": "2024", "new": "2025"},
    ]
    assert _stored(session, "A-1").budget_year == 2024
    importing.confirm(clerk, run.id)
    assert _stored(session, "A-1").budget_year == 2025
    fields = session.scalars(select(FieldChange.field).where(FieldChange.noun == "project")).all()
    assert sorted(fields) == ["budget_year", "title"]


def test_a_blank_cell_leaves_what_is_stored(clerk: Actor, session: Session) -> None:
    _import(clerk, project("A-1", 财政绩效项目编号="CZ-1"))
    run = _import(clerk, project("A-1", 财政绩效项目编号=None, 项目名称="", 申报年度=" "))
    assert run.unchanged_count == 1
    assert _stored(session, "A-1").fiscal_code == "CZ-1"


def test_a_project_is_found_by_the_number_finance_gave_it(clerk: Actor, session: Session) -> None:
    _import(clerk, project("A-1", 财政绩效项目编号="CZ-1"))
    run = _import(clerk, project("", 财政绩效项目编号="CZ-1", 项目名称="新名称"))
    assert run.changed_count == 1
    assert _stored(session, "A-1").title == "新名称"


def test_a_new_project_without_a_number_gets_the_next_one_and_imported_numbers_are_never_given_again(
    clerk: Actor, session: Session
) -> None:
    run = _import(clerk, project("KP2024YW0150"), project("", 财政绩效项目编号="CZ-9"))
    codes = set(session.scalars(select(Project.code)))
    assert len(codes) == 2 and run.new_count == 2
    with unit_of_work(clerk) as work:
        following = numbering.project_code(work, 2024, "OPERATION")
    assert following == "KP2024YW0151"
    last = session.scalar(
        select(NumberSequence.last).where(NumberSequence.prefix == "KPYW", NumberSequence.year == 2024)
    )
    assert last == 151


@pytest.mark.parametrize("name", ["市水利局", "水利局", "SLJ", " 市 水利局 "])
def test_a_unit_is_understood_by_name_short_name_and_code(clerk: Actor, session: Session, name: str) -> None:
    assert _preview(clerk, sheet_of(project("A-1", 申报单位=name))).new_count == 1


def test_labels_in_both_languages_and_codes_are_understood(clerk: Actor, session: Session) -> None:
    rows = [
        project("A-1", 阶段="ACCEPTED", 项目现状="OPERATION"),
        project("A-2", 阶段="Accepted", 项目现状="Operation and maintenance"),
        project("A-3", 阶段="", 建设状态="运维中"),
    ]
    assert _import(clerk, *rows).new_count == 3
    assert _stored(session, "A-3").stage is Stage.OPERATION


# --- amounts ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "cell", "amount"),
    [
        ("申请资金(元)", "31,900.00", "31900.00"),
        ("申请资金（元）", 31900.5, "31900.50"),
        ("申请资金(万元)", "3.19", "31900.00"),
        ("申请资金（万元）", 3.19, "31900.00"),
        ("申请资金(万元)", "0.000001", "0.01"),
        ("Requested amount (10,000 yuan)", "3.19", "31900.00"),
    ],
)
def test_the_header_says_the_unit_of_an_amount(
    clerk: Actor, session: Session, header: str, cell: object, amount: str
) -> None:
    row = project("A-1", **{"安排预算金额(元)": None, header: cell})
    if header != "申请资金(元)":
        row.pop("申请资金(元)")
    _import(clerk, row)
    assert _stored(session, "A-1").requested_amount == Decimal(amount)


@pytest.mark.parametrize(
    ("header", "cell"),
    [
        ("申请资金(元)", "31900.001"),
        ("申请资金(元)", 31900.001),
        ("申请资金(万元)", "3.1900001"),
        ("申请资金(元)", "三万"),
        ("申请资金(元)", -1),
        ("申请资金(元)", "999999999999999"),
    ],
)
def test_an_amount_that_cannot_be_kept_exactly_is_refused_not_rounded(
    clerk: Actor, session: Session, header: str, cell: object
) -> None:
    row = project("A-1", **{"安排预算金额(元)": None, header: cell})
    if header != "申请资金(元)":
        row.pop("申请资金(元)")
    run = _preview(clerk, sheet_of(row))
    assert run.wrong_count == 1
    ((_, column, _),) = _problems(session, run)
    assert column == "requested_amount"


def test_an_amount_whose_header_names_no_unit_is_refused_with_the_file(clerk: Actor) -> None:
    row = project("A-1")
    row["申请资金"] = row.pop("申请资金(元)")
    with pytest.raises(InvalidInput) as refused:
        _preview(clerk, sheet_of(row))
    assert "申请资金" in str(refused.value.fields["file"][0].params)


# --- wrong rows ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "column"),
    [
        ({"项目名称": ""}, "title"),
        ({"申报单位": "市不存在局"}, "unit_id"),
        ({"项目现状": "扩建"}, "nature"),
        ({"申报年度": "1999"}, "budget_year"),
        ({"申报年度": dt.date(2024, 1, 1)}, "budget_year"),
        ({"项目编号": "含 空格"}, "code"),
        ({"项目编号": ""}, "code"),
        ({"国家项目代码": "123"}, "national_code"),
        ({"阶段": ""}, "stage"),
        ({"阶段": "已验收", "建设状态": "建设中"}, "construction_status"),
        ({"阶段": "已申报"}, "arranged_amount"),
        ({"批复金额(元)": "1200000.01"}, "approved_amount"),
        ({"资金渠道：其他(元)": "1259999.99"}, "requested_amount"),
        ({"项目名称": "长" * 201}, "title"),
    ],
)
def test_a_wrong_row_says_its_column_and_why(
    clerk: Actor, session: Session, changes: dict[str, Any], column: str
) -> None:
    run = _preview(clerk, sheet_of(project("A-1", **changes)))
    assert run.wrong_count == 1, _problems(session, run)
    assert [(number, found) for number, found, _ in _problems(session, run)] == [(2, column)]
    (row,) = _rows(session, run)
    assert all(problem["cell"].endswith("2") for problem in row.problems if problem["field"] == "title")


def test_two_rows_about_one_project_are_both_wrong(clerk: Actor, session: Session) -> None:
    _import(clerk, project("A-1", 财政绩效项目编号="CZ-1"))
    run = _preview(
        clerk,
        sheet_of(
            project("A-1", 项目名称="甲"),
            project("", 财政绩效项目编号="CZ-1", 项目名称="乙"),
            project("B-1"),
            project("B-1", 项目名称="丙"),
        ),
    )
    assert [row.state for row in _rows(session, run)] == [RowState.WRONG] * 4


def test_a_number_of_one_project_and_the_fiscal_number_of_another(clerk: Actor, session: Session) -> None:
    _import(clerk, project("A-1", 财政绩效项目编号="CZ-1"), project("A-2"))
    run = _preview(clerk, sheet_of(project("A-2", 财政绩效项目编号="CZ-1")))
    assert run.wrong_count == 1
    run = _preview(clerk, sheet_of(project("A-3", 财政绩效项目编号="CZ-1")))
    assert [column for _, column, _ in _problems(session, run)] == ["code"]


def test_what_is_arranged_for_a_stored_project_stays(clerk: Actor, session: Session) -> None:
    _import(clerk, project("A-1"))
    raised = {"安排预算金额(元)": "1300000.00", "申请资金(元)": 1300000}
    run = _preview(clerk, sheet_of(project("A-1", **raised)))
    assert [column for _, column, _ in _problems(session, run)] == ["arranged_amount"]


def _declared(session: Session) -> Project:
    unit = session.scalars(select(Unit).where(Unit.name == "市水利局")).one()
    make_actor("unit_leader", unit)
    for role in ("bureau_checker", "bureau_leader"):
        make_actor(role)
    handler = make_actor("unit_handler", unit)
    draft = declaration.create(handler, samples.maintenance())
    row = declaration.submit(handler, draft.id, draft.version)
    return session.get_one(Project, row.project_id)


def test_a_project_in_review_is_not_altered_and_the_document_is_named(clerk: Actor, session: Session) -> None:
    row = _declared(session)
    run = _preview(clerk, workbook(["项目编号", "财政绩效项目编号"], [row.code, "CZ-1"]))
    ((number, _, message),) = _problems(session, run)
    assert number == 2
    assert "SB" in message


def test_a_project_declared_here_takes_only_the_numbers_others_issue(clerk: Actor, session: Session) -> None:
    row = _declared(session)
    with unit_of_work(clerk) as work:
        document = work.scalars(select(Declaration).where(Declaration.project_id == row.id)).one()
        document.status = DocumentStatus.APPROVED
    run = _preview(
        clerk, workbook(["项目编号", "财政绩效项目编号", "项目名称"], [row.code, "CZ-1", "改个名称"])
    )
    assert [column for _, column, _ in _problems(session, run)] == ["title"]
    run = importing.confirm(
        clerk, _preview(clerk, workbook(["项目编号", "财政绩效项目编号"], [row.code, "CZ-1"])).id
    )
    assert run.changed_count == 1
    assert _stored(session, row.code).fiscal_code == "CZ-1"


# --- confirm ---------------------------------------------------------------------------------------------


def test_one_wrong_row_holds_back_all_unless_the_good_ones_are_asked_for(
    clerk: Actor, session: Session
) -> None:
    run = _preview(clerk, sheet_of(project("A-1"), project("A-2", 项目名称="")))
    with pytest.raises(InvalidInput):
        importing.confirm(clerk, run.id)
    assert session.scalar(select(func.count(Project.id))) == 0
    done = importing.confirm(clerk, run.id, only_good=True)
    assert (done.state, done.only_good) == (ImportState.DONE, True)
    assert list(session.scalars(select(Project.code))) == ["A-1"]


def test_what_changed_since_the_preview_is_shown_before_anything_is_imported(
    clerk: Actor, session: Session
) -> None:
    _import(clerk, project("A-1"))
    run = _preview(clerk, sheet_of(project("A-1", 项目名称="甲"), project("A-2")))
    _import(clerk, project("A-1", 项目名称="乙"))
    with pytest.raises(Conflict):
        importing.confirm(clerk, run.id)
    assert session.scalar(select(Project.code).where(Project.code == "A-2")) is None
    first, _ = _rows(session, run)
    assert first.changes == [{"field": "title", "old": "乙", "new": "甲"}]
    importing.confirm(clerk, run.id)
    assert _stored(session, "A-1").title == "甲"


def test_confirming_twice_imports_once(clerk: Actor, session: Session) -> None:
    run = _preview(clerk, sheet_of(project("A-1")))
    importing.confirm(clerk, run.id)
    importing.confirm(clerk, run.id)
    assert session.scalar(select(func.count(Project.id))) == 1
    assert session.scalar(select(func.count(SystemLog.id)).where(SystemLog.event == "IMPORTED")) == 1


def test_a_discarded_preview_is_not_imported(clerk: Actor, session: Session) -> None:
    run = _preview(clerk, sheet_of(project("A-1")))
    importing.discard(clerk, run.id)
    with pytest.raises(Conflict):
        importing.confirm(clerk, run.id)
    done = _import(clerk, project("A-2"))
    with pytest.raises(Conflict):
        importing.discard(clerk, done.id)


def test_a_failure_in_the_middle_leaves_nothing(
    clerk: Actor, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = _preview(clerk, sheet_of(project("A-1"), project("A-2")))

    def fails(*_: object) -> None:
        raise RuntimeError("the disk is full")

    monkeypatch.setattr(history, "keep_all", fails)
    with pytest.raises(RuntimeError):
        importing.confirm(clerk, run.id)
    assert session.scalar(select(func.count(Project.id))) == 0
    assert session.get_one(ImportRun, run.id).state is ImportState.PREVIEWED


def test_only_who_may_import_and_only_his_own_previews(clerk: Actor, session: Session) -> None:
    run = _preview(clerk, sheet_of(project("A-1")))
    colleague = make_actor("bureau_reviewer")
    with pytest.raises(NotFound):
        importing.confirm(colleague, run.id)
    with pytest.raises(NotAllowed):
        _preview(make_actor("unit_handler"), sheet_of(project("A-1")))
    with pytest.raises(NotFound):
        _preview(clerk, sheet_of(project("A-1")), key="users")
    assert importing.open_file(make_actor("audit_admin"), run.id)[0].id == run.id
    administrator = make_actor("sys_admin")
    with pytest.raises(NotFound):
        importing.open_file(administrator, run.id)
    with pytest.raises(NotAllowed):
        _preview(administrator, sheet_of(project("A-2")))


# --- the file --------------------------------------------------------------------------------------------


def test_the_file_is_kept_with_its_digest_and_is_no_orphan(
    clerk: Actor, session: Session, store: LocalStorage
) -> None:
    data = sheet_of(project("A-1")).getvalue()
    run = _preview(clerk, io.BytesIO(data), "../../二〇二四年 项目.xlsx")
    assert run.sha256 == hashlib.sha256(data).hexdigest()
    assert "/" not in run.file_name
    later = dt.datetime.now(dt.UTC) + dt.timedelta(days=3)
    assert attachment.remove_orphans(session, now=later) == 0
    with importing.open_file(clerk, run.id)[1] as kept:
        assert kept.read() == data


def test_previews_nobody_confirmed_go_after_a_month_and_imports_stay(
    clerk: Actor, session: Session, store: LocalStorage
) -> None:
    _import(clerk, project("A-1"))
    _preview(clerk, sheet_of(project("A-2")))
    now = dt.datetime.now(dt.UTC)
    assert importing.remove_unconfirmed(now + dt.timedelta(days=29)) == 0
    assert importing.remove_unconfirmed(now + dt.timedelta(days=31)) == 1
    assert session.scalar(select(func.count(ImportRun.id))) == 1
    assert len(list(store.keys(now + dt.timedelta(days=1)))) == 1


def test_titles_above_the_header_other_orders_and_unknown_columns(clerk: Actor, session: Session) -> None:
    row = project("A-1")
    header, cells = ["序号", *reversed(row), "经办人"], [1, *reversed(row.values()), "李"]
    file = workbook(["2024年项目清单"], [], header, cells)
    run = _preview(clerk, file)
    assert run.new_count == 1
    assert [notice["params"] for notice in run.notices] == [{"names": "经办人"}]
    assert _rows(session, run)[0].row_no == 4


@pytest.mark.parametrize(
    ("headers", "rows"),
    [
        (["甲", "乙"], [["1", "2"]]),
        (["项目编号", "项目名称"], []),
        (["项目名称", "申报单位"], [["甲", "乙"]]),
        (["项目编号", "项目编号"], [["1", "2"]]),
    ],
)
def test_a_sheet_without_what_is_needed_is_refused_as_a_whole(
    clerk: Actor, headers: list[str], rows: list[list[str]]
) -> None:
    with pytest.raises(InvalidInput) as refused:
        _preview(clerk, workbook(headers, *rows))
    assert list(refused.value.fields) == ["file"]


def test_the_apostrophe_our_exports_put_before_a_formula_goes(clerk: Actor, session: Session) -> None:
    _import(clerk, project("A-1", 项目名称="'=1+1号平台"))
    assert _stored(session, "A-1").title == "=1+1号平台"


def test_more_rows_than_allowed_are_refused(clerk: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parameter, "int_of", lambda _session, key: 3 if key == "import.max_rows" else 20)
    assert _preview(clerk, sheet_of(*(project(f"A-{number}") for number in range(3)))).new_count == 3
    with pytest.raises(InvalidInput):
        _preview(clerk, sheet_of(*(project(f"A-{number}") for number in range(20))))


def test_a_file_larger_than_allowed_is_refused(clerk: Actor) -> None:
    with pytest.raises(TooLarge):
        _preview(clerk, io.BytesIO(b"x" * (20 * 1024 * 1024 + 1)))


# --- the template ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("language", "wan"), [("zh", False), ("zh", True), ("en", False)])
def test_the_template_explains_itself_and_is_read_again(
    clerk: Actor, session: Session, language: str, wan: bool
) -> None:
    importable = importing.importable_of(clerk, "projects")
    out = importing.template(session, importable, language, wan=wan)
    book = openpyxl.load_workbook(out)
    sheet, guide, codes = book.worksheets
    assert (sheet.sheet_state, codes.sheet_state) == ("visible", "hidden")
    headers = [cell.value for cell in sheet[1]]
    assert headers[2].endswith("*")
    assert any(cell.comment for cell in sheet[1])
    rules = sheet.data_validations.dataValidation
    listed = {str(rule.sqref).split(":")[0].rstrip("2"): rule.formula1 for rule in rules}
    units = [cell.value for cell in codes["D"] if cell.value]
    assert "市水利局" in units
    assert f"$D$1:$D${len(units)}" in listed["D"]
    assert guide.max_row >= 5
    stage = codes["H1"].value
    values = {"code": "A-1", "title": "线路租赁", "unit_id": "市水利局", "budget_year": 2024}
    values |= {"nature": codes["F1"].value, "declaration_type": codes["G1"].value, "stage": stage}
    values |= {"requested_amount": "3.19"}
    sheet.append([values.get(column.name) for column in importable.columns(session)])
    filled = io.BytesIO()
    book.save(filled)
    filled.seek(0)
    run = importing.confirm(clerk, _preview(clerk, filled).id)
    assert run.new_count == 1
    assert _stored(session, "A-1").requested_amount == (Decimal("31900.00") if wan else Decimal("3.19"))


def test_the_wrong_rows_come_back_as_a_workbook_to_correct(clerk: Actor, session: Session) -> None:
    bad = project("A-2", 项目名称="", 申报单位="'=市水利局")
    run = _preview(clerk, sheet_of(project("A-1"), bad))
    _, out = importing.wrong_workbook(clerk, run.id, "zh", {3: "项目名称：必填"})
    book = openpyxl.load_workbook(out)
    header, row = ([cell.value for cell in line] for line in book.worksheets[0].iter_rows())
    assert row[header.index("行号")] == "3"
    assert row[header.index("错误原因")] == "项目名称：必填"
    sheet = book.worksheets[0]
    sheet.cell(2, next(n for n, text in enumerate(header, 1) if "项目名称" in text)).value = "补上的名称"
    sheet.cell(2, next(n for n, text in enumerate(header, 1) if "申报单位" in text)).value = "市水利局"
    corrected = io.BytesIO()
    book.save(corrected)
    corrected.seek(0)
    again = _preview(clerk, corrected)
    assert (again.new_count, again.notices) == (1, [])


# --- ten thousand rows -----------------------------------------------------------------------------------


def test_thousands_of_rows_are_previewed_and_imported_in_seconds_and_in_few_statements(
    clerk: Actor, session: Session
) -> None:
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet()
    first = project("A-0", **{"资金渠道：其他(元)": "1260000.00", "批复金额(元)": "1000000.00"})
    sheet.append(list(first))
    for number in range(3_000):
        sheet.append([*[f"A-{number}"], *list(first.values())[1:]])
    out = io.BytesIO()
    book.save(out)
    out.seek(0)
    statements = 0

    def count(*_: object) -> None:
        nonlocal statements
        statements += 1

    bind = session.get_bind()
    event.listen(bind, "before_cursor_execute", count)
    began = time.process_time()
    run = _preview(clerk, out)
    looked = time.process_time() - began
    asked = statements
    event.remove(bind, "before_cursor_execute", count)
    began = time.process_time()
    importing.confirm(clerk, run.id)
    took = time.process_time() - began
    assert session.scalar(select(func.count(Project.id))) == 3_000
    out.seek(0)
    assert _preview(clerk, out).unchanged_count == 3_000
    assert looked < 4
    assert asked < 40
    assert took < 15


# --- the work calendar, through the same facility ---------------------------------------------------------


def test_a_years_arrangement_comes_in_as_a_workbook_or_as_csv(session: Session, store: LocalStorage) -> None:
    admin = make_actor("sys_admin")
    rows: list[list[object]] = [[dt.date(2027, 1, 1), "休", "元旦"], ["2027/1/2", "放假", ""]]
    rows.append([dt.datetime(2027, 1, 9), "班", "调休"])
    run = importing.preview(admin, "work-calendar", workbook(["日期", "类型", "说明"], *rows), "2027.xlsx")
    importing.confirm(admin, run.id)
    calendar = work_calendar.load_calendar(session)
    assert not calendar.is_workday(dt.date(2027, 1, 1))
    assert calendar.is_workday(dt.date(2027, 1, 9))
    text = "日期,类型\n2027-01-01,休\n2027-01-02,休\n2027-01-09,上班\n".encode("gb18030")
    again = importing.preview(admin, "work-calendar", io.BytesIO(text), "2027.csv")
    assert again.unchanged_count == 3
    assert (
        session.scalar(
            select(func.count())
            .select_from(WorkCalendarDay)
            .where(WorkCalendarDay.date >= dt.date(2027, 1, 1))
        )
        == 3
    )


def test_a_day_that_is_none_holds_back_the_calendar(session: Session, store: LocalStorage) -> None:
    admin = make_actor("sys_admin")
    file = workbook(["日期", "类型"], ["2027-02-30", "休"], ["2119-01-01", "休"], ["2027-01-01", "也许"])
    run = importing.preview(admin, "work-calendar", file, "2027.xlsx")
    assert [(number, column) for number, column, _ in _problems(session, run)] == [
        (2, "date"),
        (3, "date"),
        (4, "kind"),
    ]
