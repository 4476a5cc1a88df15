"""回收站: deleted declarations."""

from __future__ import annotations

from app.models.declaration import Declaration
from app.services.declaration.draft import KIND
from app.views.base import ScopedInterface
from app.views.declaration.columns import BIN_COLUMNS, FIELDS
from app.views.document.bin import BinView, bin_actions, bulk_bin_actions


class DeclarationBinView(BinView):
    """Deleted drafts of declarations."""

    kind = KIND
    datamodel = ScopedInterface(Declaration)
    noun = "declaration"
    route_base = "/declaration/bin"
    columns = BIN_COLUMNS
    fields = FIELDS
    joins = (Declaration.unit,)
    show_endpoint = "DeclarationView.show"
    row_actions = bin_actions("DeclarationBinView")
    bulk_actions = bulk_bin_actions("DeclarationBinView")
