"""数据导入: template, upload, what each row would do, confirm; and the record of every import."""

from app.views.importing.pages import ImportView
from app.views.importing.records import ImportRunView

__all__ = ["ImportRunView", "ImportView"]
