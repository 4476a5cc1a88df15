"""A reviewer's day: what waits, one declaration after the other, two at once, and nothing typed is lost."""

from __future__ import annotations

import html
import re

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from app.core.enums import DocumentStatus
from app.core.flow import TaskState, Verb
from app.models.flow import SavedOpinion, Task
from app.services import declaration, review
from tests.factories import actor_of, make_unit, make_user
from tests.sql import count_statements
from tests.views.bureau import Bureau, words


class TestList:
    def test_shows_what_waits_for_me_the_most_urgent_first(self, bureau: Bureau) -> None:
        later = bureau.declared(title="教育城域网运维")
        sooner = bureau.declared(title="数字档案馆建设")
        with bureau.session.begin_nested():
            bureau.session.connection().execute(
                Task.__table__.update()
                .where(Task.id == bureau.task("first", sooner).id)
                .values(due_at=bureau.task("first", later).arrived_at)
            )
        page = bureau.at_work("first").get("/review/tasks/list/")
        assert page.status_code == 200
        assert page.text.index("数字档案馆建设") < page.text.index("教育城域网运维")
        assert 'class="lamp red"' in page.text

    def test_is_empty_for_whoever_has_nothing_to_do(self, bureau: Bureau) -> None:
        bureau.declared(title="教育城域网运维")
        assert "教育城域网运维" not in bureau.at_work("second").get("/review/tasks/list/").text

    def test_asks_the_database_little_however_long_it_is(self, bureau: Bureau) -> None:
        desk = bureau.at_work("first")
        asked = []
        for _ in range(2):
            for number in range(6):
                bureau.declared(title=f"项目{number}")
            desk.get("/review/tasks/list/")
            with count_statements() as sent:
                assert desk.get("/review/tasks/list/").status_code == 200
            assert len(sent) <= 10, sent
            asked.append(len(sent))
        assert asked[0] == asked[1]

    def test_filters_by_step_amount_and_unit(self, bureau: Bureau) -> None:
        bureau.declared(title="教育城域网运维")
        desk = bureau.at_work("first")
        for query, found in {
            "step=first_review": True,
            "step=final_review": False,
            "amount_from=31900": True,
            "amount_from=31900.01": False,
            "unit=教育局": True,
            "unit=公安": False,
        }.items():
            assert ("教育城域网运维" in desk.get(f"/review/tasks/list/?{query}").text) is found, query


