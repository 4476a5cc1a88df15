"""What messages say, in both languages: a declared table with $placeholders and nothing else.

Users' words only ever fill placeholders. `string.Template` puts them in as they are and never looks at
them again, so a title such as `{{7*7}}` or `$title` stays a title (SEC-07).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from string import Template

from app.core.text import trim

_LONGEST_IN_SMS = 60
_LONGEST_ANYWHERE = 500


@dataclass(frozen=True)
class MessageTemplate:
    """One kind of message: its name (短信场景, domain.md 6.20) and its text, each zh and en."""

    code: str
    label_zh: str
    label_en: str
    text_zh: str
    text_en: str

    @property
    def placeholders(self) -> frozenset[str]:
        """What the caller has to give; the same in both languages."""
        return frozenset(Template(self.text_zh).get_identifiers())

    def label(self, language: str) -> str:
        """The kind's name in `zh` or `en`."""
        return self.label_en if language.startswith("en") else self.label_zh

    def text(self, params: Mapping[str, str], language: str) -> str:
        """The message in `zh` or `en`; a placeholder without a value stays as it is."""
        words = self.text_en if language.startswith("en") else self.text_zh
        return Template(words).safe_substitute(params)


TEMPLATES: tuple[MessageTemplate, ...] = (
    MessageTemplate(
        "declaration_notice",
        "申报通知",
        "Declaration submitted",
        "$unit已提交申报项目《$title》（$code），请及时受理。",
        "$unit submitted the declaration “$title” ($code). Please take it up.",
    ),
    MessageTemplate(
        "acceptance_opinion",
        "受理意见",
        "Accepted for review",
        "贵单位申报的《$title》（$code）已受理，进入“$step”环节。",
        "Your declaration “$title” ($code) was accepted for review and is at “$step”.",
    ),
    MessageTemplate(
        "review_opinion",
        "审核意见",
        "Review opinion",
        "《$title》（$code）“$step”环节已由$reviewer审核，意见：$opinion",
        "$reviewer reviewed “$title” ($code) at “$step”: $opinion",
    ),
    MessageTemplate(
        "review_returned",
        "审核意见（退回）",
        "Returned for revision",
        "《$title》（$code）已在“$step”环节退回，请修改后重新提交。退回意见：$opinion",
        "“$title” ($code) was returned at “$step”. Please revise it and submit it again. Opinion: $opinion",
    ),
    MessageTemplate(
        "remarks_asked",
        "审核意见待答复",
        "Remarks to answer",
        "$sender 对《$title》（$code）提出 $count 条意见，请逐条答复。",
        "$sender has made $count remarks on “$title” ($code). Please answer each of them.",
    ),
    MessageTemplate(
        "remarks_answered",
        "审核意见已答复",
        "Remarks answered",
        "$sender 已答复《$title》（$code）的 $count 条意见，请核对。",
        "$sender has answered $count remarks on “$title” ($code). Please check the answers.",
    ),
    MessageTemplate(
        "result_approved",
        "结果告知（通过）",
        "Result: approved",
        "《$title》（$code）已审核通过。",
        "“$title” ($code) was approved.",
    ),
    MessageTemplate(
        "result_rejected",
        "结果告知（不予通过）",
        "Result: rejected",
        "《$title》（$code）不予通过。意见：$opinion",
        "“$title” ($code) was rejected. Opinion: $opinion",
    ),
    MessageTemplate(
        "result_terminated",
        "结果告知（终止）",
        "Result: terminated",
        "《$title》（$code）的审核已终止。原因：$opinion",
        "The review of “$title” ($code) was terminated. Reason: $opinion",
    ),
    MessageTemplate(
        "review_withdrawn",
        "申报撤回",
        "Withdrawn",
        "$unit已撤回《$title》（$code），无需再审核。",
        "$unit withdrew “$title” ($code). Nothing is left to review.",
    ),
    MessageTemplate(
        "task_assigned",
        "待办通知",
        "To do",
        "《$title》（$code）已到“$step”环节，请审核。",
        "“$title” ($code) reached “$step” and awaits your review.",
    ),
    MessageTemplate(
        "task_transferred",
        "转办通知",
        "Transferred to you",
        "$sender将《$title》（$code）“$step”环节的审核转交给您。",
        "$sender transferred the review of “$title” ($code) at “$step” to you.",
    ),
    MessageTemplate(
        "task_delegated",
        "委托办理",
        "Delegated to you",
        "$sender委托您对《$title》（$code）“$step”环节提出意见。",
        "$sender asks for your opinion on “$title” ($code) at “$step”.",
    ),
    MessageTemplate(
        "task_replied",
        "委托回复",
        "Delegated task answered",
        "$sender已回复您委托的《$title》（$code），意见：$opinion",
        "$sender answered your request on “$title” ($code): $opinion",
    ),
    MessageTemplate(
        "task_signer",
        "加签通知",
        "Added as a signer",
        "$sender请您会签《$title》（$code）“$step”环节。",
        "$sender added you as a signer of “$title” ($code) at “$step”.",
    ),
    MessageTemplate(
        "task_copied",
        "抄送",
        "Copied to you",
        "$sender将《$title》（$code）抄送给您。",
        "$sender sent you a copy of “$title” ($code).",
    ),
    MessageTemplate(
        "task_sent_back",
        "退回重审",
        "Sent back to you",
        "$sender将《$title》（$code）退回到“$step”环节，请重新审核。退回意见：$opinion",
        "$sender sent “$title” ($code) back to “$step” for you to review again. Opinion: $opinion",
    ),
    MessageTemplate(
        "task_taken_back",
        "待办收回",
        "Taken back",
        "$sender已收回《$title》（$code）“$step”环节的办理，您无需再处理。",
        "$sender took “$title” ($code) at “$step” back. You have nothing to do with it any more.",
    ),
    MessageTemplate(
        "task_reassigned",
        "待办改派",
        "Reassigned",
        "$sender已将您在《$title》（$code）“$step”环节的待办改派他人办理。",
        "$sender gave your task on “$title” ($code) at “$step” to somebody else.",
    ),
    MessageTemplate(
        "task_closed",
        "待办取消",
        "Task closed",
        "《$title》（$code）的审核已由$sender结束，“$step”环节的待办已取消。",
        "$sender ended the review of “$title” ($code); your task at “$step” is closed.",
    ),
    MessageTemplate(
        "agent_named",
        "委托代理",
        "Named as an agent",
        "$sender已指定您在$from至$to期间代$principal办理审核事项。",
        "$sender named you to act for $principal from $from to $to.",
    ),
    MessageTemplate(
        "agent_revoked",
        "代理撤销",
        "No longer an agent",
        "$sender已撤销您代$principal办理审核事项的委托（$from至$to）。",
        "$sender revoked your appointment to act for $principal ($from to $to).",
    ),
    MessageTemplate(
        "review_urged",
        "催办",
        "Urged",
        "$sender催办：《$title》（$code）在“$step”环节待您审核，请尽快办理。",
        "$sender asks you to hurry: “$title” ($code) awaits your review at “$step”.",
    ),
    MessageTemplate(
        "review_due_soon",
        "审核即将超期",
        "Review due soon",
        "《$title》（$code）须于$due前完成审核，还剩$days个工作日。",
        "“$title” ($code) is to be reviewed by $due; working days left: $days.",
    ),
    MessageTemplate(
        "review_overdue",
        "审核已超期",
        "Review overdue",
        "《$title》（$code）应于$due前完成审核，已超期，请尽快办理。",
        "“$title” ($code) was to be reviewed by $due and is overdue. Please deal with it.",
    ),
)

