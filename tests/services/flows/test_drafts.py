"""Drafts from beginning to publishing: saving, comparing, files, trying, and who may."""

from __future__ import annotations

import copy
import json
from decimal import Decimal
from typing import Any

import pytest
from flask_appbuilder.security.sqla.models import Group
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.access.actor import Actor
from app.core.errors import Conflict, InvalidInput, NotAllowed, NotFound, StaleVersion, TooLarge
from app.core.flow import FlowState, SkipReason
from app.models.flow import FlowDefinition
from app.models.log import SystemLog
from app.services import review
from app.services.review.flows import overview, transfer
from app.services.review.flows.compare import Fate, compare
from app.services.review.flows.names import find_reviewers
from app.services.review.flows.rehearsal import rehearse_document, rehearse_values
from app.services.review.flows.sheet import STEP_KEYS
from app.services.unit_of_work import current_session
from tests.factories import actor_of, make_actor, make_unit, make_user
from tests.services.flows.support import KIND, draft, fresh, published, sheet, step, when, write
from tests.workflow.support import Office, declarations_for_tests


@pytest.fixture
def admin(session: Session) -> Actor:
    return make_actor("sys_admin")


@pytest.fixture
def people(session: Session) -> list[str]:
    bureau = make_unit()
    return [make_user("bureau_checker", bureau).username for _ in range(4)]


def refused(actor: Actor, definition: FlowDefinition, **step_fields: Any) -> dict[str, list[str]]:
    """What is said beside the fields of a step that is not taken."""
    with pytest.raises(InvalidInput) as error:
        content = {"name": "流程", "steps": [{**step("a"), **step_fields}]}
        review.save_flow(actor, definition.id, content, revision=definition.revision)
    return {path: [one.message for one in found] for path, found in error.value.fields.items()}