class TestDeciding:
    def test_approving_goes_on_to_the_next_task(self, bureau: Bureau) -> None:
        one, other = bureau.declared(title="甲"), bureau.declared(title="乙")
        desk = bureau.at_work("first")
        answer = desk.act(bureau.task("first", one), "approve", opinion="同意。")
        assert answer.status_code == 302
        assert answer.location == f"/review/{bureau.task('first', other).id}"
        assert bureau.step(one) == "recheck"
        done = desk.act(bureau.task("first", other), "approve")
        assert done.location == "/review/tasks/list/"

    def test_what_is_returned_needs_an_opinion(self, bureau: Bureau) -> None:
        document = bureau.declared()
        desk = bureau.at_work("first")
        refused = desk.act(bureau.task("first", document), "return", to_step="applicant", opinion="  ")
        assert refused.status_code == 400
        assert 'aria-invalid="true"' in refused.text
        assert bureau.status(document) is DocumentStatus.IN_REVIEW
        done = desk.act(bureau.task("first", document), "return", to_step="applicant", opinion="请补充报价。")
        assert done.status_code == 302
        assert bureau.status(document) is DocumentStatus.RETURNED

    def test_may_be_returned_to_any_earlier_step(self, bureau: Bureau) -> None:
        document = bureau.declared()
        bureau.approve(document, "first")
        desk = bureau.at_work("second")
        task = bureau.task("second", document)
        offered = re.findall(r'<option value="(\w+)"', desk.get(f"/review/{task.id}").text)
        first_step = bureau.task("first", document).step_id
        assert offered == ["applicant", str(first_step)]
        assert desk.act(task, "return", to_step=str(first_step), opinion="请再核单价。").status_code == 302
        assert bureau.step(document) == "first_review"

    def test_rejecting_ends_it(self, bureau: Bureau) -> None:
        document = bureau.declared()
        desk = bureau.at_work("first")
        assert desk.act(bureau.task("first", document), "reject", opinion="重复建设。").status_code == 302
        assert bureau.status(document) is DocumentStatus.REJECTED

    def test_a_double_click_has_one_effect(self, bureau: Bureau) -> None:
        document = bureau.declared()
        desk = bureau.at_work("first")
        task = bureau.task("first", document)
        fields = desk.fields(f"/review/{task.id}")
        answers = [
            desk.post(
                f"/review/{task.id}/act",
                {**fields, "verb": "approve", "opinion": "同意。"},
                form_on="/password/",
            )
            for _ in range(2)
        ]
        assert [answer.status_code for answer in answers] == [302, 409]
        assert bureau.told(document, Verb.APPROVE) == 1

    def test_the_slower_of_two_sees_who_was_quicker_and_keeps_his_words(self, bureau: Bureau) -> None:
        document = bureau.declared()
        slower = bureau.at_work("twin")
        task = bureau.task("twin", document)
        fields = slower.fields(f"/review/{task.id}")
        bureau.approve(document, "first")
        answer = slower.post(
            f"/review/{task.id}/act",
            {**fields, "verb": "approve", "opinion": "单价偏高,建议核减。"},
            form_on="/password/",
        )
        assert answer.status_code == 409
        assert "梁志明" in words(answer)
        assert "单价偏高,建议核减。" in words(answer)
        assert 'value="approve"' not in answer.text
        assert bureau.told(document, Verb.APPROVE) == 1
        assert words(answer).count("梁志明已办理") == 1
        assert "重新打开页面" not in words(answer)

    def test_nobody_approves_what_he_has_not_read(self, bureau: Bureau) -> None:
        document = bureau.declared()
        reader = bureau.at_work("twin")
        task = bureau.task("twin", document)
        fields = reader.fields(f"/review/{task.id}")
        row = declaration.load(bureau.session, bureau.handler, document)
        declaration.reviewer_edit(
            actor_of(bureau.people["first"]),
            document,
            row.version,
            {"title": "系统维护服务(更正)"},
            "更正名称",
        )
        answer = reader.post(
            f"/review/{task.id}/act", {**fields, "verb": "approve", "opinion": "同意。"}, form_on="/password/"
        )
        assert answer.status_code == 409
        assert "系统维护服务(更正)" in words(answer)
        assert ">\n同意。</textarea>" in answer.text
        assert bureau.step(document) == "first_review"
        # The page shows the present state now: the same button works.
        again = reader.post(
            f"/review/{task.id}/act",
            {**reader.fields(f"/review/{task.id}"), "verb": "approve"},
            form_on=f"/review/{task.id}",
        )
        assert again.status_code == 302

    def test_another_ones_task_is_not_there(self, bureau: Bureau) -> None:
        document = bureau.declared()
        task = bureau.task("first", document)
        stranger = bureau.at_work("second")
        assert stranger.get(f"/review/{task.id}").status_code == 404
        assert stranger.get(f"/review/{task.id}/edit").status_code == 404
        assert stranger.get(f"/review/{task.id}/people").status_code == 404
        for path in ("act", "opinion", "take-back"):
            sent = stranger.post(f"/review/{task.id}/{path}", {"verb": "approve"}, form_on="/password/")
            assert sent.status_code == 404, path
        assert bureau.step(document) == "first_review"

    def test_a_form_without_a_version_decides_nothing(self, bureau: Bureau) -> None:
        document = bureau.declared()
        task = bureau.task("first", document)
        sent = bureau.at_work("first").post(
            f"/review/{task.id}/act", {"verb": "approve"}, form_on="/password/"
        )
        assert sent.status_code == 409
        assert bureau.step(document) == "first_review"

    def test_an_unknown_verb_is_not_there(self, bureau: Bureau) -> None:
        document = bureau.declared()
        assert bureau.at_work("first").act(bureau.task("first", document), "terminate").status_code == 404

    def test_may_be_taken_back_while_nobody_acted_since(self, bureau: Bureau) -> None:
        document = bureau.declared()
        bureau.approve(document, "first")
        desk = bureau.at_work("first")
        path = f"/review/{bureau.task('first', document).id}"
        assert f'action="{path}/take-back"' in desk.get(path).text
        assert desk.post(f"{path}/take-back", desk.fields(path), form_on=path).location == path
        assert bureau.step(document) == "first_review"
        bureau.approve(document, "first", "second")
        seen = {"version": str(bureau.task("first", document).version)}
        late = desk.post(f"{path}/take-back", seen, form_on="/password/")
        assert late.status_code == 409
        assert bureau.step(document) == "final_review"


