"""Deleted drafts of adjustments."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext

from app.models.adjustment import FundAdjustment
from app.services.adjustment import KIND
from app.views.adjustment.columns import BIN_COLUMNS, FIELDS, tabs
from app.views.base import OfficeView, ScopedInterface
from app.views.base.listing import Listing
from app.views.document.bin import BinView, bin_actions, bulk_bin_actions
from app.views.shell import menu_endpoint


class AdjustmentBinView(BinView):
    """The recycle bin of adjustments."""

    kind = KIND
    datamodel = ScopedInterface(FundAdjustment)
    noun = "adjustment"
    title = lazy_gettext("Deleted adjustments")
    route_base = "/adjustment/bin"
    list_template = "document/tabs.html"
    columns = BIN_COLUMNS
    fields = FIELDS
    joins = (FundAdjustment.unit,)
    show_endpoint = "AdjustmentView.show"
    row_actions = bin_actions("AdjustmentBinView")
    bulk_actions = bulk_bin_actions("AdjustmentBinView")

    def render_template(self, template: str, **kwargs: Any) -> str:
        # Beside it stand the lists of adjustments, for their drafters have no other bin.
        return OfficeView.render_template(self, template, tabs=tabs(), **kwargs)

    def listing(self) -> Listing:
        menu_endpoint("AdjustmentView.list")
        return super().listing()
