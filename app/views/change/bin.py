"""回收站: deleted change requests."""

from __future__ import annotations

from app.models.change import ChangeRequest
from app.services.change.draft import KIND
from app.views.base import ScopedInterface
from app.views.change.columns import BIN_COLUMNS, FIELDS
from app.views.document.bin import BinView, bin_actions, bulk_bin_actions


class ChangeBinView(BinView):
    """Deleted drafts of change requests."""

    kind = KIND
    datamodel = ScopedInterface(ChangeRequest)
    noun = "change"
    route_base = "/change/bin"
    columns = BIN_COLUMNS
    fields = FIELDS
    joins = (ChangeRequest.project, ChangeRequest.unit)
    show_endpoint = "ChangeView.show"
    row_actions = bin_actions("ChangeBinView")
    bulk_actions = bulk_bin_actions("ChangeBinView")
