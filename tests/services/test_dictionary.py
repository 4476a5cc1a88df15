"""Dictionaries: seeded once, read in one statement, kept while anybody uses them."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.access.actor import SYSTEM
from app.core.enums import UnitKind
from app.core.errors import Conflict, NotAllowed
from app.models.dictionary import DictItem, DictType
from app.services import configuration, dictionary
from app.services import declaration as declarations
from app.services.dictionary.declared import DICTIONARIES
from app.services.dictionary.items import CHILDREN_IN, MANY_CODES, ONE_CODE
from app.services.dictionary.table import ITEMS
from app.services.parameter.declared import ATTACHMENT_CATEGORIES
from app.services.unit_of_work import unit_of_work
from tests import samples
from tests.factories import make_actor
from tests.sql import count_statements


def item(session: Session, type_code: str, code: str) -> DictItem:
    return session.scalars(
        select(DictItem).where(DictItem.type_code == type_code, DictItem.code == code)
    ).one()


def test_seeding_again_adds_nothing_and_keeps_what_was_changed(session: Session) -> None:
    with unit_of_work(SYSTEM):
        item(session, "nature", "NEW").label_zh = "新建(改过)"
    with unit_of_work(SYSTEM):
        assert dictionary.seed_dictionaries(session) == 0
    assert dictionary.labels(session, "zh")["nature", "NEW"] == "新建(改过)"


def test_a_new_release_brings_its_new_entries(session: Session) -> None:
    with unit_of_work(SYSTEM):
        session.delete(item(session, "plan_channel", "FILING"))
    with unit_of_work(SYSTEM):
        assert dictionary.seed_dictionaries(session) == 1


def test_labels_are_in_the_readers_language_and_cost_at_most_one_statement(session: Session) -> None:
    dictionary.labels(session, "zh")
    with count_statements() as sent:
        known = dictionary.catalogue(session)
        zh, en = known.labels("zh"), known.labels("en_US")
    assert len(sent) <= 1
    assert (zh["funding_channel", "SELF_RAISED"], en["funding_channel", "SELF_RAISED"]) == (
        "单位自筹",
        "Raised by the unit",
    )
    assert known.label("nature", "UNHEARD_OF", "zh") == "UNHEARD_OF"
    assert known.label("nature", None, "zh") == ""


def test_a_change_is_seen_at_once(session: Session) -> None:
    before = dictionary.labels(session, "zh")["nature", "NEW"]
    with unit_of_work(SYSTEM):
        item(session, "nature", "NEW").label_zh = "新建项目(现状)"

    assert before != dictionary.labels(session, "zh")["nature", "NEW"] == "新建项目(现状)"


def test_what_is_deactivated_is_no_longer_offered_but_still_printed(session: Session) -> None:
    admin = make_actor("sys_admin")
    configuration.deactivate(admin, ITEMS, item(session, "funding_channel", "BOND").id)

    offered = [choice.code for choice in dictionary.choices(session, "funding_channel", "zh")]
    kept = dictionary.choices(session, "funding_channel", "zh", keep=("BOND",))
    assert "BOND" not in offered
    assert ("BOND", False) in {(choice.code, choice.active) for choice in kept}
    assert dictionary.labels(session, "zh")["funding_channel", "BOND"] == "地方政府债券"


def test_a_draft_keeps_a_code_that_was_deactivated_meanwhile(session: Session) -> None:
    handler, admin = make_actor("unit_handler"), make_actor("sys_admin")
    draft = declarations.create(handler, samples.maintenance())
    configuration.deactivate(admin, ITEMS, item(session, "funding_channel", "GENERAL_BUDGET").id)

    raw = samples.maintenance(title="改名")
    assert declarations.save(handler, draft.id, draft.version, raw).title == "改名"


@pytest.mark.parametrize(
    ("type_code", "code"),
    [
        ("funding_channel", "GENERAL_BUDGET"),
        ("service_category", "SPECIAL_SOFTWARE"),
        ("budget_subject", "2.1"),
    ],
)
def test_an_entry_in_use_is_not_deleted(session: Session, type_code: str, code: str) -> None:
    declarations.create(make_actor("unit_handler"), samples.maintenance())
    with pytest.raises(Conflict):
        configuration.remove(make_actor("sys_admin"), ITEMS, item(session, type_code, code).id)


@pytest.mark.parametrize(("type_code", "code"), [("budget_subject", "4"), ("indicator_level1", "BENEFIT")])
def test_an_entry_with_others_below_it_is_not_deleted(session: Session, type_code: str, code: str) -> None:
    with pytest.raises(Conflict):
        configuration.remove(make_actor("sys_admin"), ITEMS, item(session, type_code, code).id)


def test_an_entry_nobody_uses_is_deleted_by_the_administrator_alone(session: Session) -> None:
    entry = item(session, "service_category", "PLATFORM")
    with pytest.raises(NotAllowed):
        configuration.remove(make_actor("unit_handler"), ITEMS, entry.id)
    configuration.remove(make_actor("sys_admin"), ITEMS, entry.id)
    assert ("service_category", "PLATFORM") not in dictionary.labels(session, "zh")


def test_the_declared_dictionaries_are_sound(session: Session) -> None:
    for declared in DICTIONARIES:
        codes = [entry.code for entry in declared.items]
        assert len(set(codes)) == len(codes), declared.code
        parents = {entry.parent for entry in declared.items} - {None}
        others = {
            entry.code
            for each in DICTIONARIES
            if CHILDREN_IN.get(each.code) == declared.code
            for entry in each.items
        }
        assert parents <= set(codes) | others, declared.code
    types = set(session.scalars(select(DictType.code)))
    assert {*ONE_CODE, *MANY_CODES} <= types
    assert session.scalar(select(func.count(DictItem.id))) == sum(len(each.items) for each in DICTIONARIES)


def test_codes_that_the_program_knows_are_in_the_dictionary(session: Session) -> None:
    labels = dictionary.labels(session, "zh")
    assert {kind.value for kind in UnitKind} == {
        code for type_code, code in labels if type_code == "unit_kind"
    }
    for category in ATTACHMENT_CATEGORIES:
        assert ("attachment_category", category) in labels
    used = {field.kind.dictionary for field in declarations.FIELDS if hasattr(field.kind, "dictionary")}
    assert used <= {type_code for type_code, _ in labels}