BY_CODE = {template.code: template for template in TEMPLATES}


def text_of(code: str, params: Mapping[str, str], language: str = "zh") -> str:
    """The words of a message. A template that a later release no longer has shows its code."""
    template = BY_CODE.get(code)
    return template.text(params, language) if template else code


def label_of(code: str, language: str = "zh") -> str:
    """The name of a message's kind."""
    template = BY_CODE.get(code)
    return template.label(language) if template else code


def sms_text(code: str, params: Mapping[str, str]) -> str:
    """The words of a text message: Chinese, one line, long parameters cut so that it stays affordable."""
    return text_of(code, {name: _cut(trim(words), _LONGEST_IN_SMS) for name, words in params.items()})


def checked_params(code: str, params: Mapping[str, str]) -> dict[str, str]:
    """The parameters as stored: complete for the template, each on one line and of bounded length.

    Raises ValueError for an unknown template or a missing parameter, which is the caller's mistake.
    """
    template = BY_CODE.get(code)
    if template is None:
        raise ValueError(f"unknown message template {code!r}")
    missing = template.placeholders - params.keys()
    if missing:
        raise ValueError(f"template {code!r} lacks {', '.join(sorted(missing))}")
    return {name: _cut(trim(params[name]), _LONGEST_ANYWHERE) for name in sorted(template.placeholders)}


def _cut(words: str, most: int) -> str:
    return words if len(words) <= most else f"{words[: most - 1]}…"