class TestOpinion:
    def test_is_kept_while_one_writes(self, bureau: Bureau) -> None:
        document = bureau.declared()
        desk = bureau.at_work("first")
        task = bureau.task("first", document)
        path = f"/review/{task.id}"
        kept = desk.post(f"{path}/opinion", {**desk.fields(path), "opinion": "请核对第三行"}, form_on=path)
        assert kept.status_code == 200
        page = desk.get(path).text
        assert ">\n请核对第三行</textarea>" in page
        assert f'value="{kept.json["version"]}"' in page
        # The version it answered is the one to go on with.
        fields = {"version": str(kept.json["version"]), "verb": "approve"}
        assert desk.post(f"{path}/act", fields, form_on=path).status_code == 302

    def test_one_too_long_is_refused_and_still_there(self, bureau: Bureau) -> None:
        document = bureau.declared()
        long = "核" * 2001
        refused = bureau.at_work("first").act(bureau.task("first", document), "approve", opinion=long)
        assert refused.status_code == 400
        assert long in refused.text

    def test_saved_ones_are_offered_as_text(self, bureau: Bureau) -> None:
        review.add_opinion(actor_of(bureau.people["first"]), "请补充<b>报价</b>。")
        document = bureau.declared()
        page = bureau.at_work("first").get(f"/review/{bureau.task('first', document).id}").text
        assert "请补充&lt;b&gt;报价&lt;/b&gt;。" in page

    def test_ones_own_are_kept_and_those_of_others_are_not_touched(self, bureau: Bureau) -> None:
        desk = bureau.at_work("first")
        assert desk.post("/opinions/add", {"text": "同意立项。"}, form_on="/opinions/").status_code == 302
        twice = desk.post("/opinions/add", {"text": "同意立项。"}, form_on="/opinions/")
        assert twice.status_code == 400
        assert "同意立项。</textarea>" in twice.text
        row = bureau.session.scalars(select(SavedOpinion).where(SavedOpinion.text == "同意立项。")).one()
        path = f"/opinions/edit/{row.id}"
        assert desk.post(path, {"text": "同意立项,请列入计划。"}, form_on=path).status_code == 302
        stranger = bureau.at_work("second")
        assert stranger.get(path).status_code == 404
        assert stranger.post(f"/opinions/remove/{row.id}", form_on="/password/").status_code == 404
        shared = bureau.session.scalars(select(SavedOpinion).where(SavedOpinion.user_id.is_(None))).first()
        if shared is not None:
            assert desk.post(f"/opinions/remove/{shared.id}", form_on="/password/").status_code == 403
        assert desk.post(f"/opinions/remove/{row.id}", form_on="/opinions/").status_code == 302
        assert "请列入计划" not in desk.get("/opinions/").text


class TestColleagues:
    def test_a_task_is_transferred_to_one_person(self, bureau: Bureau) -> None:
        document = bureau.declared()
        desk = bureau.at_work("first")
        task = bureau.task("first", document)
        nobody = desk.act(task, "transfer", opinion="请代为审核。")
        assert nobody.status_code == 400
        assert "data-reopen" in nobody.text
        assert ">\n请代为审核。</textarea>" in nobody.text
        heir = bureau.people["second"]
        assert desk.act(task, "transfer", to_user=str(heir.id)).status_code == 302
        assert bureau.task("second", document).state is TaskState.OPEN

    def test_an_unfit_person_is_refused_and_still_chosen(self, bureau: Bureau) -> None:
        document = bureau.declared()
        desk = bureau.at_work("first")
        unfit = bureau.people["handler"]
        answer = desk.act(bureau.task("first", document), "transfer", to_user=str(unfit.id))
        assert answer.status_code == 400
        assert f'<option value="{unfit.id}" selected>' in answer.text

    def test_the_directory_tells_names_only_and_only_of_reviewers(self, bureau: Bureau) -> None:
        clerk = make_user("viewer_stats", make_unit("市政府办(审核)"), last_name="周", first_name="只看")
        document = bureau.declared()
        desk = bureau.at_work("first")
        found = desk.get(f"/review/{bureau.task('first', document).id}/people?q=周").json
        assert {entry["id"] for entry in found} >= {bureau.people["second"].id}
        assert clerk.id not in {entry["id"] for entry in found}
        assert all(set(entry) == {"id", "text"} for entry in found)


