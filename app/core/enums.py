"""States and kinds shared by every room. Values are what the database stores; labels are msgids."""

from __future__ import annotations

from enum import StrEnum


class Labelled(StrEnum):
    """A stored code with a label (an English msgid) and a badge colour of the skin."""

    label: str
    colour: str

    def __new__(cls, value: str, label: str = "", colour: str = "secondary") -> Labelled:
        member = str.__new__(cls, value)
        member._value_ = value
        member.label = label
        member.colour = colour
        return member


class DocumentStatus(Labelled):
    """The generic states of a document (domain.md section 3)."""

    DRAFT = "DRAFT", "Draft"
    IN_REVIEW = "IN_REVIEW", "In review", "orange"
    RETURNED = "RETURNED", "Returned for revision", "yellow"
    APPROVED = "APPROVED", "Reviewed", "green"
    REJECTED = "REJECTED", "Rejected", "red"
    RECYCLED = "RECYCLED", "In the recycle bin"
    TERMINATED = "TERMINATED", "Terminated", "red"


class Stage(Labelled):
    """Where a project is in its life (domain.md section 4)."""

    DECLARED = "DECLARED", "Declared", "orange"
    PLANNED = "PLANNED", "In the plan", "azure"
    SCHEME = "SCHEME", "Scheme in review", "orange"
    APPROVED = "APPROVED", "Awaiting procurement", "blue"
    PROCURED = "PROCURED", "Awaiting contract", "cyan"
    CONTRACTED = "CONTRACTED", "Under construction", "green"
    TRIAL = "TRIAL", "Trial run", "teal"
    AWAITING = "AWAITING", "Awaiting acceptance", "purple"
    ACCEPTED = "ACCEPTED", "Accepted", "lime"
    OPERATION = "OPERATION", "In operation", "lime"
    CLOSED = "CLOSED", "Closed"
    TERMINATED = "TERMINATED", "Terminated", "red"
    REJECTED = "REJECTED", "Not approved", "red"


class ConstructionStatus(Labelled):
    """建设状态: what lists filter on (domain.md section 4, third column)."""

    DECLARING = "DECLARING", "Declaring", "orange"
    PLANNED = "PLANNED", "In the plan (scheme to be prepared)", "azure"
    SCHEME_REVIEW = "SCHEME_REVIEW", "Scheme in review", "orange"
    TO_PROCURE = "TO_PROCURE", "Awaiting procurement", "blue"
    TO_CONTRACT = "TO_CONTRACT", "Awaiting contract", "cyan"
    BUILDING = "BUILDING", "Under construction", "green"
    DELAYED = "DELAYED", "Under construction (delayed)", "red"
    TRIAL_RUN = "TRIAL_RUN", "Trial run", "teal"
    TO_ACCEPT = "TO_ACCEPT", "Awaiting acceptance", "purple"
    ACCEPTED = "ACCEPTED", "Accepted", "lime"
    OPERATING = "OPERATING", "In operation", "lime"
    CLOSED = "CLOSED", "Closed"
    TERMINATED = "TERMINATED", "Terminated", "red"
    NOT_APPROVED = "NOT_APPROVED", "Not approved", "red"


class UnitKind(Labelled):
    """单位类别 (domain.md 6.19); firms are units so that their users have a scope."""

    PARTY = "PARTY", "Party department"
    GOVERNMENT = "GOVERNMENT", "Government department"
    DATA_BUREAU = "DATA_BUREAU", "Data bureau"
    FINANCE = "FINANCE", "Finance bureau"
    INSTITUTION = "INSTITUTION", "Public institution"
    TOWNSHIP = "TOWNSHIP", "Township / subdistrict"
    STATE_FIRM = "STATE_FIRM", "Municipal state-owned enterprise"
    REVIEW_FIRM = "REVIEW_FIRM", "Review company"
    COST_FIRM = "COST_FIRM", "Cost firm"
    SUPERIOR = "SUPERIOR", "Superior authority"


class DataScope(Labelled):
    """数据范围: the six scopes a role may carry (architecture.md section 4)."""

    ALL = "ALL", "All data"
    CHOSEN_UNITS = "CHOSEN_UNITS", "Chosen units"
    UNIT_TREE = "UNIT_TREE", "Own unit and below"
    UNIT = "UNIT", "Own unit"
    OWN = "OWN", "Own rows"
    ASSIGNED = "ASSIGNED", "Assigned to me or my firm"


class Light(Labelled):
    """灯色 (domain.md 6.21)."""

    GREEN = "GREEN", "Normal", "green"
    AMBER = "AMBER", "Due soon", "yellow"
    RED = "RED", "Overdue", "red"
    GREY = "GREY", "Not applicable or done"


class LogLevel(Labelled):
    """日志类型 (requirements.txt, 日志管理: 信息、警告和错误)."""

    INFO = "INFO", "Information", "blue"
    WARNING = "WARNING", "Warning", "yellow"
    ERROR = "ERROR", "Error", "red"


class RuleLevel(Labelled):
    """What a policy rule does when it applies to a document that is submitted."""

    BLOCKS = "BLOCKS", "Refuses the submission", "red"
    WARNS = "WARNS", "Warns", "yellow"
