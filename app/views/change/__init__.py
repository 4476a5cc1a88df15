"""The pages of change requests: choosing a project, the form, the lists, one request to be read, review."""

from app.views.change.bin import ChangeBinView
from app.views.change.declared import ChangeView
from app.views.change.drafts import ChangeDraftView
from app.views.change.review import ChangeEditView, ChangeReviewedView, ChangeTaskView

__all__ = [
    "ChangeBinView",
    "ChangeDraftView",
    "ChangeEditView",
    "ChangeReviewedView",
    "ChangeTaskView",
    "ChangeView",
]