class TestDirectEdit:
    def test_the_unit_reads_what_was_changed_and_why(self, bureau: Bureau) -> None:
        document = bureau.declared()
        desk = bureau.at_work("first")
        path = f"/review/{bureau.task('first', document).id}/edit"
        page = desk.get(path)
        assert page.status_code == 200
        assert "13800002210" not in page.text, "telephones are masked outside their unit"
        version = re.search(r'name="version" value="(\d+)"', page.text)
        assert version
        form = {**dict(_form_of(page.text)), "version": version[1], "title": "系统维护服务(更正)"}
        silent = desk.post(path, form, form_on=path)
        assert silent.status_code == 400
        assert "系统维护服务(更正)" in silent.text
        assert '<a href="#reason">修改原因</a>' in silent.text
        crumb = f'breadcrumb-item active" aria-current="page">{bureau.row(document).code}<'
        assert crumb in desk.get(path.removesuffix("/edit")).text
        assert f">{bureau.row(document).code}</a>" in page.text, "the same number leads back"
        assert desk.post(path, {**form, "reason": "名称不规范。"}, form_on=path).status_code == 302
        row = declaration.load(bureau.session, bureau.handler, document)
        assert (row.title, row.lead_mobile) == ("系统维护服务(更正)", "13800002210")
        unit = words(bureau.at_work("handler").get(f"/declaration/show/{document}"))
        for text in ("系统维护服务(更正)", "政务信息化服务项目管理系统维护服务", "名称不规范。", "梁志明"):
            assert text in unit

    def test_the_reason_is_told_once_for_the_edit_and_amounts_are_grouped(self, bureau: Bureau) -> None:
        document = bureau.declared()
        row = declaration.load(bureau.session, bureau.handler, document)
        raw = {
            "requested_amount": "41900.00",
            "total_investment": "",
            "budget_lines": [
                {
                    "subject_code": "2.1",
                    "name": "系统维护",
                    "unit_name": "项",
                    "quantity": "1",
                    "unit_price": "41900.00",
                }
            ],
            "funding_splits": [{"channel": "GENERAL_BUDGET", "amount": "41900.00"}],
        }
        declaration.reviewer_edit(actor_of(bureau.people["first"]), document, row.version, raw, "核定。")
        page = bureau.at_work("handler").get(f"/declaration/show/{document}").text
        pane = page[page.index('id="pane-changes"') :]
        assert pane.count("修改原因") == 1
        assert "核定。" in pane
        assert "41,900.00" in pane
        assert "31,900.00" in pane
        assert "41900.00" not in pane
        rows = pane[: pane.index("</table>")].count('<th scope="row">')
        assert f"修改记录 ({rows})" in page, "the reason counts as no change"

    def test_a_stale_form_shows_what_changed_and_keeps_what_was_typed(self, bureau: Bureau) -> None:
        document = bureau.declared()
        desk = bureau.at_work("first")
        path = f"/review/{bureau.task('first', document).id}/edit"
        row = declaration.load(bureau.session, bureau.handler, document)
        old = row.version
        declaration.reviewer_edit(
            actor_of(bureau.people["twin"]), document, old, {"title": "另一个名称"}, "更正"
        )
        late = desk.post(path, {"version": str(old), "title": "我的名称", "reason": "更正"}, form_on=path)
        assert late.status_code == 409
        assert "另一个名称" in words(late)
        assert "我的名称" in late.text

    def test_only_where_the_step_allows_it(self, bureau: Bureau) -> None:
        document = bureau.declared()
        bureau.approve(document, "first")
        desk = bureau.at_work("second")
        path = f"/review/{bureau.task('second', document).id}"
        assert "/edit" not in desk.get(path).text
        assert desk.get(f"{path}/edit").status_code == 403


class TestTogether:
    def test_each_tells_what_became_of_it(self, bureau: Bureau) -> None:
        documents = [bureau.declared(title=f"项目{number}") for number in range(3)]
        desk = bureau.at_work("first")
        tasks = [bureau.task("first", document) for document in documents]
        chosen = desk.post(
            "/review/tasks/choose", {"rowid": [str(task.id) for task in tasks]}, form_on="/review/tasks/list/"
        )
        assert chosen.status_code == 200
        assert bureau.told(documents[0], Verb.APPROVE) == 0, "choosing decides nothing"
        bureau.approve(documents[1], "twin")
        sent = [f"{task.id}.{task.version}" for task in tasks]
        result = desk.post("/review/tasks/approve", {"task": sent, "opinion": "同意。"}, form_on="/password/")
        assert result.status_code == 200
        assert result.text.count("ti-circle-check text-green") == 2
        assert "黄国强" in words(result)
        assert [bureau.step(document) for document in documents] == ["recheck"] * 3
        assert sum(bureau.told(document, Verb.APPROVE) for document in documents) == 3

    def test_one_that_is_not_mine_refuses_them_all(self, bureau: Bureau) -> None:
        mine, passed = bureau.declared(), bureau.declared()
        bureau.approve(passed, "first", "second")
        desk = bureau.at_work("first")
        foreign = bureau.task("last", passed)
        sent = [f"{bureau.task('first', mine).id}.1", f"{foreign.id}.1"]
        assert desk.post("/review/tasks/approve", {"task": sent}, form_on="/password/").status_code == 404
        chosen = [str(bureau.task("first", mine).id), str(foreign.id)]
        assert desk.post("/review/tasks/choose", {"rowid": chosen}, form_on="/password/").status_code == 404
        assert bureau.step(mine) == "first_review"

    @pytest.mark.parametrize("sent", [[], ["abc"], ["-1"], [str(number) for number in range(1, 300)]])
    def test_nonsense_is_refused(self, bureau: Bureau, sent: list[str]) -> None:
        desk = bureau.at_work("first")
        answer = desk.post("/review/tasks/approve", {"task": sent}, form_on="/password/")
        assert answer.status_code == 400


