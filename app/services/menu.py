"""The side menu: seeded in the requirements' groups and names, kept in the database, shown by permission."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models.dictionary import MenuItem


@dataclass(frozen=True)
class Entry:
    """An entry as seeded. `endpoint` names its page, `permission` is "noun.verb", `badge` names a count."""

    key: str
    label_zh: str
    label_en: str
    endpoint: str | None = None
    permission: str | None = None
    icon: str = ""
    badge: str | None = None
    children: tuple[Entry, ...] = ()


DEFAULT_MENU: tuple[Entry, ...] = (
    Entry("home", "工作台", "Workbench", "HomeView.index", None, "ti-home"),
    Entry(
        "centre",
        "任务中心",
        "Task centre",
        icon="ti-inbox",
        children=(
            Entry("centre.todo", "待办", "To do", "TaskTodoView.list", "task.act", badge="todo"),
            Entry("centre.done", "已办", "Done", "TaskDoneView.list", "task.read"),
            Entry("centre.started", "我发起的", "Started by me", "TaskStartedView.list", "task.read"),
            Entry(
                "centre.copied",
                "抄送我的",
                "Copied to me",
                "TaskCopiedView.list",
                "task.read",
                badge="copied",
            ),
        ),
    ),
    Entry(
        "project",
        "项目管理",
        "Projects",
        icon="ti-folders",
        children=(
            Entry("project.overview", "项目总览", "Project overview", "ProjectView.list", "project.read"),
            Entry(
                "declaration.create",
                "项目申报",
                "Declare a project",
                "DeclarationDraftView.create",
                "declaration.create",
            ),
            Entry(
                "declaration.drafts",
                "待申报项目",
                "Drafts",
                "DeclarationDraftView.list",
                "declaration.edit",
                badge="drafts.declaration",
            ),
            Entry(
                "declaration.declared",
                "已申报项目",
                "Declared projects",
                "DeclarationView.list",
                "declaration.edit",
            ),
            Entry(
                "change.list",
                "项目变更申请",
                "Change requests",
                "ChangeDraftView.list",
                "change.edit",
                badge="drafts.change",
            ),
            Entry("declaration.bin", "回收站", "Recycle bin", "DeclarationBinView.list", "declaration.edit"),
            Entry(
                "adjustment.list", "项目调整", "Fund adjustments", "AdjustmentView.list", "adjustment.read"
            ),
        ),
    ),
    Entry(
        "review",
        "项目申报审核",
        "Declaration review",
        icon="ti-checklist",
        children=(
            Entry(
                "review.todo",
                "申报项目审核",
                "Review tasks",
                "ReviewTaskView.list",
                "task.act",
                badge="todo.declaration",
            ),
            Entry("review.done", "已审核申报项目", "Reviewed declarations", "ReviewedView.list", "task.act"),
            Entry(
                "change.review",
                "项目变更申请审核",
                "Change reviews",
                "ChangeTaskView.list",
                "task.act",
                badge="todo.change",
            ),
            Entry(
                "change.reviewed",
                "项目变更申报已审核",
                "Reviewed changes",
                "ChangeReviewedView.list",
                "task.act",
            ),
            Entry(
                "adjustment.todo",
                "项目调整审核",
                "Review of adjustments",
                "AdjustmentTaskView.list",
                "adjustment.read",
                badge="todo.adjustment",
            ),
            Entry(
                "adjustment.done",
                "项目调整已审核",
                "Reviewed adjustments",
                "AdjustmentReviewedView.list",
                "adjustment.read",
            ),
            Entry(
                "review.summary",
                "项目申报汇总",
                "Declaration summary",
                "DeclarationSummaryView.list",
                "annual_plan.read",
            ),
            Entry(
                "review.plan", "年度需求计划", "Annual demand plan", "AnnualPlanView.list", "annual_plan.read"
            ),
        ),
    ),
    Entry(
        "alert",
        "监控预警",
        "Alerts",
        icon="ti-traffic-lights",
        badge="red",
        children=(
            Entry("alert.review", "审核时限预警", "Review deadline alerts", "AlertView.list", "alert.read"),
        ),
    ),
    Entry(
        "statistics",
        "统计分析",
        "Statistics",
        icon="ti-chart-histogram",
        children=(
            Entry("statistics.board", "统计看板", "Dashboard", "DashboardView.index", "statistics.read"),
        ),
    ),
    Entry(
        "system",
        "系统设置",
        "System settings",
        icon="ti-adjustments",
        children=(
            Entry("system.user", "用户管理", "Users", "UserView.list", "user.read"),
            Entry("system.log", "日志管理", "Logs", "SystemLogView.list", "log.read"),
            Entry("system.unit", "机构管理", "Organisations", "UnitView.list", "unit.manage"),
            Entry(
                "system.dictionary",
                "数据字典管理",
                "Dictionaries",
                "DictionaryView.list",
                "dictionary.manage",
            ),
            Entry("system.parameter", "规则参数", "Rule parameters", "ParameterView.list", "parameter.read"),
            Entry(
                "system.policy_rule",
                "政策规则",
                "Policy rules",
                "PolicyRuleView.list",
                "policy_rule.manage",
            ),
            Entry(
                "system.calendar",
                "工作日历",
                "Work calendar",
                "WorkCalendarView.list",
                "work_calendar.manage",
            ),
            Entry("system.flow", "审核流程", "Review flows", "FlowView.list", "flow.read"),
            Entry(
                "system.opinions",
                "公共审批意见",
                "Shared opinions",
                "SharedOpinionView.list",
                "dictionary.manage",
            ),
            Entry("system.tasks", "在办任务", "Open tasks", "OpenTaskView.list", "task.reassign"),
            Entry("system.agents", "代理人管理", "Agents of others", "AgentView.others", "task.reassign"),
            Entry("system.import", "数据导入", "Data import", "ImportView.index", "import.read"),
            Entry("system.sms", "短信记录", "SMS records", "SmsView.list", "sms.read"),
        ),
    ),
    Entry(
        "me",
        "我的面板",
        "My panel",
        icon="ti-user-circle",
        children=(
            Entry("me.profile", "个人信息", "Profile", "ProfileView.index"),
            Entry("me.password", "修改密码", "Change password", "PasswordView.index"),
            Entry("me.agents", "委托代理", "Agents", "AgentView.list", "task.act"),
            Entry("me.opinions", "常用审批意见", "Saved opinions", "SavedOpinionView.list", "task.act"),
            Entry("me.messages", "我的消息", "My messages", "MessageView.list"),
        ),
    ),
)


def seed_menu(session: Session) -> None:
    """Add entries that are missing, and have each show its own count; what an administrator renamed, moved
    or hid stays as he left it."""
    known = {item.key: item for item in session.scalars(select(MenuItem))}
    _add(session, DEFAULT_MENU, None, known)


def _add(
    session: Session, entries: Sequence[Entry], parent: MenuItem | None, known: dict[str, MenuItem]
) -> None:
    for place, entry in enumerate(entries, start=1):
        item = known.get(entry.key)
        if item is None:
            item = MenuItem(
                key=entry.key,
                parent_id=parent.id if parent else None,
                label_zh=entry.label_zh,
                label_en=entry.label_en,
                icon=entry.icon,
                endpoint=entry.endpoint,
                permission=entry.permission,
                sort=place * 10,
            )
            session.add(item)
            session.flush()
        item.badge = entry.badge
        _add(session, entry.children, item, known)


def visible_items(session: Session) -> Sequence[MenuItem]:
    """Every entry that is not hidden, in order, detached from the session so that it can be kept."""
    items = session.scalars(
        select(MenuItem).where(MenuItem.visible).order_by(MenuItem.parent_id, MenuItem.sort, MenuItem.id)
    ).all()
    for item in items:
        session.expunge(item)
    return items