class TestSaving:
    def test_everything_a_step_can_have_comes_back(self, admin: Actor, people: list[str]) -> None:
        unit = make_unit()
        write(Group(name="panel", label="评审组"))
        full = [
            step("first_review", *people[:3], quorum="SEQUENCE", unit_match="SAME_OR_ABOVE", may_edit=True),
            step(
                "panel",
                assignee_kind="GROUP",
                group="panel",
                quorum="SHARE",
                share_percent=60,
                limit_days=None,
                optional=True,
                switch="review.unit_leader_step",
                may_return_applicant=False,
                may_copy=False,
                return_steps=["first_review"],
                conditions=[
                    when("requested_amount", "GE", "1000000.00"),
                    when("declaration_type", "IN", ["NEW", "OTHER"]),
                    when("nature", "NE", "OPERATION"),
                    when("funding_channels", "NOT_IN", ["SUPERIOR_GRANT"]),
                    when("unit", "UNDER", unit.code),
                    when("crypto_required", "EQ", False),
                    when("budget_year", "GT", "2026"),
                ],
            ),
            step("head", assignee_kind="UNIT_HEAD"),
        ]
        made = draft(admin, *full)
        stored = sheet(admin, made)
        for given, kept in zip(full, stored["steps"], strict=True):
            assert {key: kept[key] for key in given} == given
        again = review.save_flow(admin, made.id, json.loads(json.dumps(stored)), revision=made.revision)
        assert again.revision == made.revision, "nothing changed, so nobody's open page is stale"
        assert sheet(admin, made) == stored

    def test_a_form_sends_texts(self, admin: Actor) -> None:
        made = draft(admin)
        typed = {
            "name": " 流程 ",
            "steps": [
                step(
                    "a",
                    limit_days="５",
                    optional="1",
                    may_edit="",
                    role="expert",
                    conditions=[when("requested_amount", "GE", "1,000,000.5"), when("", "GE", "")],
                )
            ],
        }
        review.save_flow(admin, made.id, typed, revision=1)
        (kept,) = sheet(admin, made)["steps"]
        assert (kept["limit_days"], kept["optional"], kept["may_edit"], kept["role"]) == (
            5,
            True,
            False,
            "expert",
        )
        assert kept["conditions"] == [when("requested_amount", "GE", "1000000.50")]

    @pytest.mark.parametrize(
        ("field", "value", "taken"),
        [
            ("limit_days", "0", None),
            ("limit_days", "1", 1),
            ("limit_days", "250", 250),
            ("limit_days", "251", None),
            ("limit_days", "1.5", None),
            ("limit_days", "-1", None),
            ("limit_days", "三", None),
            ("share_percent", "0", None),
            ("share_percent", "1", 1),
            ("share_percent", "100", 100),
            ("share_percent", "101", None),
            ("name_zh", "", None),
            ("name_zh", "长" * 60, "长" * 60),
            ("name_zh", "长" * 61, None),
            ("code", "First", None),
            ("quorum", "MOST", None),
            ("assignee_kind", "", None),
            ("users", ["nobody-at-all"], None),
            ("switch", "third_party.threshold", None),
            ("return_steps", ["a"], None),
            ("optional", "perhaps", None),
        ],
    )
    def test_limits(self, admin: Actor, people: list[str], field: str, value: Any, taken: Any) -> None:
        made = draft(admin)
        who = {"assignee_kind": "USERS", "quorum": "SHARE"}
        if taken is None:
            assert list(refused(admin, made, **{**who, field: value})) == [f"steps.0.{field}"]
            return
        content = {"name": "流程", "steps": [step("a", **{**who, field: value})]}
        review.save_flow(admin, made.id, content, revision=1)
        assert sheet(admin, made)["steps"][0][field] == taken

    @pytest.mark.parametrize(
        ("row", "place"),
        [
            (when("requested_amount", "GE", ""), "value"),
            (when("requested_amount", "GE", "一百万"), "value"),
            (when("requested_amount", "GE", "1.001"), "value"),
            (when("requested_amount", "GE", 1000000.5), "value"),
            (when("requested_amount", "IN", "1"), "operator"),
            (when("requested_amount", "BETWEEN", "1"), "operator"),
            (when("nature", "EQ", ["NEW", "OPERATION"]), "value"),
            (when("nature", "IN", []), "value"),
            (when("nature", "EQ", "WRITTEN_BY_HAND"), "value"),
            (when("unit", "UNDER", "no such code"), "value"),
            (when("crypto_required", "EQ", ""), "value"),
            (when("colour", "EQ", "red"), "field"),
            (when("", "EQ", "red"), "field"),
        ],
    )
    def test_conditions_that_make_no_sense(self, admin: Actor, row: dict[str, Any], place: str) -> None:
        assert list(refused(admin, draft(admin), conditions=[row])) == [f"steps.0.conditions.0.{place}"]

    def test_two_people_at_once(self, admin: Actor, people: list[str]) -> None:
        made = draft(admin, step("a", people[0]))
        other = make_actor("sys_admin", last_name="司徒", first_name="文辉")
        content = {"name": "流程", "steps": [step("a", people[1], limit_days=5), step("b", people[2])]}
        review.save_flow(other, made.id, content, revision=1)
        with pytest.raises(StaleVersion) as stale:
            review.save_flow(admin, made.id, {"name": "我的", "steps": []}, revision=1)
        changed = {change.field: (change.old, change.new, change.by) for change in stale.value.changes}
        assert changed["a.limit_days"] == ("3", "5", "司徒文辉")
        assert changed["b."] == ("", "b", "司徒文辉")
        assert fresh(admin, made).name == "流程"
        review.save_flow(admin, made.id, {"name": "我的", "steps": []}, revision=fresh(admin, made).revision)

    def test_only_drafts_change(self, admin: Actor) -> None:
        first = published()
        with pytest.raises(Conflict):
            review.save_flow(admin, first.id, {"name": "改", "steps": []}, revision=first.revision)
        with pytest.raises(Conflict):
            review.remove_flow(admin, first.id, revision=first.revision)

    def test_a_draft_is_deleted(self, admin: Actor, people: list[str]) -> None:
        made = draft(admin, step("a", people[0], conditions=[when("nature", "EQ", "NEW")]))
        with pytest.raises(StaleVersion):
            review.remove_flow(admin, made.id, revision=7)
        review.remove_flow(admin, made.id, revision=1)
        with pytest.raises(NotFound):
            overview.version(admin, made.id)

    def test_only_who_manages_flows(self, admin: Actor, people: list[str]) -> None:
        made = draft(admin, step("a", people[0]))
        for role in ("unit_handler", "bureau_leader", "sec_admin", "audit_admin"):
            other = make_actor(role)
            with pytest.raises(NotAllowed):
                review.create_flow(other, KIND, "流程")
            with pytest.raises(NotAllowed):
                find_reviewers(other, "")
            for call in (
                lambda other=other: review.save_flow(other, made.id, {}, revision=1),
                lambda other=other: review.remove_flow(other, made.id, revision=1),
                lambda other=other: review.draft_of(other, made.id),
                lambda other=other: transfer.export(other, made.id),
                lambda other=other: rehearse_values(other, made.id, {}),
            ):
                with pytest.raises(NotFound):
                    call()

    def test_every_act_stands_in_the_log(self, admin: Actor, people: list[str]) -> None:
        made = draft(admin, step("a", people[0]))
        review.save_flow(admin, made.id, {"name": "改", "steps": [step("a", people[0])]}, revision=1)
        transfer.export(admin, made.id)
        review.publish(admin, made.id, revision=2)
        rows = current_session().execute(
            select(SystemLog.event, SystemLog.username).where(SystemLog.noun == "flow").order_by(SystemLog.id)
        )
        events = ["FLOW_DRAFT_CREATED", "FLOW_DRAFT_SAVED", "EXPORT", "SENSITIVE_OP"]
        assert list(map(tuple, rows)) == [(event, admin.username) for event in events]

    def test_people_are_found_by_name_and_unit(self, admin: Actor) -> None:
        unit = make_unit("水利局")
        wanted = make_user("bureau_checker", unit, first_name="水生")
        make_user("viewer_stats", unit)
        make_user("bureau_checker", unit, active=False)
        assert [one.username for one in find_reviewers(admin, "水利 水生")] == [wanted.username]
        assert [one.username for one in find_reviewers(admin, "水利局")] == [wanted.username]


