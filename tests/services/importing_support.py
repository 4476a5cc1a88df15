"""Workbooks as people send them, for the tests of imports."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any

import openpyxl

HEADERS = (
    "项目编号",
    "项目名称",
    "申报单位",
    "申报年度",
    "项目现状",
    "项目类型",
    "生命周期阶段",
    "申请资金(元)",
    "安排预算金额(元)",
)


def workbook(headers: Sequence[object], *rows: Sequence[object]) -> io.BytesIO:
    """A workbook of one sheet, as Excel saves it."""
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    sheet.append(list(headers))
    for row in rows:
        sheet.append(list(row))
    out = io.BytesIO()
    book.save(out)
    out.seek(0)
    return out


def sheet_of(*records: Mapping[str, Any]) -> io.BytesIO:
    """A workbook whose columns are all the keys of the records, in order."""
    headers = list(dict.fromkeys(key for record in records for key in record))
    return workbook(headers, *[[record.get(header) for header in headers] for record in records])


def project(code: str, **changes: Any) -> dict[str, Any]:
    """A row of a project of an earlier year, by the headers of the template."""
    return {
        "项目编号": code,
        "项目名称": "电子政务外网线路租赁",
        "申报单位": "市水利局",
        "申报年度": 2024,
        "项目现状": "运维",
        "项目类型": "延续项目",
        "阶段": "已验收",
        "申请资金(元)": "1260000.00",
        "安排预算金额(元)": "1200000.00",
        **changes,
    }
