"""Two real declarations as raw input, for services, REST, browser journeys and the demo data alike.

The first is the purchase `requirements.txt` itself describes; the second is title 4 of domain.md section 8.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from app.core.fiscal import default_budget_year

MAINTENANCE_AMOUNT = "31900.00"
MAINTENANCE_IN_WORDS = "叁万壹仟玖佰元整"
NEW_BUILD_AMOUNT = "4950000.00"

NEW_BUILD_FILES: Mapping[str, str] = {
    "FORM": "信息化项目申报表(盖章).pdf",
    "BASIS": "关于推进“一网统管”建设的会议纪要.pdf",
    "QUOTE": "报价汇总.pdf",
    "PERFORMANCE": "绩效目标表.pdf",
}
"""The attachments a new build has to bring: category -> file name."""


def next_year() -> int:
    """The budget year that is declared for now."""
    return default_budget_year(dt.datetime.now(dt.UTC))


def maintenance(**changes: Any) -> dict[str, Any]:
    """The maintenance renewal of requirements.txt: 31,900.00 yuan, one year, the short form."""
    year = next_year()
    return {
        "title": "政务信息化服务项目管理系统维护服务",
        "budget_year": str(year),
        "nature": "OPERATION",
        # There is no earlier project in the library to continue, as in every office's first year.
        "declaration_type": "OTHER",
        "service_categories": ["SPECIAL_SOFTWARE"],
        "basis_codes": ["DOCUMENT"],
        "basis_text": "系统现有维护服务于11月30日到期，为保障系统安全、稳定运行，须续买维护服务。",
        "begin_date": f"{year}-12-01",
        "end_date": f"{year + 1}-11-30",
        "requested_amount": "31,900.00",
        "budget_lines": [
            _line(
                "2.1", "系统日常维护", "月", "12", "2000.00", "HISTORY", spec="故障处理、性能监控、数据备份"
            ),
            _line("2.1", "技术支持服务", "月", "12", "650.00", "HISTORY", spec="7×24小时电话支持"),
            _line("2.1", "补丁升级服务", "次", "1", "100.00", "HISTORY"),
        ],
        "funding_splits": [{"channel": "GENERAL_BUDGET", "amount": "31900.00"}],
        **_CONTACTS,
        **changes,
    }


def new_build(**changes: Any) -> dict[str, Any]:
    """A new build of 4,950,000.00 yuan with eight budget lines and two channels; every chapter is filled."""
    year = next_year()
    return {
        "title": "“一网统管”平台二期建设",
        "budget_year": str(year),
        "nature": "NEW",
        "declaration_type": "NEW",
        "service_categories": ["SPECIAL_SOFTWARE", "DATA_GOVERNANCE"],
        "plan_channel": "IN_PLAN",
        "basis_codes": ["MINUTES", "PLAN"],
        "basis_text": "市政府常务会议纪要〔2026〕12号；开平市数字政府建设“十四五”规划。",
        "necessity": (
            "一期平台已接入城管、应急、水利等十二个部门的业务系统，但事件仍靠人工转派，平均处置时间超过四十八小时，"
            "跨部门协同缺少统一调度和考核依据，亟须建设二期平台，实现事件的发现、分拨、处置、评价闭环管理。"
        ),
        "feasibility": "一期平台运行稳定，数据接口和网络条件具备。",
        "reasonableness": "功能点数经初步测算，单价参照同类项目。",
        "current_state": "一期平台只有态势展示，无事件协同能力；各部门系统各自为政，数据口径不一。",
        "goals": "建成横向到边、纵向到底的事件协同处置体系，事件平均处置时间缩短至二十四小时以内。",
        "scope_text": "建设事件协同处置、综合指挥调度、数据汇聚治理和移动端四个子系统，接入视频三百路。",
        "begin_date": f"{year}-03-01",
        "end_date": f"{year + 1}-06-30",
        "total_investment": "6150000.00",
        "requested_amount": "4950000.00",
        "mlps_level": "L3",
        "crypto_required": "1",
        "on_cloud": "1",
        "cloud_resources": "政务云：云主机二十台、对象存储十太字节。",
        "scope_public": ["PERSONS"],
        "scope_government": ["CITY_UNITS", "TOWNSHIPS"],
        "long_term_goal": "形成市域治理“一网统管”长效机制。",
        "annual_goal": "完成四个子系统开发并上线试运行。",
        "budget_lines": [
            _line("1.1", "事件协同处置子系统", "人月", "40", "24000.00", "EFFORT"),
            _line("1.1", "综合指挥调度子系统", "人月", "35.5", "24000.00", "EFFORT"),
            _line("1.1", "数据汇聚与治理", "人月", "30", "24000.00", "EFFORT"),
            _line("1.1", "移动端应用", "人月", "18.25", "24000.00", "EFFORT"),
            _line("4.1", "政务云资源租用", "年", "1", "486000.00", "QUOTE"),
            _line("4.2", "视频融合网关", "台", "15", "68500.00", "QUOTE", spec="二十路接入"),
            _line("5.1", "监理服务", "项", "1", "128400.00", "STANDARD"),
            _line("5.2", "等保测评与密码应用安全性评估", "项", "2", "169050.00", "QUOTE"),
        ],
        "funding_splits": [
            {"channel": "GENERAL_BUDGET", "amount": "3950000.00"},
            {"channel": "SUPERIOR_GRANT", "amount": "1000000.00"},
        ],
        "later_years": [{"year": str(year + 1), "amount": "1200000.00"}],
        "data_catalogue": [
            {
                "name": "城市治理事件信息",
                "provider": "开平市政务服务和数据管理局",
                "sharing_type": "CONDITIONAL",
                "update_frequency": "实时",
            },
            {"name": "视频点位信息", "provider": "开平市公安局", "sharing_type": "CONDITIONAL"},
        ],
        "schedule": [
            {"content": "需求与设计", "begin_date": f"{year}-03-01", "end_date": f"{year}-06-30"},
            {"content": "开发与联调", "begin_date": f"{year}-07-01", "end_date": f"{year + 1}-03-31"},
        ],
        "indicators": [
            _indicator("OUTPUT", "QUANTITY", "接入业务系统数", "GE", "20", "个", "30"),
            _indicator("OUTPUT", "TIMELINESS", "按期完成率", "EQ", "100", "%", "20"),
            _indicator("BENEFIT", "SOCIAL", "事件平均处置时间", "LE", "24", "小时", "30"),
            _indicator("SATISFACTION", "SERVED", "使用单位满意度", "GE", "90", "%", "20"),
        ],
        **_CONTACTS,
        **changes,
    }


def as_form(raw: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The same input as the pairs a browser posts."""
    pairs: list[tuple[str, str]] = []
    for name, value in raw.items():
        if isinstance(value, list) and value and isinstance(value[0], dict):
            for index, row in enumerate(value):
                pairs += [(f"{name}.{index}.{column}", str(text)) for column, text in row.items()]
        elif isinstance(value, list):
            pairs += [(name, str(each)) for each in value]
        else:
            pairs.append((name, str(value)))
    return pairs


def pdf(words: str = "附件") -> bytes:
    """A small PDF; other words make other content."""
    return b"%PDF-1.4\n1 0 obj\n<< /Type /Catalog >>\nendobj\n% " + words.encode() + b"\ntrailer\n%%EOF\n"


_CONTACTS = {
    "lead_name": "梁志明",
    "lead_mobile": "13800002210",
    "contact_name": "陈晓琳",
    "contact_mobile": "13900003320",
}


def _line(
    subject: str, name: str, unit: str, quantity: str, price: str, method: str, *, spec: str = ""
) -> dict[str, str]:
    return {
        "subject_code": subject,
        "name": name,
        "spec": spec,
        "unit_name": unit,
        "quantity": quantity,
        "unit_price": price,
        "cost_method": method,
    }


def _indicator(
    level1: str, level2: str, name: str, operator: str, target: str, unit: str, weight: str
) -> dict[str, str]:
    return {
        "level1": level1,
        "level2": level2,
        "name": name,
        "operator": operator,
        "target_value": target,
        "unit_name": unit,
        "weight": weight,
    }