class TestComparing:
    def test_fates(self) -> None:
        def content(*steps: dict[str, Any]) -> dict[str, Any]:
            return {"name": "流程", "steps": [{**dict.fromkeys(STEP_KEYS), **one} for one in steps]}

        old = content(step("a"), step("b"), step("c"), step("d"))
        new = content(step("c"), step("a"), step("x"), step("d", limit_days=9))
        told = {one.code: one for one in compare(old, new)}
        assert list(told) == ["c", "a", "b", "x", "d"]
        assert sorted(one.fate for one in (told["a"], told["c"])) == [Fate.CHANGED, Fate.SAME], "one moved"
        assert [told[code].fate for code in "bxd"] == [Fate.REMOVED, Fate.ADDED, Fate.CHANGED]
        assert [one.code for one in told.values() if one.moved] == [
            one.code for one in (told["c"], told["a"]) if one.fate is Fate.CHANGED
        ]
        assert [(one.field, one.old, one.new) for one in told["d"].fields] == [("limit_days", 3, 9)]
        assert all(one.fate is Fate.SAME for one in compare(old, copy.deepcopy(old)))


class TestFiles:
    def test_there_and_back_again(self, admin: Actor, people: list[str]) -> None:
        unit = make_unit()
        made = draft(
            admin,
            step("first_review", *people[:2], quorum="ALL"),
            step(
                "panel",
                role="bureau_leader",
                assignee_kind="ROLE",
                return_steps=["first_review"],
                conditions=[when("unit", "IN", [unit.code]), when("requested_amount", "LT", "5.00")],
            ),
        )
        file = transfer.export(admin, made.id)
        brought = transfer.import_file(admin, file.data)
        assert brought.left_out == {}
        assert sheet(admin, brought.draft) == sheet(admin, made)
        assert (brought.draft.version, brought.draft.state) == (made.version + 1, FlowState.DRAFT)
        of_the_unit, _ = json.loads(file.data)["steps"][1]["conditions"]
        assert of_the_unit["value"] == [unit.code], "another office has other numbers"

    def test_names_of_another_office(self, admin: Actor, people: list[str]) -> None:
        strange = {
            "format": "govproject.flow",
            "schema": 1,
            "document_kind": KIND,
            "name": "外地流程",
            "steps": [
                step("a", people[0], "stranger"),
                step("b", role="mayor", conditions=[when("nature", "IN", ["NEW", "MOON"])]),
                step("c", assignee_kind="GROUP", group="elders", conditions=[when("weather", "EQ", "rain")]),
            ],
        }
        data = json.dumps(strange).encode()
        with pytest.raises(InvalidInput) as refused:
            transfer.import_file(admin, data)
        places = {
            "steps.0.users",
            "steps.1.role",
            "steps.1.conditions.0.value",
            "steps.2.group",
            "steps.2.conditions.0.field",
        }
        assert set(refused.value.fields) == places
        brought = transfer.import_file(admin, data, partly=True)
        assert set(brought.left_out) == places
        first, second, third = sheet(admin, brought.draft)["steps"]
        assert first["users"] == [people[0]]
        assert second["role"] is None and second["conditions"] == [when("nature", "IN", ["NEW"])]
        assert third["conditions"] == []

    @pytest.mark.parametrize(
        "data",
        [
            b"",
            b"PK\x03\x04",
            b"\xff\xfe\x00",
            b"null",
            b"[]",
            b"{}",
            b'{"format":"govproject.flow"}',
            b'{"format":"govproject.flow","schema":2,"document_kind":"declaration","name":"x","steps":[]}',
            b'{"format":"govproject.flow","schema":true,"document_kind":"declaration","name":"x","steps":[]}',
            b'{"format":"govproject.flow","schema":1,"document_kind":["declaration"],"name":"x","steps":[]}',
            b'{"format":"govproject.flow","schema":1,"document_kind":"spaceship","name":"x","steps":[]}',
            b'{"format":"govproject.flow","schema":1,"document_kind":"declaration","name":"x","steps":[],"id":1}',
            b'{"format":"govproject.flow","schema":1,"schema":1,"document_kind":"declaration","name":"x"}',
            b'{"format":"govproject.flow","schema":1,"document_kind":"declaration","name":"x","steps":NaN}',
            b"[" * 100_000,
            b'{"a":' * 50_000,
            b'{"format":"govproject.flow","schema":1,"document_kind":"declaration","name":"x","steps":'
            + b"[" * 50
            + b"]" * 50
            + b"}",
            b'{"format":"govproject.flow","schema":1' + b"0" * 5_000 + b"}",
        ],
        ids=range(18),
    )
    def test_what_is_no_flow_is_refused(self, admin: Actor, data: bytes) -> None:
        with pytest.raises(InvalidInput) as refused:
            transfer.import_file(admin, data)
        assert list(refused.value.fields) == ["file"]

    @pytest.mark.parametrize(
        ("change", "place"),
        [
            ({"steps": {"a": 1}}, "steps"),
            ({"steps": ["x"]}, "steps.0"),
            ({"steps": [step("a")] * 31}, "steps"),
            ({"steps": [step("a"), step("a")]}, "steps.1.code"),
            ({"steps": [step("a", definition_id=1)]}, "steps.0.definition_id"),
            ({"steps": [step("a", limit_days=True)]}, "steps.0.limit_days"),
            ({"steps": [step("a", limit_days=Decimal("1E9"))]}, "steps.0.limit_days"),
            ({"steps": [step("a", users=["x"] * 51, assignee_kind="USERS")]}, "steps.0.users"),
            ({"steps": [step("a", conditions=[{}] * 11)]}, "steps.0.conditions"),
            ({"steps": [step("a", name_zh={"$ne": ""})]}, "steps.0.name_zh"),
            ({"name": ["x"]}, "name"),
            ({"name": "长" * 121}, "name"),
        ],
    )
    def test_what_does_not_belong_in_a_flow_is_named(
        self, admin: Actor, change: dict[str, Any], place: str
    ) -> None:
        whole = {"format": "govproject.flow", "schema": 1, "document_kind": KIND, "name": "x", "steps": []}
        before = current_session().scalars(select(FlowDefinition.id)).all()
        with pytest.raises(InvalidInput) as refused:
            transfer.import_file(admin, json.dumps({**whole, **change}, default=float).encode())
        assert place in refused.value.fields
        assert current_session().scalars(select(FlowDefinition.id)).all() == before

    def test_size(self, admin: Actor) -> None:
        whole = {"format": "govproject.flow", "schema": 1, "document_kind": KIND, "name": "x", "steps": []}
        data = json.dumps(whole).encode()
        transfer.import_file(admin, data + b" " * (transfer.LARGEST_FILE - len(data)))
        with pytest.raises(TooLarge):
            transfer.import_file(admin, data + b" " * (transfer.LARGEST_FILE - len(data) + 1))

    def test_the_longest_possible_flow_fits_in_a_file(self, admin: Actor, people: list[str]) -> None:
        rows = [when("nature", "IN", ["NEW", "OPERATION"])] * 10
        steps = [step(f"s{n}", *people, name_zh="长" * 60, conditions=rows) for n in range(30)]
        file = transfer.export(admin, draft(admin, *steps).id)
        assert len(file.data) < transfer.LARGEST_FILE
        assert len(sheet(admin, transfer.import_file(admin, file.data).draft)["steps"]) == 30