class TestReviewed:
    def test_holds_what_i_dealt_with_once_the_review_is_over(self, bureau: Bureau) -> None:
        document = bureau.declared(title="教育城域网运维")
        bureau.approve(document, "first", "second")
        desk = bureau.at_work("first")
        assert "教育城域网运维" not in desk.get("/review/reviewed/list/").text
        assert "教育城域网运维" in desk.get("/task/done/list/").text
        bureau.approve(document, "last")
        page = desk.get("/review/reviewed/list/")
        assert "教育城域网运维" in page.text
        assert "教育城域网运维" not in desk.get("/task/done/list/?state=RUNNING").text
        assert "教育城域网运维" in desk.get("/task/done/list/").text
        shown = re.search(r'href="(/review/reviewed/show/\d+)"', page.text)
        assert shown
        assert desk.get(shown[1]).location == f"/declaration/show/{document}"
        # The twin at the same step did nothing, so it is not his.
        assert "教育城域网运维" not in bureau.at_work("twin").get("/review/reviewed/list/").text

    @pytest.mark.parametrize("path", ["/review/reviewed/list/", "/task/done/list/"])
    def test_asks_the_database_little(self, bureau: Bureau, path: str) -> None:
        for number in range(4):
            bureau.approve(
                bureau.declared(title=f"项目{number}"), "first", "second", *(["last"] * (number % 2))
            )
        desk = bureau.at_work("first")
        desk.get(path)
        with count_statements() as sent:
            assert desk.get(path).status_code == 200
        assert len(sent) <= 10, sent


def test_a_message_leads_to_its_task(bureau: Bureau) -> None:
    document = bureau.declared()
    task = bureau.task("first", document)
    desk = bureau.at_work("first")
    assert desk.get(f"/go/task/{task.id}").location == f"/review/{task.id}"
    assert desk.get("/go/planet/1").status_code == 404


def test_a_title_stays_a_title(bureau: Bureau, client: FlaskClient) -> None:
    document = bureau.declared(title='"><script>alert(1)</script>')
    desk = bureau.at_work("first")
    for path in (f"/review/{bureau.task('first', document).id}", "/review/tasks/list/"):
        assert "<script>alert" not in desk.get(path).text


def _form_of(page: str) -> list[tuple[str, str]]:
    """The single-valued fields of the declaration's form as the page shows them."""
    form = page[page.index('id="declaration-form"') : page.index('name="reason"')]
    form = re.sub(r"<template>.*?</template>", "", form, flags=re.S)
    pairs = [
        (name, html.unescape(value))
        for name, value in re.findall(r'<input[^>]*? name="([^"]+)"[^>]*? value="([^"]*)"[^>]*>', form)
    ]
    pairs += [
        (name, html.unescape(body).strip("\n"))
        for name, body in re.findall(
            r'<textarea[^>]*? name="([^"]+)"[^>]*>(.*?)</textarea>', form, flags=re.S
        )
    ]
    for name, body in re.findall(r'<select[^>]*? name="([^"]+)"[^>]*>(.*?)</select>', form, flags=re.S):
        chosen = re.search(r'<option value="([^"]*)"[^>]* selected', body)
        pairs.append((name, chosen[1] if chosen else ""))
    skip = {
        "csrf_token",
        "version",
        "_present",
        "service_categories",
        "basis_codes",
        "scope_public",
        "scope_government",
        "is_secret",
        "crypto_required",
        "on_cloud",
    }
    return [(name, value) for name, value in pairs if name not in skip]
