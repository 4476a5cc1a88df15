"""How a finding reads: the figures as they were compared, source and article, in the reader's language."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.enums import RuleLevel
from app.core.errors import Problem, Spoken
from app.core.flow import Operator
from app.core.money import format_yuan
from app.models.policy_rule import RuleFinding
from app.models.unit import Unit
from app.services.dictionary import catalogue
from app.services.parameter.kinds import OURS
from app.workflow.registry import ConditionField, FieldKind, Value

UNVERIFIED = "待核对"
"""What stands beside a rule whose text nobody has compared with its source yet, in both languages."""


def both(session: Session, field: ConditionField[Any], value: Any) -> dict[str, str]:
    """One value of a field in both languages, so that a finding reads the same when dictionaries change."""
    if value is None or value == "" or value == frozenset():
        return {"zh": "—", "en": "—"}
    match field.kind:
        case FieldKind.AMOUNT:
            amount = format_yuan(Decimal(str(value)))
            return {"zh": f"{amount} 元", "en": f"{amount} yuan"}
        case FieldKind.NUMBER:
            number = f"{Decimal(str(value)).normalize():f}"
            return {"zh": number, "en": number}
        case FieldKind.FLAG:
            return {"zh": "是", "en": "yes"} if value is True else {"zh": "否", "en": "no"}
        case FieldKind.UNIT:
            return _units(session, value)
    return _codes(session, field.dictionary, value)


def _codes(session: Session, dictionary: str, value: Any) -> dict[str, str]:
    codes = sorted(value) if isinstance(value, list | frozenset | set) else [str(value)]
    known = catalogue(session)
    return {
        "zh": "、".join(known.label(dictionary, code, "zh") for code in codes),
        "en": ", ".join(known.label(dictionary, code, "en") for code in codes),
    }


def _units(session: Session, value: Any) -> dict[str, str]:
    """`value` is a document's path, or the ids a condition names."""
    ids = value if isinstance(value, list) else [str(value).strip("/").rpartition("/")[2]]
    wanted = [int(each) for each in map(str, ids) if each.isdecimal()]
    names = "、".join(session.scalars(select(Unit.name).where(Unit.id.in_(wanted)).order_by(Unit.id)))
    return {"zh": names or "—", "en": names or "—"}


def figure(
    session: Session,
    document: Any,
    field: ConditionField[Any],
    operator: Operator,
    actual: Value,
    expected: Any,
) -> dict[str, Any]:
    """One comparison as it is kept with the document."""
    return {
        "field": field.name,
        "label": field.label,
        "kind": field.kind.value,
        "operator": operator.value,
        "actual": both(session, field, actual),
        "expected": both(session, field, expected),
        "note": field.note(session, document) if field.note is not None else "",
    }


@dataclass(frozen=True)
class ShownFigure:
    """One compared value as the reader sees it: “Requested amount: 1,000,000.00 yuan (at least …)”; of a
    `flag` the value says it all."""

    label: str
    actual: str
    operator: str
    expected: str
    note: str
    flag: bool


@dataclass(frozen=True)
class ShownFinding:
    """A finding in the reader's language; `place` is the form's field it is about."""

    code: str
    name: str
    level: str
    level_label: str
    colour: str
    message: str
    basis: str
    verified: bool
    place: str
    figures: tuple[ShownFigure, ...]


def shown(finding: RuleFinding, language: str, translate: Callable[[str], str]) -> ShownFinding:
    """A finding for a page; `translate` is the page's gettext."""
    english = language.startswith("en")
    return ShownFinding(
        code=finding.code,
        name=finding.name_en if english else finding.name_zh,
        level=finding.level.value,
        level_label=translate(finding.level.label),
        colour=finding.level.colour,
        message=finding.message_en if english else finding.message_zh,
        basis=basis(finding),
        verified=finding.verified,
        place=finding.place,
        figures=shown_figures(finding.figures, language, translate),
    )


def shown_figures(
    figures: Sequence[Mapping[str, Any]], language: str, translate: Callable[[str], str]
) -> tuple[ShownFigure, ...]:
    """The compared values of a finding or of a trial."""
    tongue = "en" if language.startswith("en") else "zh"
    return tuple(
        ShownFigure(
            label=translate(each["label"]),
            actual=each["actual"][tongue],
            operator=translate(Operator(each["operator"]).label),
            expected=each["expected"][tongue],
            note=each.get("note", ""),
            flag=each.get("kind") == FieldKind.FLAG,
        )
        for each in figures
    )


def basis(rule: Any) -> str:
    """Source and article of a rule or finding, as they are cited: 《预算法》第十八条."""
    return f"{rule.source} {rule.article}".strip()


@dataclass(frozen=True)
class _Sentence(Spoken):
    """The rule's message with the figures that brought it up."""

    finding: RuleFinding

    def spoken(self, language: str, translate: Callable[[str], str]) -> str:
        said = shown(self.finding, language, translate)
        colon, comma = (": ", "; ") if language.startswith("en") else ("：", "；")
        figures = comma.join(
            f"{each.label}{colon}{each.actual}" + (f" ({each.note})" if each.note else "")
            for each in said.figures
        )
        return f"{said.message} {figures}".strip()


def is_house_check(finding: RuleFinding) -> bool:
    """Is it a refusal of our own making, like what the form itself checks? It cites no article, and what
    stands beside its field says it all."""
    return finding.source == OURS and finding.level is RuleLevel.BLOCKS and bool(finding.place)


def problem(finding: RuleFinding) -> Problem:
    """What is said beside the field: the message, the figures, and the article on which it rests."""
    if is_house_check(finding):
        return Problem.of("%(sentence)s", sentence=_Sentence(finding))
    return Problem.of(
        "%(sentence)s [%(code)s, %(basis)s]",
        sentence=_Sentence(finding),
        code=finding.code,
        basis=basis(finding) + ("" if finding.verified else f" {UNVERIFIED}"),
    )