class TestTrying:
    def test_given_values(self, admin: Actor, people: list[str]) -> None:
        unit = make_unit()
        big = [when("requested_amount", "GE", "1000000")]
        made = draft(
            admin, step("a", people[0]), step("big", people[1], conditions=big), step("c", *people[:3])
        )

        def way(amount: str) -> list[tuple[str, SkipReason | None, list[str]]]:
            tried = rehearse_values(admin, made.id, {"requested_amount": amount, "unit": unit.code})
            return [
                (one.step.code, one.skipped, [person.username for person in one.reviewers])
                for one in tried.stations
            ]

        assert way("999,999.99")[1:] == [
            ("big", SkipReason.CONDITION, []),
            ("c", None, people[1:3]),
        ]
        assert way("1,000,000.00")[1:] == [("big", None, [people[1]]), ("c", None, [people[2]])]
        with pytest.raises(InvalidInput) as refused:
            rehearse_values(admin, made.id, {"requested_amount": "viel", "unit": "?"})
        assert set(refused.value.fields) == {"requested_amount", "unit"}

    def test_where_it_would_stop(self, admin: Actor, people: list[str]) -> None:
        unit = make_unit()
        made = draft(admin, step("a", people[0]), step("b", people[0]), step("c", people[1]))
        tried = rehearse_values(admin, made.id, {"unit": unit.code})
        assert [one.stuck for one in tried.stations] == [False, True] and not tried.ends
        assert [person.username for person in tried.stations[1].barred] == [people[0]]

    def test_a_document_within_the_scope(self, admin: Actor, people: list[str], session: Session) -> None:
        with declarations_for_tests() as outcomes:
            unit = make_unit()
            office = Office(unit, make_actor("unit_handler", unit), outcomes)
            make_actor("bureau_reviewer")
            document = office.document(office.submitted())
            made = draft(admin, step("a", people[0]))
            both = make_actor("sys_admin,bureau_checker")
            tried = rehearse_document(both, made.id, f" {document.code} ")
            assert tried.document is not None and tried.document.id == document.id
            for actor, code in ((admin, document.code), (both, "no such number")):
                with pytest.raises(InvalidInput) as refused:
                    rehearse_document(actor, made.id, code)
                assert list(refused.value.fields) == ["code"]

    def test_nothing_is_written(self, admin: Actor, people: list[str]) -> None:
        made = draft(admin, step("a", people[0]))
        rehearse_values(admin, made.id, {"unit": make_unit().code})
        assert not current_session().dirty and not current_session().new


