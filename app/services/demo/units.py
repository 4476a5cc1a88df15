"""The units of 开平市 as far as domain.md section 7 verified them; the rest is marked as demo."""

from __future__ import annotations

from dataclasses import dataclass

from app.core.enums import UnitKind


@dataclass(frozen=True)
class DemoUnit:
    """`verified` names come from public pages or the national list of townships; others are demo data."""

    code: str
    name: str
    short_name: str
    kind: UnitKind
    verified: bool = False
    parent: str = "KP"


def _bureau(code: str, name: str, verified: bool = False, kind: UnitKind = UnitKind.GOVERNMENT) -> DemoUnit:
    return DemoUnit(code, f"开平市{name}", f"市{name}", kind, verified)


def _town(code: str, name: str) -> DemoUnit:
    return DemoUnit(f"440783{code}", f"开平市{name}", name, UnitKind.TOWNSHIP, True)


def _party(code: str, name: str) -> DemoUnit:
    return DemoUnit(code, f"中共开平市委{name}", f"市委{name}", UnitKind.PARTY)


DATA_BUREAU, FINANCE, POLICE, EDUCATION = "ZS", "CZ", "GA", "JY"
REVIEW_FIRM, COST_FIRM = "PS01", "ZJ01"

UNITS: tuple[DemoUnit, ...] = (
    DemoUnit("KP", "开平市", "开平市", UnitKind.SUPERIOR, True, ""),
    _bureau(DATA_BUREAU, "政务服务和数据管理局", True, UnitKind.DATA_BUREAU),
    _bureau(FINANCE, "财政局", False, UnitKind.FINANCE),
    _bureau("MZ", "民政局", True),
    _bureau("SL", "水利局", True),
    _bureau("WJ", "卫生健康局", True),
    _bureau("ZJ", "住房和城乡建设局", True),
    _bureau("NY", "农业农村局", True),
    _bureau(POLICE, "公安局"),
    _bureau(EDUCATION, "教育局"),
    _bureau("FG", "发展和改革局"),
    _bureau("KG", "科工商务局"),
    _bureau("SF", "司法局"),
    _bureau("RS", "人力资源和社会保障局"),
    _bureau("ZR", "自然资源局"),
    _bureau("JT", "交通运输局"),
    _bureau("WL", "文化广电旅游体育局"),
    _bureau("TY", "退役军人事务局"),
    _bureau("YJ", "应急管理局"),
    _bureau("SJ", "审计局"),
    _bureau("GZ", "国有资产监督管理局"),
    _bureau("SG", "市场监督管理局"),
    _bureau("TJ", "统计局"),
    _bureau("YB", "医疗保障局"),
    _bureau("CG", "城市管理和综合执法局"),
    _bureau("XF", "信访局"),
    _party("WB", "办公室"),
    _party("ZZ", "组织部"),
    _party("XC", "宣传部"),
    _party("TZ", "统战部"),
    _party("ZF", "政法委员会"),
    _party("BB", "机构编制委员会办公室"),
    _party("SH", "社会工作部"),
    DemoUnit("ZFB", "开平市人民政府办公室", "市政府办公室", UnitKind.GOVERNMENT),
    DemoUnit("RD", "开平市人大常委会办公室", "市人大办", UnitKind.GOVERNMENT),
    DemoUnit("ZX", "开平市政协办公室", "市政协办", UnitKind.GOVERNMENT),
    DemoUnit("DA", "开平市档案馆", "市档案馆", UnitKind.INSTITUTION),
    DemoUnit("RM", "开平市融媒体中心", "市融媒体中心", UnitKind.INSTITUTION),
    DemoUnit("JYZX", "开平市公共资源交易中心", "市公共资源交易中心", UnitKind.INSTITUTION),
    DemoUnit("GAJJ", "开平市公安局交通警察大队", "市交警大队", UnitKind.INSTITUTION, False, POLICE),
    DemoUnit("JYXX", "开平市教育信息中心", "市教育信息中心", UnitKind.INSTITUTION, False, EDUCATION),
    DemoUnit("WJYY", "开平市示例人民医院", "市示例人民医院", UnitKind.INSTITUTION, False, "WJ"),
    _town("001", "三埠街道"),
    _town("002", "长沙街道"),
    _town("103", "沙塘镇"),
    _town("104", "苍城镇"),
    _town("105", "龙胜镇"),
    _town("106", "大沙镇"),
    _town("107", "马冈镇"),
    _town("108", "塘口镇"),
    _town("109", "赤坎镇"),
    _town("110", "百合镇"),
    _town("111", "蚬冈镇"),
    _town("112", "金鸡镇"),
    _town("115", "月山镇"),
    _town("116", "赤水镇"),
    _town("117", "水口镇"),
    _town("400", "翠山湖新区"),
    DemoUnit(REVIEW_FIRM, "示例信息工程评审有限公司", "示例评审公司", UnitKind.REVIEW_FIRM, False, ""),
    DemoUnit(COST_FIRM, "示例造价咨询有限公司", "示例造价公司", UnitKind.COST_FIRM, False, ""),
)

DECLARING_KINDS = frozenset(
    {
        UnitKind.PARTY,
        UnitKind.GOVERNMENT,
        UnitKind.DATA_BUREAU,
        UnitKind.FINANCE,
        UnitKind.INSTITUTION,
        UnitKind.TOWNSHIP,
    }
)
