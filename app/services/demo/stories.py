"""Invented declarations: one story per project, drawn from a seeded generator and a moment called now."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from app.core.enums import ConstructionStatus, DocumentStatus, Stage
from app.core.money import round_half_up
from app.core.workdays import SHANGHAI

# (title, nature, lowest and highest amount in yuan); the pattern of domain.md section 8.
_TITLES: tuple[tuple[str, str, int, int], ...] = (
    ("政务信息化服务项目管理系统维护服务", "OPERATION", 28_000, 45_000),
    ("电子政务外网线路租赁", "OPERATION", 300_000, 1_300_000),
    ("政务云资源租用服务", "OPERATION", 600_000, 2_600_000),
    ("“一网统管”平台建设", "NEW", 1_800_000, 4_950_000),
    ("视频分析能力升级", "NEW", 700_000, 1_200_000),
    ("视频专网安全加固", "NEW", 400_000, 999_999),
    ("业务专网运维", "OPERATION", 150_000, 420_000),
    ("智能监控系统运维", "OPERATION", 90_000, 220_000),
    ("登记信息系统升级改造", "NEW", 600_000, 1_500_000),
    ("叫号与自助终端更新", "NEW", 180_000, 450_000),
    ("数字档案馆建设", "NEW", 900_000, 2_200_000),
    ("应急指挥视频会议系统维保", "OPERATION", 60_000, 120_000),
    ("文物数字化采集与展示", "NEW", 1_200_000, 3_300_000),
    ("安全监测平台", "NEW", 800_000, 1_900_000),
    ("终端正版软件采购", "OPERATION", 120_000, 580_000),
    ("等级保护测评服务", "OPERATION", 60_000, 180_000),
    ("数据治理与共享服务", "NEW", 300_000, 900_000),
    ("综合业务系统运维", "OPERATION", 40_000, 360_000),
)
_LINES = (
    ("1.1", "应用软件开发", "B/S", "套"),
    ("2.1", "系统运行维护", "一年", "项"),
    ("2.2", "驻场技术支持", "一人", "人·月"),
    ("4.1", "云服务器租用", "8核16G", "台·年"),
    ("4.2", "专线带宽", "100M", "条·年"),
    ("5.1", "第三方测试服务", "一次", "项"),
)
_CHANNELS = (
    "GENERAL_BUDGET",
    "GENERAL_BUDGET",
    "GENERAL_BUDGET",
    "SUPERIOR_GRANT",
    "SELF_RAISED",
    "SPECIAL_ACCOUNT",
)

_PAST = ((DocumentStatus.APPROVED, 90), (DocumentStatus.REJECTED, 7), (DocumentStatus.TERMINATED, 3))
_PRESENT = (
    (DocumentStatus.DRAFT, 12),
    (DocumentStatus.RECYCLED, 3),
    (DocumentStatus.IN_REVIEW, 38),
    (DocumentStatus.RETURNED, 9),
    (DocumentStatus.APPROVED, 33),
    (DocumentStatus.REJECTED, 4),
    (DocumentStatus.TERMINATED, 1),
)

# How far approved projects have come by the years gone by since their budget year began.
_PROGRESS: dict[int, tuple[tuple[Stage, ConstructionStatus], ...]] = {
    -1: ((Stage.PLANNED, ConstructionStatus.PLANNED),),
    0: (
        (Stage.PLANNED, ConstructionStatus.PLANNED),
        (Stage.SCHEME, ConstructionStatus.SCHEME_REVIEW),
        (Stage.APPROVED, ConstructionStatus.TO_PROCURE),
        (Stage.PROCURED, ConstructionStatus.TO_CONTRACT),
        (Stage.CONTRACTED, ConstructionStatus.BUILDING),
        (Stage.CONTRACTED, ConstructionStatus.DELAYED),
    ),
    1: (
        (Stage.CONTRACTED, ConstructionStatus.BUILDING),
        (Stage.TRIAL, ConstructionStatus.TRIAL_RUN),
        (Stage.AWAITING, ConstructionStatus.TO_ACCEPT),
        (Stage.ACCEPTED, ConstructionStatus.ACCEPTED),
    ),
    2: (
        (Stage.ACCEPTED, ConstructionStatus.ACCEPTED),
        (Stage.OPERATION, ConstructionStatus.OPERATING),
        (Stage.CLOSED, ConstructionStatus.CLOSED),
    ),
}


@dataclass(frozen=True)
class Line:
    """One budget line; amounts in yuan."""

    subject_code: str
    name: str
    spec: str
    unit_name: str
    quantity: Decimal
    unit_price: Decimal
    amount: Decimal


@dataclass(frozen=True)
class Story:
    """One project's declaration from the first keystroke to where it stands now. Amounts in yuan;
    `steps_done` counts the reviews already passed."""

    number: int
    unit: int
    title: str
    budget_year: int
    nature: str
    declaration_type: str
    status: DocumentStatus
    stage: Stage
    construction_status: ConstructionStatus
    steps_done: int
    lines: tuple[Line, ...]
    splits: tuple[tuple[str, Decimal], ...]
    requested: Decimal
    arranged: Decimal | None
    created_at: dt.datetime
    submitted_at: dt.datetime | None


@dataclass(frozen=True)
class Declarer:
    """A unit that declares; `weight` says how busy it is beside the others."""

    name: str
    weight: int


def stories(count: int, seed: int, units: Sequence[Declarer], now: dt.datetime) -> Iterator[Story]:
    """`count` stories, the same for the same arguments; a story names its unit by position."""
    chance = random.Random(seed)  # noqa: S311  invented data, nothing secret
    this_year = now.astimezone(SHANGHAI).year
    for number in range(count):
        year = chance.choices(range(this_year - 3, this_year + 2), (14, 17, 20, 22, 27))[0]
        yield _story(chance, number, year, this_year, units, now)


def _story(
    chance: random.Random, number: int, year: int, this_year: int, units: Sequence[Declarer], now: dt.datetime
) -> Story:
    unit = chance.choices(range(len(units)), [declarer.weight for declarer in units])[0]
    subject, nature, low, high = chance.choice(_TITLES)
    status = _draw(chance, _PRESENT if year > this_year else _PAST)
    declaration_type = {
        "NEW": "NEW",
        "OPERATION": chance.choice(("OTHER", "OTHER", "CONTINUING")),
    }[nature]
    lines = _lines(chance, Decimal(chance.randrange(low, high)), nature)
    requested = sum((line.amount for line in lines), Decimal(0))
    stage, construction = _where(chance, status, this_year - year)
    created = _created(chance, status, year, this_year, now)
    submitted = in_office_hours(
        created + dt.timedelta(days=chance.randrange(1, 4), hours=chance.randrange(3))
    )
    unsubmitted = status in (DocumentStatus.DRAFT, DocumentStatus.RECYCLED)
    arranged = None
    if status is DocumentStatus.APPROVED and (year <= this_year or chance.random() < 0.4):
        arranged = round_half_up(requested * Decimal(chance.choice(("1", "0.95", "0.9", "0.8"))), 2)
    return Story(
        number=number,
        unit=unit,
        title=f"{units[unit].name}{subject}（{year}年度）",
        budget_year=year,
        nature=nature,
        declaration_type=declaration_type,
        status=status,
        stage=stage,
        construction_status=construction,
        steps_done=chance.randrange(3) if status is not DocumentStatus.APPROVED else 3,
        lines=lines,
        splits=_splits(chance, requested),
        requested=requested,
        arranged=arranged,
        created_at=created,
        submitted_at=None if unsubmitted else min(submitted, now - dt.timedelta(minutes=5)),
    )


def in_office_hours(moment: dt.datetime) -> dt.datetime:
    """The moment itself, or the next morning at eight, when it falls into the evening or the night."""
    local = moment.astimezone(SHANGHAI)
    if local.hour >= 18:
        local += dt.timedelta(days=1)
    elif local.hour >= 8:
        return local
    return local.replace(hour=8)


def _draw(chance: random.Random, weights: Sequence[tuple[DocumentStatus, int]]) -> DocumentStatus:
    return chance.choices([status for status, _ in weights], [weight for _, weight in weights])[0]


def _lines(chance: random.Random, total: Decimal, nature: str) -> tuple[Line, ...]:
    count = chance.randrange(1, 5) if nature == "NEW" else chance.randrange(1, 3)
    kinds = _LINES[:1] + _LINES[3:] if nature == "NEW" else _LINES[1:5]
    lines = []
    for place in range(count):
        code, name, spec, unit_name = kinds[(place + chance.randrange(2)) % len(kinds)]
        quantity = Decimal(chance.choice((1, 1, 2, 3, 12)))
        price = round_half_up(total / count / quantity, 2)
        lines.append(Line(code, name, spec, unit_name, quantity, price, round_half_up(quantity * price, 2)))
    return tuple(lines)


def _splits(chance: random.Random, requested: Decimal) -> tuple[tuple[str, Decimal], ...]:
    first = chance.choice(_CHANNELS)
    if requested < 500_000 or chance.random() < 0.7:
        return ((first, requested),)
    second = next(channel for channel in ("SUPERIOR_GRANT", "GENERAL_BUDGET") if channel != first)
    part = round_half_up(requested * Decimal("0.3"), 2)
    return ((first, requested - part), (second, part))


def _where(chance: random.Random, status: DocumentStatus, years: int) -> tuple[Stage, ConstructionStatus]:
    if status is DocumentStatus.REJECTED:
        return Stage.REJECTED, ConstructionStatus.NOT_APPROVED
    if status is DocumentStatus.TERMINATED:
        return Stage.TERMINATED, ConstructionStatus.TERMINATED
    if status is not DocumentStatus.APPROVED:
        return Stage.DECLARED, ConstructionStatus.DECLARING
    return chance.choice(_PROGRESS[min(years, 2)])


def _created(
    chance: random.Random, status: DocumentStatus, year: int, this_year: int, now: dt.datetime
) -> dt.datetime:
    """Declarations are written the year before; open ones lately, so that some are overdue."""
    morning = dt.timedelta(hours=chance.randrange(8, 17), minutes=chance.randrange(60))
    if status in (DocumentStatus.IN_REVIEW, DocumentStatus.RETURNED, DocumentStatus.DRAFT):
        today = now.astimezone(SHANGHAI).replace(hour=0, minute=0, second=0, microsecond=0)
        return today - dt.timedelta(days=chance.randrange(4, 16)) + morning
    first = dt.datetime(year - 1, 2, 1, tzinfo=SHANGHAI)
    last = min(dt.datetime(year - 1, 11, 20, tzinfo=SHANGHAI), now - dt.timedelta(days=20))
    days = max(1, (last - first).days)
    return (first + dt.timedelta(days=int(days * chance.triangular(0, 1, 0.8)))).replace(hour=0) + morning
