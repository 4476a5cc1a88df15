"""The dictionaries the product starts with (domain.md section 6 and 3.1). Administrators keep the copies in
the database; only what `source` names may be presented as somebody's rule."""

from __future__ import annotations

from dataclasses import dataclass

_REQUIREMENTS = "采购需求"
_OURS = "本系统约定"
_PUBLISHED = "公开办法"
_PRACTICE = "同类系统实践"
_UNCHECKED = "粤财行〔2019〕82号,待核对"
_CAPITAL = "国家及外省通用费用结构,待核对"


@dataclass(frozen=True)
class Item:
    """One entry; `source` falls back to its dictionary's."""

    code: str
    label_zh: str
    label_en: str
    parent: str | None = None
    source: str = ""
    active: bool = True


@dataclass(frozen=True)
class Dictionary:
    """One dictionary, its entries in order."""

    code: str
    label_zh: str
    label_en: str
    source: str
    items: tuple[Item, ...]


def _subject(code: str, label_zh: str, label_en: str, source: str = _UNCHECKED) -> Item:
    parent = code.rpartition(".")[0] or None
    return Item(code, label_zh, label_en, parent, source)


def _capital(code: str, label_zh: str, label_en: str) -> Item:
    """The second tree of 3.1.2, for capital-style projects; an administrator may switch it on."""
    parent = code.rpartition(".")[0] or None
    return Item(code, label_zh, label_en, parent, _CAPITAL, active=False)


