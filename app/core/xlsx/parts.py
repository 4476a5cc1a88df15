"""The small XML parts of a workbook, as expat events. DTDs, and with them all entities, are refused."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime, time
from decimal import Decimal
from enum import Enum
from functools import lru_cache
from typing import NoReturn
from xml.parsers import expat
from zipfile import ZipFile

from openpyxl.styles.numbers import BUILTIN_FORMATS, is_datetime
from openpyxl.utils.datetime import CALENDAR_MAC_1904, CALENDAR_WINDOWS_1900, from_excel

from app.core.archives import DAMAGE
from app.core.xlsx.unreadable import UnreadableReason, UnreadableWorkbook

CellValue = str | int | Decimal | bool | date | datetime | time | None
"""What a cell gives: whole numbers as int, others as Decimal of 15 digits (all Excel has), naive times."""

_CHUNK = 1 << 16
_DEFAULT_BOOK = "xl/workbook.xml"
_MACROS = "vbaproject.bin"
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")
_WHOLE = re.compile(r"-?[0-9]{1,15}")
_DAMAGE = (*DAMAGE, expat.ExpatError, LookupError, ArithmeticError)
"""What zipfile, expat and number parsing raise over a file that Excel did not write."""

Attributes = dict[str, str]


@contextmanager
def damage_named() -> Iterator[None]:
    """Turn whatever a damaged file provokes into UnreadableWorkbook."""
    try:
        yield
    except UnreadableWorkbook:
        raise
    except _DAMAGE as error:
        raise UnreadableWorkbook(UnreadableReason.BROKEN) from error


class Shown(Enum):
    """How a cell format shows numbers."""

    NUMBER = "number"
    DATE = "date"
    TIME = "time"


# Formats Chinese Excel and WPS use without defining them (ECMA-376 part 1, 18.8.30, zh-cn).
_CHINESE_FORMATS = {
    **dict.fromkeys([*range(27, 32), 36, *range(50, 55), 57, 58], Shown.DATE),
    **dict.fromkeys([*range(32, 36), 55, 56], Shown.TIME),
}


def shown_as(format_id: int, custom: dict[int, str]) -> Shown:
    """What the number format makes of a number."""
    code = custom.get(format_id) or BUILTIN_FORMATS.get(format_id)
    if code is None:
        return _CHINESE_FORMATS.get(format_id, Shown.NUMBER)
    kind = is_datetime(code)
    return Shown.NUMBER if kind is None else Shown.DATE if kind == "date" else Shown.TIME


def xml_parser(
    start: Callable[[str, Attributes], None],
    end: Callable[[str], None] | None = None,
    text: Callable[[str], None] | None = None,
) -> expat.XMLParserType:
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = text
    parser.StartDoctypeDeclHandler = _refuse_doctype
    return parser


def _refuse_doctype(*_: object) -> NoReturn:
    raise UnreadableWorkbook(UnreadableReason.UNSAFE)


@lru_cache(maxsize=256)
def local_name(name: str) -> str:
    """The name without its namespace: the strict and the usual dialect differ in nothing else read here."""
    return name.rpartition(" ")[2]


def _attribute(attributes: Attributes, local: str) -> str | None:
    return next((value for name, value in attributes.items() if local_name(name) == local), None)


class Workbook:
    """What the rows need to know: where the sheet is, the shared strings, which formats are dates."""

    def __init__(self, archive: ZipFile, *, max_strings: int) -> None:
        self._archive = archive
        self._names = frozenset(archive.namelist())
        if any(name.rpartition("/")[2].lower() == _MACROS for name in self._names):
            raise UnreadableWorkbook(UnreadableReason.MACROS)
        book = self._related("").get("officeDocument", _DEFAULT_BOOK)
        if book not in self._names:
            raise UnreadableWorkbook(UnreadableReason.NOT_XLSX)
        self.epoch = CALENDAR_WINDOWS_1900
        self._sheet_ids: list[str] = []
        self._parse(book, xml_parser(self._book_element))
        relations = self._related(book)
        self.sheet_part = self._first_sheet(relations)
        self.formats: list[Shown] = []
        self._custom_formats: dict[int, str] = {}
        self._in_cell_formats = False
        if (styles := relations.get("styles")) in self._names:
            self._parse(styles, xml_parser(self._style_element, self._style_end))
        self.strings: list[str] = []
        if (strings := relations.get("sharedStrings")) in self._names:
            collector = _StringCollector(self.strings, max_strings)
            self._parse(strings, xml_parser(collector.start, collector.end, collector.text))

    def value(self, kind: str, style: str | None, raw: str) -> CellValue:
        """A cell's value from its type, its style and the text inside it."""
        if kind == "s":
            return self.strings[int(raw)] or None
        if kind in ("inlineStr", "str"):
            return _unescaped(raw) or None
        if kind == "e":
            return raw
        raw = raw.strip()
        if not raw:
            return None
        if kind == "b":
            return raw in ("1", "true")
        if kind == "d":
            return _iso_date(raw)
        index = int(style) if style else 0
        shown = self.formats[index] if index < len(self.formats) else Shown.NUMBER
        number = _number(raw)
        return number if shown is Shown.NUMBER else self._moment(number, shown)

    def _moment(self, number: int | Decimal, shown: Shown) -> CellValue:
        try:
            moment = from_excel(float(number), self.epoch)
        except (OverflowError, ValueError):
            return number  # Excel itself shows ##### for it
        if shown is Shown.DATE and isinstance(moment, datetime) and moment.time() == time.min:
            return moment.date()
        return moment if isinstance(moment, datetime | time) else number

    def _parse(self, part: str, parser: expat.XMLParserType) -> None:
        with self._archive.open(part) as stream:
            while chunk := stream.read(_CHUNK):
                parser.Parse(chunk, False)
            parser.Parse(b"", True)

    def _related(self, part: str) -> dict[str, str]:
        """Targets of a part's relations, by id and by the last word of the type."""
        folder, name = posixpath.split(part)
        listing = posixpath.join(folder, "_rels", f"{name}.rels")
        targets: dict[str, str] = {}

        def element(name: str, attributes: Attributes) -> None:
            if local_name(name) != "Relationship" or attributes.get("TargetMode") == "External":
                return
            kind = attributes.get("Type", "").rpartition("/")[2]
            target = posixpath.normpath(posixpath.join("/", folder, attributes.get("Target", ""))).lstrip("/")
            targets.setdefault(kind, target)
            if kind == "worksheet":
                targets[f"id:{attributes.get('Id')}"] = target

        if listing in self._names:
            self._parse(listing, xml_parser(element))
        return targets

    def _first_sheet(self, relations: dict[str, str]) -> str:
        for identifier in self._sheet_ids:
            if (part := relations.get(f"id:{identifier}")) in self._names:
                return part
        raise UnreadableWorkbook(UnreadableReason.BROKEN)

    def _book_element(self, name: str, attributes: Attributes) -> None:
        local = local_name(name)
        if local == "workbookPr" and attributes.get("date1904") in ("1", "true"):
            self.epoch = CALENDAR_MAC_1904
        elif local == "sheet" and attributes.get("state", "visible") == "visible":
            self._sheet_ids.append(_attribute(attributes, "id") or "")

    def _style_element(self, name: str, attributes: Attributes) -> None:
        local = local_name(name)
        if local == "numFmt":
            self._custom_formats[int(attributes["numFmtId"])] = attributes["formatCode"]
        elif local == "cellXfs":
            self._in_cell_formats = True
        elif local == "xf" and self._in_cell_formats:
            self.formats.append(shown_as(int(attributes.get("numFmtId", 0)), self._custom_formats))

    def _style_end(self, name: str) -> None:
        if local_name(name) == "cellXfs":
            self._in_cell_formats = False