class TestVersions:
    def test_a_new_version_takes_new_cases_and_leaves_running_ones(
        self, admin: Actor, session: Session
    ) -> None:
        """The office's day: from a million on an expert looks too; what is in review goes on as it was."""
        with declarations_for_tests() as outcomes:
            unit, bureau = make_unit(), make_unit()
            office = Office(unit, make_actor("unit_handler", unit), outcomes)
            one, two, expert = (make_user("bureau_checker", bureau) for _ in range(3))
            first = draft(admin, step("first", one.username), step("last", two.username))
            review.publish(admin, first.id, revision=1)
            running = office.submitted(amount="5000000.00")

            second = review.draft_of(admin, first.id)
            content = sheet(admin, second)
            big = [when("amount", "GE", "1,000,000")]
            content["steps"].insert(1, step("expert", expert.username, conditions=big))
            review.save_flow(admin, second.id, content, revision=second.revision)
            review.publish(admin, second.id, revision=second.revision)

            below, at = office.submitted(amount="999999.99"), office.submitted(amount="1000000.00")
            for document in (running, below, at):
                office.act(actor_of(one), document, "approve")
            assert [office.at(document) for document in (running, below, at)] == ["last", "last", "expert"]
            office.act(actor_of(expert), at, "approve")
            assert office.at(at) == "last"

            flows = overview.versions_of(admin, KIND)
            running_in = {version.definition.id: version.running for version in flows.versions}
            assert (running_in[first.id], running_in[second.id]) == (1, 2)
            assert flows.published is not None and flows.published.definition.id == second.id
            assert flows.running_elsewhere == 1

    def test_return_only_to_named_steps(self, admin: Actor, session: Session) -> None:
        with declarations_for_tests() as outcomes:
            unit, bureau = make_unit(), make_unit()
            office = Office(unit, make_actor("unit_handler", unit), outcomes)
            people = [make_user("bureau_checker", bureau) for _ in range(3)]
            steps = [step(code, person.username) for code, person in zip("abc", people, strict=True)]
            steps[2]["return_steps"] = ["b"]
            made = draft(admin, *steps)
            review.publish(admin, made.id, revision=1)
            document = office.submitted()
            for person in people[:2]:
                office.act(actor_of(person), document, "approve")
            last = actor_of(people[2])
            panel = review.panel(last, KIND, document)
            assert panel is not None and [one.code for one in panel.options.return_to] == ["b"]
            with pytest.raises(NotAllowed):
                office.act(last, document, "return", opinion="退回首步", to_step="a")
            office.act(last, document, "return", opinion="退回", to_step="b")
            assert office.at(document) == "b"
