"""What two texts have in common, by character n-grams: Chinese has no blanks between its words.

A title is taken apart into pairs of characters. Years, phases (二期) and words of renewal are left out first,
so that a project that comes again every year is recognised; pairs of words that nearly every title has
(系统, 建设, 服务) are kept as *generic* and weigh little. A scope is represented by winnowing (Schleimer,
Wilkerson and Aiken 2003): of every window of runs of characters the smallest hash is kept, so that any
passage of 21 characters or more that two scopes share leaves at least one print in both.
"""

from __future__ import annotations

import array
import re
import unicodedata
import zlib
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from math import log

TITLE_GRAM = 2
SCOPE_GRAM = 6
WINDOW = 16
MOST_PRINTS = 150
"""A scope of some 1,300 characters; of a longer one the smallest hashes stand for all."""

GENERIC_WEIGHT = 0.12
_LEAST_WEIGHT = 0.08
_LEAST_CORPUS = 1_000
"""With fewer projects than these a word is not called common because a handful of them have it."""

_NUMERAL = "[一二三四五六七八九十0-9]"
_NOISE = re.compile(
    r"(?:19|20)[0-9]{2}\s*(?:[-—~至到]+\s*(?:19|20)?[0-9]{2})?\s*(?:财政年度|年度|年)?"
    rf"|第?{_NUMERAL}{{1,3}}(?:期|批次|批|阶段|标段|包)(?:工程|项目)?"
    r"|续签|续约|续保|续租|续建|续费|延续|年度"
)
_GENERIC_WORDS = (
    "开平市 江门市 开平 项目 系统 建设 服务 平台 信息化 信息 运行 维护 运维 维保 管理 采购 升级 改造 "
    "更新 完善 优化 扩容 购置 购买 租用 租赁 工程 设备 软件 硬件 技术 支持 数据 智慧 数字 智能 综合 "
    "应用 政务 电子 业务 办公 开发 集成 安全 网络 资源 中心 保障 相关 配套 日常 一体化 数字化 智能化"
)
_GENERIC = re.compile("|".join(sorted(_GENERIC_WORDS.split(" "), key=len, reverse=True)))


@dataclass(frozen=True)
class Folded:
    """A text made comparable: `text` without blanks and marks, and where each of its characters stood."""

    text: str
    places: tuple[int, ...]
    source: str


def fold(source: str, *, title: bool = False) -> Folded:
    """One width, one case, no punctuation; of a title also no years, phases and words of renewal."""
    characters: list[str] = []
    places: list[int] = []
    for place, character in enumerate(source):
        for each in _plain(character):
            characters.append(each)
            places.append(place)
    dropped: set[int] = set()
    if title:
        for match in _NOISE.finditer("".join(characters)):
            dropped.update(range(*match.span()))
    kept = [index for index, each in enumerate(characters) if index not in dropped and each.isalnum()]
    return Folded(
        "".join(characters[index] for index in kept), tuple(places[index] for index in kept), source
    )


@lru_cache(maxsize=2_000)
def _bare(unit_name: str) -> str:
    """A unit's name as titles have it, without the city before it."""
    return fold(unit_name).text.removeprefix("开平市")


@lru_cache(maxsize=20_000)
def _plain(character: str) -> str:
    return unicodedata.normalize("NFKC", character).lower()


@dataclass(frozen=True)
class Grams:
    """The grams of one title: those that tell it from others, and the generic ones."""

    telling: frozenset[int]
    generic: frozenset[int]

    @property
    def indexed(self) -> frozenset[int]:
        """Under which grams the title can be found: the generic ones only where there is hardly another."""
        return self.telling if len(self.telling) >= _ENOUGH else self.telling | self.generic

    @property
    def all(self) -> frozenset[int]:
        return self.telling | self.generic

    def pack(self) -> bytes:
        return _pack([*self.telling, *(-gram for gram in self.generic)])

    @classmethod
    def unpack(cls, packed: bytes) -> Grams:
        numbers = unpack(packed)
        return cls(
            frozenset(gram for gram in numbers if gram > 0), frozenset(-gram for gram in numbers if gram < 0)
        )


