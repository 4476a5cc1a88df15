"""Every parameter of the program with its default: the numbers of local rules are data, not code.

Only what `source` names may be presented as somebody's rule; `unchecked` ones are shown as 待核对.
"""

from __future__ import annotations

from app.services.parameter.kinds import Parameter, ParameterKind, amount, integer

_REQUIREMENTS = "采购需求"
_MLPS = "GB/T 22239"


def _required(declaration_type: str, fields: str, label_zh: str, label_en: str) -> Parameter:
    return Parameter(
        f"declaration.required.{declaration_type}",
        fields,
        ParameterKind.LIST,
        label_zh,
        label_en,
        choices=DECLARATION_FIELDS,
    )


def _attachments(kind: str, categories: str, label_zh: str, label_en: str) -> Parameter:
    return Parameter(
        f"declaration.attachments.{kind}",
        categories,
        ParameterKind.LIST,
        label_zh,
        label_en,
        choices=ATTACHMENT_CATEGORIES,
    )


ATTACHMENT_CATEGORIES = (
    "FORM",
    "SCHEME",
    "BASIS",
    "QUOTE",
    "CONTRACT",
    "REPORT",
    "PERFORMANCE",
    "LETTER",
    "APPRAISAL",
    "CRYPTO",
    "NOTE",
)
"""Attachments a declaration may be asked for (domain.md 3.1.4), by their dictionary codes."""

DECLARATION_FIELDS = (
    "service_categories",
    "supervising_unit_id",
    "necessity",
    "feasibility",
    "reasonableness",
    "current_state",
    "goals",
    "scope_text",
    "begin_date",
    "end_date",
    "total_investment",
    "mlps_level",
    "data_catalogue",
    "schedule",
    "long_term_goal",
    "annual_goal",
    "indicators",
)
"""What a declaration may be asked for beyond title, nature, type, lines, channels, basis and contacts."""

_FULL = "service_categories,necessity,current_state,goals,scope_text,begin_date,end_date,total_investment"

