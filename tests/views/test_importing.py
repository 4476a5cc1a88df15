"""The pages of an import: template, upload, preview, confirm, record; and who may open them."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from pathlib import Path

import openpyxl
import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from app.gateways.storage import LocalStorage
from app.models.importing import ImportRun, ImportState
from app.models.project import Project
from app.models.user import AppUser
from app.services import attachment
from tests.conftest import IsolatedClient
from tests.factories import make_unit, make_user
from tests.pages import words
from tests.security.conftest import Browser
from tests.services.importing_support import project, sheet_of
from tests.sql import count_statements

UPLOAD = "/import/list/projects"


@pytest.fixture(autouse=True)
def store(session: Session, tmp_path: Path) -> Iterator[None]:
    """Files of this test alone."""
    before = attachment.store()
    attachment.bind(LocalStorage(tmp_path / "files"))
    yield
    attachment.bind(before)


class Desk(Browser):
    """A browser at the import pages."""

    def upload(self, file: io.BytesIO, name: str = "项目.xlsx") -> TestResponse:
        return self.post(UPLOAD, {"file": (file, name)})  # type: ignore[dict-item]

    def preview(self, *records: dict[str, object]) -> str:
        """Upload rows; returns the preview's address."""
        answer = self.upload(sheet_of(*records))
        assert answer.status_code == 302, words(answer)[:400]
        return answer.location


def desk(app: Flask, user: AppUser) -> Desk:
    app.test_client_class = IsolatedClient
    found = Desk(app.test_client())
    found.log_in(user.username)
    return found


@pytest.fixture
def clerk(app: Flask, session: Session) -> Desk:
    make_unit("市水利局")
    return desk(app, make_user("bureau_reviewer"))


def test_from_the_projects_list_to_the_imported_project(clerk: Desk, session: Session) -> None:
    assert 'href="/import/projects"' in clerk.get("/project/list/").text
    assert clerk.get("/import/projects").location == UPLOAD
    address = clerk.preview(project("A-1", 项目名称="<b>数字档案馆</b>"), project("A-2"))
    page = clerk.get(address)
    assert page.status_code == 200
    assert "将新增 2 行、修改 0 行" in words(page)
    assert "&lt;b&gt;数字档案馆&lt;/b&gt;" in page.text
    assert session.scalar(select(func.count(Project.id))) == 0
    done = clerk.post(f"{address}/confirm", form_on=address)
    assert done.location == address
    page = clerk.get(address)
    assert "新增 2 行，修改 0 行，未变 0 行" in words(page)
    found = re.search(r'href="(/project/show/\d+)"', page.text)
    assert found is not None
    project_page = clerk.get(found[1])
    assert "已验收" in words(project_page)
    assert "版本历史" in words(project_page)


def test_old_and_new_are_shown_as_people_say_them(clerk: Desk) -> None:
    address = clerk.preview(project("A-1"))
    clerk.post(f"{address}/confirm", form_on=address)
    address = clerk.preview(project("A-1", 项目类型="新建项目", **{"批复金额(元)": 1100000}))
    text = words(clerk.get(address))
    assert "项目类型 延续项目 → 新建项目" in text
    assert "批复金额 1,100,000.00" in text


def test_wrong_rows_are_named_and_hold_back_all(clerk: Desk, session: Session) -> None:
    address = clerk.preview(project("A-1"), project("A-2", 申报单位="市不存在局"))
    page = clerk.get(address)
    assert "C3 申报单位：没有名为“市不存在局”的机构" in words(page)
    refused = clerk.post(f"{address}/confirm", form_on=address)
    assert refused.status_code == 400
    assert "有 1 行有误，未导入任何内容" in words(refused)
    assert session.scalar(select(func.count(Project.id))) == 0
    clerk.post(f"{address}/confirm", {"only_good": "1"}, form_on=address)
    assert list(session.scalars(select(Project.code))) == ["A-1"]
    assert "有误的 1 行未导入" in words(clerk.get(address))


def test_the_tabs_show_the_rows_of_one_result(clerk: Desk) -> None:
    address = clerk.preview(*(project(f"A-{number}") for number in range(60)), project("B-1", 项目名称=""))
    assert "B-1" not in clerk.get(f"{address}?state=NEW").text
    wrong = clerk.get(f"{address}?state=WRONG")
    assert "B-1" in wrong.text and "A-1" not in words(wrong)
    second = clerk.get(f"{address}?state=ALL&page=2")
    assert "第 51 至 61 行，共 61 行" in words(second)
    for odd in ("abc", "-5", "9999999"):
        assert clerk.get(f"{address}?page={odd}&state={odd}").status_code == 200