DICTIONARIES: tuple[Dictionary, ...] = (
    Dictionary(
        "nature",
        "项目现状",
        "Project nature",
        _REQUIREMENTS,
        (Item("NEW", "新建", "New build"), Item("OPERATION", "运维", "Operation and maintenance")),
    ),
    Dictionary(
        "declaration_type",
        "项目类型",
        "Declaration type",
        _REQUIREMENTS,
        (
            Item("NEW", "新建项目", "New project"),
            Item("CONTINUING", "延续项目", "Continuing project"),
            Item("CONTRACT_DUE", "依合同支付项目", "Payment due under a contract"),
            Item("OTHER", "其他", "Other"),
        ),
    ),
    Dictionary(
        "service_category",
        "服务类别",
        "Service category",
        _PRACTICE,
        (
            Item(
                "SPECIAL_SOFTWARE",
                "专业软件开发服务及相关运行维护服务类",
                "Specialised software",
            ),
            Item(
                "GENERAL_SOFTWARE",
                "通用应用软件开发服务及相关运行维护服务类",
                "General software",
            ),
            Item("PLATFORM", "公共支撑平台开发服务类", "Shared supporting platforms"),
            Item("INFRASTRUCTURE", "公共/专业基础设施服务类", "Public and specialised infrastructure"),
            Item("DATA_GOVERNANCE", "数据治理类", "Data governance"),
            Item("BUSINESS_OPERATION", "系统业务运营服务类", "Business operation of systems"),
            Item("LICENSED_SOFTWARE", "通用正版软件服务类", "Licensed general software"),
            Item("THIRD_PARTY", "第三方服务类", "Third-party services"),
            Item("COMPREHENSIVE", "综合类", "Several kinds"),
        ),
    ),
    Dictionary(
        "funding_channel",
        "资金渠道",
        "Funding channel",
        _PUBLISHED,
        (
            Item("GENERAL_BUDGET", "一般公共预算(本级财政)", "General public budget"),
            Item("GOVERNMENT_FUND", "政府性基金", "Government fund"),
            Item("STATE_CAPITAL", "国有资本经营预算", "State capital budget"),
            Item("SPECIAL_ACCOUNT", "财政专户管理资金", "Fiscal special account"),
            Item("SUPERIOR_GRANT", "上级专项补助(中央/省/江门市)", "Grant from above"),
            Item("BOND", "地方政府债券", "Local government bonds"),
            Item("SELF_RAISED", "单位自筹", "Raised by the unit"),
            Item("OTHER", "其他", "Other"),
        ),
    ),
    Dictionary(
        "plan_channel",
        "申报渠道",
        "Way into the plan",
        _PRACTICE,
        (
            Item("IN_PLAN", "计划内", "In-plan"),
            Item("SUPPLEMENTARY", "增补(追加)", "Supplementary"),
            Item("FILING", "备案制", "Filing-only"),
        ),
    ),
    Dictionary(
        "basis_kind",
        "建设依据种类",
        "Kind of basis",
        _PUBLISHED,
        (
            Item("DOCUMENT", "文件", "Official document"),
            Item("INSTRUCTION", "批示", "Written instruction"),
            Item("MINUTES", "会议纪要", "Minutes of a meeting"),
            Item("PLAN", "规划", "Development plan"),
        ),
    ),
    Dictionary(
        "mlps_level",
        "等保级别",
        "MLPS level",
        "GB/T 22240",
        (
            Item("L1", "一级", "Level 1"),
            Item("L2", "二级", "Level 2"),
            Item("L3", "三级", "Level 3"),
            Item("L4", "四级", "Level 4"),
            Item("UNRATED", "未定级", "Not rated yet"),
            Item("NOT_APPLICABLE", "不适用", "Not applicable"),
        ),
    ),
    Dictionary(
        "scope_public",
        "服务范围: 公众侧",
        "Serves the public",
        f"{_PRACTICE},待核对",
        (
            Item("PERSONS", "自然人", "Persons"),
            Item("LEGAL_PERSONS", "法人及其他组织", "Legal persons and organisations"),
        ),
    ),
    Dictionary(
        "scope_government",
        "服务范围: 政务侧",
        "Serves the government",
        f"{_PRACTICE},待核对",
        (
            Item("OWN_UNIT", "本单位", "The unit itself"),
            Item("OWN_LINE", "本系统(含下属单位)", "The unit and those below it"),
            Item("CITY_UNITS", "市直单位", "Municipal units"),
            Item("TOWNSHIPS", "镇街", "Townships and subdistricts"),
        ),
    ),
    Dictionary(
        "sharing_type",
        "共享类型",
        "Sharing type",
        _PUBLISHED,
        (
            Item("UNCONDITIONAL", "无条件共享", "Unconditional"),
            Item("CONDITIONAL", "有条件共享", "Conditional"),
            Item("NOT_SHARED", "不予共享", "Not shared"),
        ),
    ),
    Dictionary(
        "budget_subject",
        "预算科目",
        "Budget subject",
        _UNCHECKED,
        (
            _subject("1", "软件开发服务费", "Software development"),
            _subject("1.1", "定制软件开发服务", "Custom software"),
            _subject("2", "运行维护服务费", "Operation and maintenance"),
            _subject("2.1", "软件运行维护服务", "Upkeep of software", f"{_OURS},待核对"),
            _subject("2.2", "硬件运行维护服务", "Upkeep of hardware", f"{_OURS},待核对"),
            _subject("3", "系统业务运营服务费", "Business operation"),
            _subject("4", "基础设施服务费", "Infrastructure"),
            _subject("4.1", "公共基础设施服务", "Public infrastructure", f"{_OURS},待核对"),
            _subject("4.2", "特殊(专业)基础设施服务", "Specialised infrastructure"),
            _subject("5", "其他服务费", "Other services"),
            _subject("5.1", "监理服务", "Supervision", f"{_OURS},待核对"),
            _subject("5.2", "测评服务", "Testing and assessment", f"{_OURS},待核对"),
            _subject("5.3", "咨询服务", "Consulting", f"{_OURS},待核对"),
            _capital("A", "项目建设费", "Construction"),
            _capital("A.1", "建筑工程费", "Building works"),
            _capital("A.1.1", "机房建设", "Machine room"),
            _capital("A.1.2", "配套设施", "Ancillary facilities"),
            _capital("A.2", "硬件设备购置费", "Hardware"),
            _capital("A.2.1", "网络设备", "Network equipment"),
            _capital("A.2.2", "计算机设备", "Computers"),
            _capital("A.2.3", "存储设备", "Storage"),
            _capital("A.2.4", "安全设备", "Security equipment"),
            _capital("A.3", "软件购置研发费", "Software"),
            _capital("A.3.1", "系统软件", "System software"),
            _capital("A.3.1.1", "操作系统", "Operating systems"),
            _capital("A.3.1.2", "中间件及数据库", "Middleware and databases"),
            _capital("A.3.2", "应用软件", "Applications"),
            _capital("A.4", "系统集成费", "System integration"),
            _capital("B", "其他费用", "Other costs"),
            _capital("B.1", "建设管理费", "Project management"),
            _capital("B.2", "服务咨询费", "Consulting"),
            _capital("B.3", "工程监理费", "Supervision of works"),
            _capital("B.4", "招投标费", "Tendering"),
            _capital("B.5", "培训费", "Training"),
            _capital("C", "运行维护费", "Operation"),
            _capital("C.1", "通信线路租费", "Line rental"),
            _capital("C.2", "系统维护费", "System upkeep"),
            _capital("C.3", "系统运行耗材费", "Consumables"),
            _capital("C.4", "动力消耗费", "Power"),
        ),
    ),
    Dictionary(
        "cost_method",
        "计价方法",
        "Costing method",
        _PRACTICE,
        (
            Item("FP", "功能点法", "Function points"),
            Item("EFFORT", "工作量法", "Effort"),
            Item("QUOTE", "市场询价", "Quotations"),
            Item("STANDARD", "标准定额", "Published rates"),
            Item("HISTORY", "历史合同", "Earlier contracts"),
        ),
    ),
    Dictionary(
        "cost_basis",
        "造价依据",
        "Cost basis",
        _PRACTICE,
        (
            Item("GD_2019_82", "粤财行〔2019〕82号", "Guangdong finance rule 2019 no. 82"),
            Item("FOSHAN", "佛山概算编制指南", "Foshan cost estimate guide"),
            Item("DONGGUAN_2024", "东莞造价指南(2024-08)", "Dongguan cost guide (2024-08)"),
            Item("QINGYUAN", "清远审批细则", "Qingyuan approval rules"),
            Item("MARKET", "市场询价", "Market quotations"),
            Item("HISTORY", "历史合同", "Earlier contracts"),
        ),
    ),
    Dictionary(
        "indicator_level1",
        "绩效一级指标",
        "Indicator class",
        _PUBLISHED,
        (
            Item("OUTPUT", "产出", "Output"),
            Item("BENEFIT", "效益", "Benefit"),
            Item("SATISFACTION", "满意度", "Satisfaction"),
        ),
    ),
    Dictionary(
        "indicator_level2",
        "绩效二级指标",
        "Indicator",
        _PUBLISHED,
        (
            Item("QUANTITY", "数量", "Quantity", "OUTPUT"),
            Item("QUALITY", "质量", "Quality", "OUTPUT"),
            Item("TIMELINESS", "时效", "Timeliness", "OUTPUT"),
            Item("COST", "成本", "Cost", "OUTPUT"),
            Item("ECONOMIC", "经济效益", "Economic benefit", "BENEFIT"),
            Item("SOCIAL", "社会效益", "Social benefit", "BENEFIT"),
            Item("ECOLOGICAL", "生态效益", "Ecological benefit", "BENEFIT"),
            Item("SUSTAINABLE", "可持续影响", "Lasting effect", "BENEFIT"),
            Item("SERVED", "服务对象满意度", "Satisfaction of those served", "SATISFACTION"),
        ),
    ),
    Dictionary(
        "indicator_operator",
        "指标符号",
        "Indicator operator",
        _PUBLISHED,
        (
            Item("GE", "≥", "≥"),
            Item("LE", "≤", "≤"),
            Item("EQ", "=", "="),
            Item("QUALITATIVE", "定性", "Qualitative"),
        ),
    ),
    Dictionary(
        "attachment_category",
        "附件类别",
        "Attachment category",
        _PRACTICE,
        (
            Item("FORM", "申报表(盖章扫描)", "Declaration form (stamped scan)"),
            Item("SCHEME", "建设方案", "Construction scheme"),
            Item("BASIS", "建设依据文件", "Basis documents"),
            Item("QUOTE", "报价或造价依据", "Quotations or cost basis"),
            Item("CONTRACT", "原合同", "Existing contract"),
            Item("REPORT", "上年验收/运维报告", "Last year's acceptance or operation report"),
            Item("PERFORMANCE", "绩效目标表", "Performance target form"),
            Item("LETTER", "立项申请函", "Application letter"),
            Item("APPRAISAL", "论证意见", "Appraisal opinion"),
            Item("CRYPTO", "密码应用审核意见", "Cryptography review opinion"),
            Item("NOTE", "项目说明", "Project note"),
            Item("CHANGE_LETTER", "变更申请函", "Change application letter", source=_OURS),
            Item("CHANGE_SCHEME", "变更方案", "Change scheme", source=_OURS),
            Item("ADJUSTMENT", "调整文件", "Adjustment document", source=_OURS),
            Item("MINUTES", "会议纪要", "Minutes of meeting", source=_OURS),
            Item("OTHER", "其他", "Other"),
        ),
    ),
    Dictionary(
        "change_kind",
        "变更类型",
        "Kind of change",
        _OURS,
        (
            Item("CONTENT", "建设内容", "Scope of work"),
            Item("FUNDS", "资金", "Funds"),
            Item("PERIOD", "工期", "Construction period"),
            Item("CHANNEL", "资金渠道", "Funding channel"),
            Item("PARTIES", "建设单位/承建单位", "Owner or contractor"),
            Item("TECHNICAL", "技术方案", "Technical scheme"),
            Item("PERFORMANCE", "绩效目标", "Performance targets"),
            Item("TERMINATION", "终止", "Termination"),
        ),
    ),
    Dictionary(
        "change_reason",
        "变更原因",
        "Reason of change",
        _OURS,
        (
            Item("POLICY", "政策要求", "Policy requires it"),
            Item("DEMAND", "需求变化", "Needs have changed"),
            Item("TECHNOLOGY", "技术路线优化", "Better technical approach"),
            Item("ORGANISATION", "机构改革", "Reorganisation"),
            Item("BUDGET", "预算调整", "Budget adjustment"),
            Item("FORCE_MAJEURE", "不可抗力", "Force majeure"),
            Item("OTHER", "其他", "Other"),
        ),
    ),
    Dictionary(
        "unit_kind",
        "单位类别",
        "Kind of unit",
        _OURS,
        (
            Item("PARTY", "党委部门", "Party department"),
            Item("GOVERNMENT", "政府部门", "Government department"),
            Item("DATA_BUREAU", "市政数局", "Data bureau"),
            Item("FINANCE", "财政局", "Finance bureau"),
            Item("INSTITUTION", "事业单位", "Public institution"),
            Item("TOWNSHIP", "镇街", "Township / subdistrict"),
            Item("STATE_FIRM", "市属国企", "Municipal state-owned enterprise"),
            Item("REVIEW_FIRM", "评审公司", "Review company"),
            Item("COST_FIRM", "造价公司", "Cost firm"),
            Item("SUPERIOR", "上级", "Superior authority"),
        ),
    ),
)