PARAMETERS: tuple[Parameter, ...] = (
    Parameter(
        "declaration.window_begin",
        "01-01",
        ParameterKind.MONTH_DAY,
        "申报开始日(月-日)",
        "Declarations open on (month-day)",
        source=_REQUIREMENTS,
        article="项目申报",
    ),
    Parameter(
        "declaration.window_end",
        "12-31",
        ParameterKind.MONTH_DAY,
        "申报截止日(月-日)",
        "Declarations close on (month-day)",
        source=_REQUIREMENTS,
        article="项目申报",
    ),
    amount("declaration.minimum_amount", "0.00", "申报最低金额", "Least amount to declare", article="D-04"),
    amount(
        "declaration.simple_limit",
        "100000.00",
        "简易申报金额上限(低于此数只填必要内容)",
        "Short form below this requested amount",
    ),
    Parameter(
        "declaration.required.simple",
        "",
        ParameterKind.LIST,
        "简易申报的附加必填项",
        "Further required fields, short form",
        choices=DECLARATION_FIELDS,
    ),
    _required(
        "NEW",
        f"{_FULL},mlps_level,data_catalogue,annual_goal,indicators",
        "新建项目的附加必填项",
        "Further required fields, new project",
    ),
    _required(
        "CONTINUING",
        f"{_FULL},mlps_level,annual_goal,indicators",
        "延续项目的附加必填项",
        "Further required fields, continuing project",
    ),
    _required(
        "CONTRACT_DUE",
        "service_categories,scope_text,begin_date,end_date,total_investment",
        "依合同支付项目的附加必填项",
        "Further required fields, payment under contract",
    ),
    _required("OTHER", _FULL, "其他项目的附加必填项", "Further required fields, other projects"),
    _attachments("simple", "", "简易申报的必交附件", "Required attachments, short form"),
    _attachments(
        "NEW", "FORM,BASIS,QUOTE,PERFORMANCE", "新建项目的必交附件", "Required attachments, new project"
    ),
    _attachments(
        "CONTINUING",
        "FORM,BASIS,QUOTE,REPORT,PERFORMANCE",
        "延续项目的必交附件",
        "Required attachments, continuing project",
    ),
    _attachments(
        "CONTRACT_DUE",
        "FORM,BASIS,QUOTE,CONTRACT,PERFORMANCE",
        "依合同支付项目的必交附件",
        "Required attachments, payment under contract",
    ),
    _attachments(
        "OTHER", "FORM,BASIS,QUOTE,PERFORMANCE", "其他项目的必交附件", "Required attachments, other projects"
    ),
    integer(
        "declaration.necessity_length",
        50,
        "字",
        "必要性最少字数",
        "Least length of the necessity",
        within=(0, 2000),
    ),
    amount(
        "third_party.threshold",
        "1000000.00",
        "须造价评估、技术评审和专家论证的金额(大于等于)",
        "Third-party steps from this amount on",
        source=_REQUIREMENTS,
        article="专家论证",
    ),
    integer("attachment.max_size_mb", 50, "MB", "单个附件大小上限", "Largest attachment", within=(1, 50)),
    integer(
        "attachment.max_total_mb",
        500,
        "MB",
        "每份单据附件总大小上限",
        "Attachments of one document together",
        within=(1, 5000),
    ),
    Parameter(
        "attachment.types",
        "pdf,doc,docx,xls,xlsx,ppt,pptx,jpg,jpeg,png,ofd,zip",
        ParameterKind.LIST,
        "允许上传的附件类型",
        "Attachment types taken",
        choices=("pdf", "doc", "docx", "xls", "xlsx", "ppt", "pptx", "jpg", "jpeg", "png", "ofd", "zip"),
    ),
    integer(
        "review.due_soon_days",
        2,
        "工作日",
        "审核即将超期的提前提醒天数",
        "Reviews are due soon with so many working days left",
        within=(0, 60),
    ),
    integer(
        "review.repeat_days",
        7,
        "天",
        "超期后重复提醒的间隔",
        "Overdue reviews are told again after",
        within=(1, 90),
    ),
    Parameter(
        "review.resubmit_target",
        "FIRST_STEP",
        ParameterKind.CHOICE,
        "退回后重新提交到",
        "A resubmitted document goes to",
        choices=("FIRST_STEP", "RETURNING_STEP"),
    ),
    Parameter(
        "review.unit_leader_step",
        "true",
        ParameterKind.BOOLEAN,
        "申报先由单位负责人审核",
        "The unit's leader reviews a declaration first",
    ),
    Parameter(
        "access.handler_sub_units",
        "true",
        ParameterKind.BOOLEAN,
        "经办人可办理下属单位的项目",
        "Handlers act for the units below theirs",
    ),
    integer(
        "login.max_failures",
        5,
        "次",
        "连续登录失败几次后锁定账号",
        "Failed log-ins that lock an account",
        within=(3, 20),
        source=_MLPS,
        article="身份鉴别",
    ),
    integer(
        "login.lock_minutes",
        15,
        "分钟",
        "账号锁定时长",
        "An account stays locked for",
        within=(1, 1440),
        source=_MLPS,
        article="身份鉴别",
    ),
    integer(
        "login.address_max_failures",
        50,
        "次",
        "同一地址登录失败几次后锁定",
        "Failed log-ins that lock an address",
        within=(5, 1000),
    ),
    integer(
        "login.captcha_after",
        3,
        "次",
        "登录失败几次后须填验证码",
        "Failed log-ins after which a captcha is asked",
        within=(0, 20),
    ),
    integer(
        "session.idle_minutes",
        30,
        "分钟",
        "无操作自动退出",
        "A session without activity ends after",
        within=(5, 240),
        source=_MLPS,
        article="身份鉴别",
    ),
    integer("session.absolute_hours", 12, "小时", "登录最长有效时间", "A session ends after", within=(1, 24)),
    integer(
        "password.min_length",
        12,
        "位",
        "密码最小长度",
        "Shortest password",
        within=(8, 64),
        source=_MLPS,
        article="身份鉴别",
    ),
    integer(
        "password.classes",
        3,
        "类",
        "密码至少包含的字符种类",
        "Kinds of characters a password has",
        within=(1, 4),
        source=_MLPS,
        article="身份鉴别",
    ),
    integer(
        "password.max_age_days",
        90,
        "天",
        "密码有效期(0 为不限)",
        "A password is changed after (0: never)",
        within=(0, 3650),
        source=_MLPS,
        article="身份鉴别",
    ),
    integer(
        "sms.first_hour",
        8,
        "时",
        "提醒短信最早发送时间",
        "Reminders are texted from",
        within=(0, 12),
    ),
    integer(
        "sms.last_hour",
        20,
        "时",
        "提醒短信最晚发送时间",
        "Reminders are texted until",
        within=(13, 24),
    ),
    integer(
        "log.keep_days",
        180,
        "天",
        "登录记录保存天数",
        "Log-in records are kept for",
        within=(180, 3650),
        source="网络安全法",
        article="第二十一条(三)",
    ),
    integer(
        "message.keep_days",
        365,
        "天",
        "已发送消息队列的保存天数",
        "Delivered outbox entries are kept for",
        within=(90, 3650),
    ),
)

BY_KEY = {parameter.key: parameter for parameter in PARAMETERS}