def test_the_wrong_rows_as_a_workbook(clerk: Desk) -> None:
    address = clerk.preview(project("A-1"), project("A-2", 申报单位="市不存在局"))
    answer = clerk.get(f"{address}/wrong")
    assert answer.status_code == 200
    header, row = openpyxl.load_workbook(io.BytesIO(answer.data)).worksheets[0].iter_rows(values_only=True)
    assert len(header) == len(row)
    assert "没有名为“市不存在局”的机构" in str(row[header.index("错误原因")])


@pytest.mark.parametrize("unit", ["", "?unit=wan"])
def test_the_template_is_a_workbook_of_the_readers_language(clerk: Desk, unit: str) -> None:
    answer = clerk.get(f"{UPLOAD}/template{unit}")
    header = next(openpyxl.load_workbook(io.BytesIO(answer.data)).worksheets[0].iter_rows(values_only=True))
    assert ("安排预算金额(万元)" if unit else "安排预算金额(元)") in header
    assert "项目名称*" in header
    assert answer.headers["Content-Disposition"].startswith("attachment")


@pytest.mark.parametrize(
    ("content", "name", "said"),
    [
        (b"", "a.xlsx", "选择文件"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"0" * 99, "a.xlsx", "密码"),
        (b"<html>", "a.xlsx", "Excel"),
        (b"x" * (21 << 20), "a.xlsx", "20 MB"),
    ],
)
def test_a_refused_file_is_said_beside_its_field(clerk: Desk, content: bytes, name: str, said: str) -> None:
    refused = clerk.upload(io.BytesIO(content), name)
    assert refused.status_code in (400, 413)
    found = re.search(r'id="file-error"[^>]*>(.*?)</div></div>', refused.text, flags=re.S)
    assert found is not None and said in found[1]


def test_no_file_chosen_is_no_error_page(clerk: Desk) -> None:
    refused = clerk.post(UPLOAD)
    assert refused.status_code == 400
    assert "请选择文件" in words(refused)


def test_what_changed_meanwhile_is_shown_as_a_fresh_preview(clerk: Desk, session: Session) -> None:
    first = clerk.preview(project("A-1"))
    second = clerk.preview(project("A-1"))
    clerk.post(f"{first}/confirm", form_on=first)
    late = clerk.post(f"{second}/confirm", form_on=second)
    assert late.status_code == 409
    assert "没有需要导入的内容" in words(late)


def test_a_preview_is_given_up(clerk: Desk, session: Session) -> None:
    address = clerk.preview(project("A-1"))
    assert clerk.post(f"{address}/discard", form_on=address).location == UPLOAD
    assert session.scalars(select(ImportRun.state)).one() is ImportState.DISCARDED
    assert "已放弃" in words(clerk.get(address))
    assert clerk.post(f"{address}/confirm", form_on=UPLOAD).status_code == 409


def test_the_original_file_comes_back_byte_for_byte(clerk: Desk) -> None:
    file = sheet_of(project("A-1"))
    data = file.getvalue()
    address = clerk.upload(io.BytesIO(data)).location
    answer = clerk.get(f"{address}/file")
    assert answer.data == data
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert answer.headers["Content-Disposition"].startswith("attachment")


def test_the_records_are_a_list_like_any_other(clerk: Desk) -> None:
    address = clerk.preview(project("A-1"))
    clerk.post(f"{address}/confirm", form_on=address)
    page = clerk.get("/import/records/list/?state=DONE&file=项目")
    assert address in page.text
    assert "项目.xlsx" in words(page)
    assert clerk.get("/import/records/export").status_code == 200


def test_who_may_not_import_reaches_nothing(app: Flask, clerk: Desk, session: Session) -> None:
    address = clerk.preview(project("A-1"))
    handler = desk(app, make_user("unit_handler"))
    for path in ("/import/", UPLOAD, f"{UPLOAD}/template", address, f"{address}/file", f"{address}/wrong"):
        assert handler.get(path).status_code in (302, 403, 404), path
    assert "/import/" not in handler.get("/project/list/").text
    colleague = desk(app, make_user("bureau_reviewer"))
    assert colleague.get(address).status_code == 404
    assert colleague.get("/import/list/work-calendar").status_code == 403
    assert colleague.get("/import/list/users").status_code == 404
    auditor = desk(app, make_user("audit_admin"))
    assert auditor.get(address).status_code == 200
    assert f"{address}/confirm" not in auditor.get(address).text
    assert auditor.post(f"{address}/confirm", form_on="/password/").status_code in (403, 404)


def test_a_preview_of_many_rows_asks_little(clerk: Desk, session: Session) -> None:
    address = clerk.preview(*(project(f"A-{number}") for number in range(200)))
    clerk.get(address)
    with count_statements() as statements:
        page = clerk.get(address)
    assert page.status_code == 200
    assert len(statements) <= 10, statements
    assert len(page.text) < 150_000