class _StringCollector:
    """Shared strings: the runs of each <si>, without the phonetic ones."""

    def __init__(self, strings: list[str], most: int) -> None:
        self._strings = strings
        self._left = most
        self._pieces: list[str] = []
        self._wanted = False
        self._phonetic = False

    def start(self, name: str, attributes: Attributes) -> None:
        local = local_name(name)
        if local == "t":
            self._wanted = not self._phonetic
        elif local == "rPh":
            self._phonetic = True

    def end(self, name: str) -> None:
        local = local_name(name)
        if local == "t":
            self._wanted = False
        elif local == "rPh":
            self._phonetic = False
        elif local == "si":
            self._left -= 1
            if self._left < 0:
                raise UnreadableWorkbook(UnreadableReason.TOO_MANY_CELLS)
            self._strings.append(_unescaped("".join(self._pieces)))
            self._pieces.clear()

    def text(self, data: str) -> None:
        if self._wanted:
            self._pieces.append(data)


def _number(raw: str) -> int | Decimal:
    """A number as Excel means it: stored with 17 digits (31900.099999999999), meant with 15 (31900.1)."""
    if _WHOLE.fullmatch(raw):
        return int(raw)
    number = Decimal(f"{float(raw):.15g}")
    if not number.is_finite():
        raise UnreadableWorkbook(UnreadableReason.BROKEN)
    return int(number) if number == number.to_integral_value() and abs(number) < 10**15 else number


def _iso_date(raw: str) -> date | datetime:
    moment = datetime.fromisoformat(raw).replace(tzinfo=None)
    return moment.date() if moment.time() == time.min and "T" not in raw else moment


def _unescaped(text: str) -> str:
    if "_x" not in text:
        return text
    return _ESCAPED.sub(_control_character, text)


def _control_character(match: re.Match[str]) -> str:
    code = int(match[1], 16)
    return match[0] if 0xD800 <= code <= 0xDFFF else chr(code)
