"""系统设置 → 审核流程."""

from app.views.flow.view import FlowView

__all__ = ["FlowView"]
