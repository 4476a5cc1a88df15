"""The fixed parts of a workbook: styles, contents, relations."""

from __future__ import annotations

import re
from enum import IntEnum

from app.core.xlsx.cells import escape

_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_SHEET_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_FORBIDDEN_IN_TITLE = re.compile(r"[\[\]:*?/\\\x00-\x1f\ud800-\udfff\ufffe\uffff]")
_MAX_TITLE = 31


class Style(IntEnum):
    """Index of each cell format in `styles_xml`."""

    HEADING = 1
    HEADER = 2
    TEXT = 3
    MONEY = 4
    INTEGER = 5
    PERCENT = 6
    DATE = 7
    DATETIME = 8
    TOTAL_TEXT = 9
    TOTAL_MONEY = 10
    TOTAL_INTEGER = 11
    YEAR = 12


def styles_xml() -> str:
    """All formats a sheet uses. Number formats 1, 3, 4, 10 and 49 are Excel's own."""
    middle = '<alignment vertical="center"/>'
    centred = '<alignment horizontal="center" vertical="center" wrapText="1"/>'
    formats = [
        _format(0),
        _format(0, font=2, inside=centred),
        _format(0, font=1, fill=2, border=1, inside=centred),
        *(_format(number, inside=middle) for number in (49, 4, 3, 10, 164, 165)),
        *(_format(number, font=1, border=2, inside=middle) for number in (49, 4, 3)),
        _format(1, inside=middle),
    ]
    thin = 'style="thin"><color rgb="FFB0B7C3"/>'
    return (
        f'{_HEAD}<styleSheet xmlns="{_MAIN}">'
        '<numFmts count="2"><numFmt numFmtId="164" formatCode="yyyy-mm-dd"/>'
        '<numFmt numFmtId="165" formatCode="yyyy-mm-dd hh:mm"/></numFmts>'
        '<fonts count="3"><font><sz val="11"/><name val="宋体"/></font>'
        '<font><b/><sz val="11"/><name val="宋体"/></font>'
        '<font><b/><sz val="16"/><name val="宋体"/></font></fonts>'
        '<fills count="3"><fill><patternFill patternType="none"/></fill>'
        '<fill><patternFill patternType="gray125"/></fill>'
        '<fill><patternFill patternType="solid"><fgColor rgb="FFE8EEF7"/></patternFill></fill></fills>'
        '<borders count="3"><border><left/><right/><top/><bottom/><diagonal/></border>'
        f"<border><left/><right/><top/><bottom {thin}</bottom><diagonal/></border>"
        f"<border><left/><right/><top {thin}</top><bottom/><diagonal/></border></borders>"
        '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>'
        f'<cellXfs count="{len(formats)}">{"".join(formats)}</cellXfs>'
        '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles>'
        "</styleSheet>"
    )


def _format(number: int, *, font: int = 0, fill: int = 0, border: int = 0, inside: str = "") -> str:
    return (
        f'<xf numFmtId="{number}" fontId="{font}" fillId="{fill}" borderId="{border}" xfId="0" '
        f'applyNumberFormat="1" applyFont="1" applyFill="1" applyBorder="1" applyAlignment="1">{inside}</xf>'
    )


def sheet_titles(title: str, count: int) -> list[str]:
    """Names Excel accepts: 31 characters, no []:*?/\\, no apostrophe at the ends, none empty, none twice."""
    base = _FORBIDDEN_IN_TITLE.sub(" ", title).strip(" '") or "Sheet"
    suffixes = ["", *(f" ({number})" for number in range(2, count + 1))]
    return [_within_title(base, _MAX_TITLE - len(suffix)) + suffix for suffix in suffixes]


def _within_title(text: str, length: int) -> str:
    """Cut to `length` UTF-16 units, which is how Excel counts."""
    while len(text.encode("utf-16-le")) // 2 > length:
        text = text[:-1]
    return text.rstrip(" '")


def package_relations_xml() -> str:
    return (
        f'{_HEAD}<Relationships xmlns="{_PACKAGE}/relationships">'
        f'<Relationship Id="rId1" Type="{_RELATIONS}/officeDocument" Target="xl/workbook.xml"/>'
        "</Relationships>"
    )


def workbook_xml(titles: list[str], filters: list[str]) -> str:
    """The list of sheets, and each sheet's filtered range under the name Excel looks for."""
    sheets = "".join(
        f'<sheet name="{escape(title)}" sheetId="{number}" r:id="rId{number}"/>'
        for number, title in enumerate(titles, 1)
    )
    names = "".join(
        f'<definedName name="_xlnm._FilterDatabase" localSheetId="{index}" hidden="1">'
        f"{escape(_quoted(title))}!{reference}</definedName>"
        for index, (title, reference) in enumerate(zip(titles, filters, strict=True))
    )
    return (
        f'{_HEAD}<workbook xmlns="{_MAIN}" xmlns:r="{_RELATIONS}"><bookViews><workbookView/></bookViews>'
        f"<sheets>{sheets}</sheets><definedNames>{names}</definedNames></workbook>"
    )


def _quoted(title: str) -> str:
    return "'" + title.replace("'", "''") + "'"


def workbook_relations_xml(sheets: int) -> str:
    links = "".join(
        f'<Relationship Id="rId{number}" Type="{_RELATIONS}/worksheet" '
        f'Target="worksheets/sheet{number}.xml"/>'
        for number in range(1, sheets + 1)
    )
    return (
        f'{_HEAD}<Relationships xmlns="{_PACKAGE}/relationships">{links}'
        f'<Relationship Id="rId{sheets + 1}" Type="{_RELATIONS}/styles" Target="styles.xml"/></Relationships>'
    )


def content_types_xml(sheets: int) -> str:
    overrides = "".join(
        f'<Override PartName="/xl/worksheets/sheet{number}.xml" ContentType="{_SHEET_TYPE}.worksheet+xml"/>'
        for number in range(1, sheets + 1)
    )
    return (
        f'{_HEAD}<Types xmlns="{_PACKAGE}/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Default Extension="xml" ContentType="application/xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{_SHEET_TYPE}.sheet.main+xml"/>'
        f'<Override PartName="/xl/styles.xml" ContentType="{_SHEET_TYPE}.styles+xml"/>'
        f"{overrides}</Types>"
    )
