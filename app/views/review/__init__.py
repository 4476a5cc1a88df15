"""The pages of reviewers: what waits for them, one task with its panel, what they did, their sentences."""

from app.views.review.administer import OpenTaskView
from app.views.review.centre import TaskCopiedView, TaskDoneView, TaskStartedView, TaskTodoView
from app.views.review.declaration import ReviewedView, ReviewTaskView
from app.views.review.edit import ReviewEditView
from app.views.review.opinions import SavedOpinionView, SharedOpinionView
from app.views.review.page import ReviewView

__all__ = [
    "OpenTaskView",
    "ReviewEditView",
    "ReviewTaskView",
    "ReviewView",
    "ReviewedView",
    "SavedOpinionView",
    "SharedOpinionView",
    "TaskCopiedView",
    "TaskDoneView",
    "TaskStartedView",
    "TaskTodoView",
]