_ENOUGH = 3


def title_grams(title: str, unit_names: Collection[str] = ()) -> Grams:
    """The pairs of characters of a title. A pair is generic when both its characters stand in generic words,
    within one or across two of them; so do those in the names of its own unit, which all its titles have."""
    text = fold(title, title=True).text
    covered: set[int] = set()
    for name in sorted(map(_bare, unit_names), key=len, reverse=True):
        if name and (place := text.find(name)) >= 0:
            covered.update(range(place, place + len(name)))
            break
    for match in _GENERIC.finditer(text):
        covered.update(range(*match.span()))
    telling: set[int] = set()
    generic: set[int] = set()
    for start in range(max(len(text) - TITLE_GRAM + 1, 1 if text else 0)):
        gram = _hash(b"t", text[start : start + TITLE_GRAM])
        (generic if covered.issuperset(range(start, start + TITLE_GRAM)) else telling).add(gram)
    return Grams(frozenset(telling), frozenset(generic - telling))


def scope_prints(scope: str) -> frozenset[int]:
    """The prints of a scope by winnowing; none of one that is too short to say anything."""
    text = fold(scope).text
    hashes = [_hash(b"s", text[start : start + SCOPE_GRAM]) for start in range(len(text) - SCOPE_GRAM + 1)]
    if not hashes:
        return frozenset()
    chosen = {min(hashes[start : start + WINDOW]) for start in range(max(len(hashes) - WINDOW + 1, 1))}
    return frozenset(sorted(chosen)[:MOST_PRINTS])


@dataclass(frozen=True)
class Weights:
    """How much each gram says: the fewer projects have it, the more (inverse document frequency)."""

    projects: int
    counts: Mapping[int, int]

    def of(self, gram: int) -> float:
        """From 0.08 for what all have to 1 for what nobody else has."""
        corpus = max(self.projects, _LEAST_CORPUS)
        return max(_LEAST_WEIGHT, 1 - log(1 + self.counts.get(gram, 0)) / log(1 + corpus))


UNWEIGHTED = Weights(0, {})


def title_score(left: Grams, right: Grams, weights: Weights = UNWEIGHTED) -> float:
    """0 to 1: mostly how much of both titles is shared, partly how much of the shorter one; less where what
    is shared says little."""

    def weight(gram: int) -> float:
        generic = gram in left.generic or gram in right.generic
        return min(weights.of(gram), GENERIC_WEIGHT) if generic else weights.of(gram)

    return _mixed(left.all, right.all, weight, trusted=2.0)


def scope_score(left: Collection[int], right: Collection[int], weights: Weights = UNWEIGHTED) -> float:
    """The same for the prints of two scopes; boilerplate that many scopes have weighs little."""
    return _mixed(frozenset(left), frozenset(right), weights.of, trusted=3.0)


def _mixed(
    left: frozenset[int], right: frozenset[int], weight: Callable[[int], float], *, trusted: float
) -> float:
    shared = sum(map(weight, left & right))
    if not shared:
        return 0.0
    first, second = sum(map(weight, left)), sum(map(weight, right))
    likeness = 0.65 * 2 * shared / (first + second) + 0.35 * shared / min(first, second)
    # Two titles of generic words alone are alike only when they are nearly the same.
    confidence = min(1.0, shared / trusted)
    return float(likeness ** (2 - confidence))


def unpack(packed: bytes) -> list[int]:
    """Numbers kept as 32-bit integers, little end first."""
    numbers = array.array("i")
    numbers.frombytes(packed)
    return numbers.tolist()


def pack(numbers: Iterable[int]) -> bytes:
    """The way back, in a fixed order."""
    return _pack(list(numbers))


def _pack(numbers: list[int]) -> bytes:
    return array.array("i", sorted(numbers)).tobytes()


def _hash(salt: bytes, gram: str) -> int:
    """1 to 2³¹−1, which fits the integer of every database."""
    return (zlib.crc32(salt + gram.encode()) & 0x7FFFFFFF) or 1
