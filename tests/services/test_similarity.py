"""The duplicate check: what is alike, what only sounds alike, who is told what; the index follows."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.access.actor import SYSTEM, Actor
from app.core.enums import ConstructionStatus, DocumentStatus, Stage
from app.core.errors import TooMany
from app.models.declaration import Declaration
from app.models.project import Project
from app.models.similarity import SimilarityEntry, SimilarityGram, SimilarityPosting, SimilarProject
from app.models.unit import Unit
from app.services import declaration as service
from app.services import similarity
from app.services.similarity import AmountBand, Hit, Sought, band_of
from app.services.similarity.pace import MOST_A_MINUTE, check_pace
from app.services.similarity.passages import compare
from app.services.similarity.text import fold, scope_prints, scope_score, title_grams, title_score
from app.services.unit_of_work import unit_of_work
from tests import samples
from tests.bench import titles
from tests.factories import make_actor, make_unit

THRESHOLD = 0.5
_numbers = itertools.count(1)

SAME_PROJECT = (
    ("“一网统管”平台建设", "“一网统管”平台二期建设"),
    ("教育城域网运维（2026年度）", "2027年教育城域网运维服务"),
    ("医保智能监控系统运维", "2025年度医疗保障智能监控系统续签运维"),
    ("电子政务外网线路租赁(2025)", "电子政务外网线路租赁（2026年续租）"),
    ("政务信息化服务项目管理系统维护服务", "政务信息化服务项目管理系统运维服务"),
    ("不动产登记信息系统升级改造（第一阶段）", "不动产登记信息系统升级改造（第二阶段）"),
    ("视频专网安全加固一期工程", "视频专网安全加固三期工程"),
    ("应急指挥视频会议系统维保", "应急指挥视频会议系统２０２７年维保"),
)
"""The same project renamed: phases, renewals, consecutive years."""

ACROSS_UNITS = (
    ("智慧水利一张图平台", "智慧水利综合管理平台"),
    ("碉楼文物数字化采集与展示", "碉楼与村落文物数字化采集展示平台"),
    ("公安局视频专网安全加固", "视频专网安全加固及改造"),
    ("数字档案馆建设", "开平市数字档案馆系统建设项目（一期）"),
    ("垃圾分类智能监管平台建设", "生活垃圾分类监管系统"),
    ("小型水库大坝安全监测平台", "水库大坝安全监测预警系统建设"),
    ("行政服务中心叫号与自助终端更新", "镇街行政服务中心叫号系统及自助终端采购"),
)
"""Two units that build the same thing."""

UNRELATED = (
    ("开平市信息化系统运维服务", "开平市政务数据管理平台建设"),
    ("水利局信息系统运维服务", "教育局信息系统运维服务"),
    ("智慧城管平台建设", "智慧水利平台建设"),
    ("应急指挥系统升级改造", "不动产登记系统升级改造"),
    ("政务云资源租用服务", "政务外网线路租赁"),
    ("终端正版软件采购", "终端设备采购"),
    ("等级保护测评服务", "密码应用安全性评估服务"),
    ("综合业务系统运维", "综合治税系统运维"),
    ("政务信息化服务项目管理系统维护服务", "政务服务平台运维服务"),
    ("城市管理综合执法视频监控建设", "城市管理公众服务平台建设"),
    ("财政预算单位终端正版软件采购", "财政预算管理一体化系统运维"),
    ("数字校园建设", "数字档案馆建设"),
    ("电子政务内网维护", "电子公文系统维护"),
    ("智慧停车管理平台", "智慧工地管理平台"),
)
"""Different projects that share common words."""


def score(pair: tuple[str, str]) -> float:
    return title_score(title_grams(pair[0]), title_grams(pair[1]))


class TestCalibration:
    @pytest.mark.parametrize("pair", SAME_PROJECT)
    def test_a_renamed_project_is_recognised(self, pair: tuple[str, str]) -> None:
        assert score(pair) >= 0.6

    @pytest.mark.parametrize("pair", UNRELATED)
    def test_common_words_do_not_make_a_duplicate(self, pair: tuple[str, str]) -> None:
        assert score(pair) < THRESHOLD

    def test_precision_and_recall_of_the_whole_set(self) -> None:
        """At the seeded threshold: every hit is right, and most of the true ones are found."""
        true = [score(pair) >= THRESHOLD for pair in (*SAME_PROJECT, *ACROSS_UNITS)]
        false = [score(pair) >= THRESHOLD for pair in UNRELATED]
        precision = sum(true) / (sum(true) + sum(false))
        recall = sum(true) / len(true)
        assert precision == 1.0, f"precision {precision:.2f}"
        assert recall >= 0.85, f"recall {recall:.2f}"

    def test_the_order_of_a_pair_does_not_matter(self) -> None:
        for left, right in (*SAME_PROJECT, *ACROSS_UNITS, *UNRELATED):
            assert score((left, right)) == pytest.approx(score((right, left)))

    @pytest.mark.parametrize("title", ["", "。。。", "2027年度", "网", "a" * 200])
    def test_odd_titles_break_nothing(self, title: str) -> None:
        assert 0 <= score((title, "智慧水利一张图平台")) <= 1
        assert 0 <= score((title, title)) <= 1

    def test_full_width_case_and_marks_are_one(self) -> None:
        assert fold("ＯＡ 系统—（升级）").text == fold("oa系统升级").text

    def test_the_units_own_name_says_nothing_about_its_projects(self) -> None:
        names = ("开平市交通运输局", "交通局")
        left = title_grams("开平市交通运输局普法资源租用", names)
        right = title_grams("开平市交通运输局治超站称重设备采购", names)
        assert title_score(left, right) < 0.2


class TestScope:
    LONG = samples.new_build()["scope_text"] * 2

    def test_a_copied_passage_leaves_prints_in_both(self) -> None:
        """Winnowing promises it for passages of 21 characters and more, wherever they stand."""
        passage = "建设事件协同处置、综合指挥调度、数据汇聚治理和移动端四个子系统"
        left = "本项目依据市政府会议纪要，拟在现有基础上开展下列工作，" + passage + "，并开展培训。"
        right = "采购服务器十台；完善机房环境；" + passage + "；提供三年质保。"
        assert scope_prints(left) & scope_prints(right)

    def test_other_words_leave_none(self) -> None:
        left = scope_prints("采购档案扫描服务，数字化馆藏档案二十万页，建立全文检索")
        right = scope_prints("铺设光纤线路三百公里，接入镇街十五个，配置交换设备")
        assert scope_score(left, right) == 0

    @pytest.mark.parametrize("text", ["", "短", "。" * 500])
    def test_a_scope_that_says_nothing_has_no_prints(self, text: str) -> None:
        assert scope_prints(text) == frozenset()


class TestPassages:
    def test_they_are_marked_in_the_texts_as_written(self) -> None:
        found = compare("title", "“一网统管”平台二期建设", "开平市“一网统管”平台建设（2026年度）")
        assert found is not None
        assert [found.left[a:b] for a, b in found.left_spans] == ["一网统管”平台", "建设"]
        assert [found.right[a:b] for a, b in found.right_spans] == ["一网统管”平台建设"]

    def test_of_another_units_scope_only_what_overlaps_is_told(self) -> None:
        shared = "建设事件协同处置、综合指挥调度、数据汇聚治理和移动端四个子系统"
        private = "本单位内部值班安排及联系人名单见附件，不对外公开。" * 4
        found = compare("scope", shared, private + shared + private)
        assert found is not None
        told = found.dump()["right"]
        assert shared in told
        assert len(told) <= len(shared) + 2 * 30 + 2

    def test_a_long_text_against_itself_takes_no_time_to_speak_of(self) -> None:
        text = "系统建设与运行维护服务，" * 400
        found = compare("scope", text, text)
        assert found is not None and found.left_spans

    def test_pieces_put_together_are_the_text(self) -> None:
        text = "建设“一网统管”平台"
        parts = similarity.pieces(text, [(2, 9)])
        assert "".join(part.text for part in parts) == text
        assert [part.shared for part in parts] == [False, True, False]


@pytest.mark.parametrize(
    ("amount", "band"),
    [
        ("99999.99", AmountBand.BELOW_10),
        ("100000.00", AmountBand.BELOW_50),
        ("999999.99", AmountBand.BELOW_100),
        ("1000000.00", AmountBand.BELOW_500),
        ("5000000.00", AmountBand.ABOVE),
    ],
)
def test_only_the_band_of_an_amount_is_told(amount: str, band: AmountBand) -> None:
    assert band_of(Decimal(amount)) is band


# --- the index and the search --------------------------------------------------------------------------


@pytest.fixture
def unit(session: Session) -> Unit:
    return make_unit("开平市水利局(测试)")


@pytest.fixture
def handler(unit: Unit) -> Actor:
    make_actor("bureau_reviewer"), make_actor("bureau_checker"), make_actor("bureau_leader")
    return make_actor("unit_handler", unit)


@pytest.fixture
def other(session: Session) -> Actor:
    make_actor("bureau_reviewer"), make_actor("bureau_checker"), make_actor("bureau_leader")
    return make_actor("unit_handler", make_unit("开平市应急管理局(测试)"))


def project(title: str, unit: Unit, year: int = 2025, amount: str = "400000.00") -> Project:
    with unit_of_work(SYSTEM) as session:
        row = Project(
            code=f"KP{year}XJ{7000 + next(_numbers)}",
            title=title,
            budget_year=year,
            unit_id=unit.id,
            nature="NEW",
            declaration_type="NEW",
            stage=Stage.PLANNED,
            construction_status=ConstructionStatus.PLANNED,
            requested_amount=Decimal(amount),
        )
        session.add(row)
        return row


def declared(actor: Actor, **changes: Any) -> Declaration:
    draft = service.create(actor, samples.maintenance(**changes))
    return service.submit(actor, draft.id, draft.version)


def found(session: Session, actor: Actor, title: str, scope: str = "", own: int | None = None) -> list[Hit]:
    return similarity.find(session, actor, Sought(title, scope, own))


def titles_of(hits: Sequence[Hit]) -> list[str]:
    return [hit.title for hit in hits]


class TestSearch:
    def test_a_project_of_any_unit_is_found_by_its_title(
        self, session: Session, handler: Actor, other: Actor
    ) -> None:
        declared(other, title="智慧水利综合管理平台")
        (hit,) = found(session, handler, "智慧水利一张图平台")
        assert (hit.title, hit.unit_name, hit.amount_band) == (
            "智慧水利综合管理平台",
            "开平市应急管理局(测试)",
            AmountBand.BELOW_10,
        )
        assert hit.score >= 50
        assert hit.compared[0].part == "title"

    def test_a_project_of_another_name_is_found_by_its_scope(
        self, session: Session, handler: Actor, other: Actor
    ) -> None:
        scope = samples.new_build()["scope_text"]
        declared(other, title="城市运行指挥中心", scope_text=scope)
        (hit,) = found(session, handler, "一体化协同处置工程", f"本期内容：{scope}")
        assert (hit.title_score < 50, hit.scope_score >= 60) == (True, True)
        assert [compared.part for compared in hit.compared] == ["scope"]

    def test_unrelated_projects_of_the_same_words_are_not(self, session: Session, handler: Actor) -> None:
        away = make_unit("开平市教育局(测试)")
        for title in ("教育局信息系统运维服务", "政务数据管理平台建设", "终端设备采购"):
            project(title, away)
        assert found(session, handler, "水利局信息系统运维服务") == []

    def test_the_years_of_one_project_are_one_hit(self, session: Session, handler: Actor) -> None:
        away = make_unit("开平市教育局(测试)")
        for year in (2023, 2024, 2025):
            project(f"教育城域网运维（{year}年度）", away, year)
        (hit,) = found(session, handler, "教育城域网运维")
        assert (hit.budget_year, hit.years) == (2025, (2024, 2023))

    def test_it_does_not_find_itself(self, session: Session, handler: Actor) -> None:
        row = declared(handler, title="智慧水利一张图平台")
        assert found(session, handler, "智慧水利一张图平台", own=row.project_id) == []

    def test_what_another_unit_has_not_submitted_is_never_told(
        self, session: Session, handler: Actor, other: Actor
    ) -> None:
        service.create(other, samples.maintenance(title="智慧水利综合管理平台"))
        assert found(session, handler, "智慧水利综合管理平台") == []

    def test_what_was_taken_back_is_told_no_more(
        self, session: Session, handler: Actor, other: Actor
    ) -> None:
        row = declared(other, title="智慧水利综合管理平台")
        assert len(found(session, handler, "智慧水利综合管理平台")) == 1
        service.withdraw(other, row.id, row.version)
        assert found(session, handler, "智慧水利综合管理平台") == []

    def test_what_is_being_revised_shows_its_submitted_title_and_no_scope(
        self, session: Session, handler: Actor, other: Actor
    ) -> None:
        scope = samples.new_build()["scope_text"]
        row = declared(other, title="智慧水利综合管理平台", scope_text=scope)
        with unit_of_work(SYSTEM):
            stored = session.get_one(Declaration, row.id, populate_existing=True)
            stored.status = DocumentStatus.RETURNED
            stored.scope_text = "修改中的内容，尚未提交：" + scope
        (hit,) = found(session, handler, "智慧水利综合管理平台", scope)
        assert [compared.part for compared in hit.compared] == ["title"]

    def test_whoever_neither_declares_nor_reviews_is_told_nothing(
        self, session: Session, other: Actor
    ) -> None:
        declared(other, title="智慧水利综合管理平台")
        assert found(session, make_actor("sys_admin"), "智慧水利综合管理平台") == []
        assert found(session, make_actor("expert"), "智慧水利综合管理平台") == []

    def test_the_threshold_is_a_parameter(self, session: Session, handler: Actor, other: Actor) -> None:
        from app.models.dictionary import RuleParameter

        declared(other, title="智慧水利综合管理平台")
        with unit_of_work(SYSTEM):
            session.add(
                RuleParameter(
                    key="similarity.threshold",
                    value="95",
                    label_zh="",
                    label_en="",
                    effective_from=dt.date(2026, 1, 2),
                )
            )
        assert found(session, handler, "智慧水利一张图平台") == []


def postings(session: Session, project_id: int | None) -> set[int]:
    rows = select(SimilarityPosting.gram).where(SimilarityPosting.project_id == project_id)
    return set(session.scalars(rows))


class TestIndex:
    def test_it_is_written_with_the_submission_and_gone_with_its_rollback(
        self, session: Session, handler: Actor
    ) -> None:
        row = declared(handler, title="智慧水利一张图平台")
        grams = title_grams("智慧水利一张图平台", ("开平市水利局(测试)",)).indexed
        assert grams <= postings(session, row.project_id)
        before = session.scalar(select(func.count()).select_from(SimilarityPosting))

        with pytest.raises(RuntimeError, match="power cut"), unit_of_work(SYSTEM) as work:
            work.add(
                Project(
                    code="KP2025XJ9999",
                    title="另一个项目的名称",
                    budget_year=2025,
                    unit_id=handler.unit_id,
                    nature="NEW",
                    declaration_type="NEW",
                    stage=Stage.PLANNED,
                    construction_status=ConstructionStatus.PLANNED,
                    requested_amount=Decimal(1),
                )
            )
            work.flush()
            raise RuntimeError("power cut")
        assert session.scalar(select(func.count()).select_from(SimilarityPosting)) == before

    def test_it_follows_a_new_title_whoever_gives_it(self, session: Session, unit: Unit) -> None:
        row = project("智慧水利一张图平台", unit)
        with unit_of_work(SYSTEM) as work:
            work.get_one(Project, row.id).title = "防汛视频会商系统"
        assert postings(session, row.id) == set(title_grams("防汛视频会商系统", (unit.name,)).indexed)
        assert session.scalar(select(func.count()).select_from(SimilarityEntry)) == 1

    def test_a_rebuild_gives_the_same_index(self, session: Session, handler: Actor, other: Actor) -> None:
        first = declared(handler, title="智慧水利一张图平台", scope_text=samples.new_build()["scope_text"])
        second = declared(other, title="防汛视频会商系统")
        before = {row.project_id: postings(session, row.project_id) for row in (first, second)}
        assert all(before.values())

        built = similarity.rebuild_all()

        assert built.projects == 2
        assert {row.project_id: postings(session, row.project_id) for row in (first, second)} == before

    def test_the_clock_finds_what_another_way_of_writing_left_out(
        self, session: Session, unit: Unit, handler: Actor
    ) -> None:
        from sqlalchemy import delete

        row = project("智慧水利一张图平台", unit)
        with unit_of_work(SYSTEM) as work:
            work.execute(delete(SimilarityPosting))
            work.execute(delete(SimilarityEntry))
        assert found(session, handler, "智慧水利一张图平台") == []
        assert similarity.refresh().projects == 1
        assert [hit.project_id for hit in found(session, handler, "智慧水利一张图平台")] == [row.id]

    def test_common_words_weigh_less_once_they_are_counted(self, session: Session, handler: Actor) -> None:
        """Three hundred titles with one word in common: it alone makes nothing similar any more."""
        away = make_unit("开平市自然资源局(测试)")
        with unit_of_work(SYSTEM) as work:
            for number, (title, _) in enumerate(titles.texts(300)):
                work.add(
                    Project(
                        code=f"KP2025YW{number:04d}",
                        title=f"勘测院{title}",
                        budget_year=2025,
                        unit_id=away.id,
                        nature="NEW",
                        declaration_type="NEW",
                        stage=Stage.PLANNED,
                        construction_status=ConstructionStatus.PLANNED,
                        requested_amount=Decimal(1),
                    )
                )
        similarity.refresh()
        counted = dict(session.execute(select(SimilarityGram.gram, SimilarityGram.projects)).all())
        common = title_grams("勘测院").telling
        assert all(counted[gram] == 300 for gram in common)
        assert found(session, handler, "勘测院食堂") == []


class TestKept:
    def test_what_is_found_at_submission_stays_with_the_declaration(
        self, session: Session, handler: Actor, other: Actor
    ) -> None:
        earlier = declared(other, title="智慧水利综合管理平台")
        row = declared(handler, title="智慧水利一张图平台")
        (kept,) = similarity.kept(session, row.id)
        assert (kept.title, kept.project_id, kept.budget_year) == (
            "智慧水利综合管理平台",
            earlier.project_id,
            samples.next_year(),
        )
        assert kept.passages[0]["part"] == "title"
        assert row.status is DocumentStatus.IN_REVIEW, "a hint never keeps anything back"

    def test_a_second_submission_looks_again(self, session: Session, handler: Actor, other: Actor) -> None:
        row = declared(handler, title="智慧水利一张图平台")
        assert similarity.kept(session, row.id) == []
        declared(other, title="智慧水利综合管理平台")
        back = service.withdraw(handler, row.id, row.version)
        service.submit(handler, back.id, back.version)
        assert len(similarity.kept(session, row.id)) == 1
        assert session.scalar(select(func.count()).select_from(SimilarProject)) == 2


def test_sixty_questions_a_minute_and_no_more() -> None:
    person = 10_000_000 + next(_numbers)
    for _ in range(MOST_A_MINUTE):
        check_pace(person, now=100.0)
    with pytest.raises(TooMany):
        check_pace(person, now=159.9)
    check_pace(person, now=160.1)
    check_pace(person + 1, now=159.9)
