"""任务中心: 待办, 已办, 我发起的 and 抄送我的 over all document kinds."""

from app.views.review.centre.boxes import TaskCopiedView, TaskDoneView, TaskStartedView, TaskTodoView
from app.views.review.centre.columns import KindColumn

__all__ = ["KindColumn", "TaskCopiedView", "TaskDoneView", "TaskStartedView", "TaskTodoView"]
