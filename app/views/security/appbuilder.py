"""Flask-AppBuilder with only those of its own pages that we want."""

from __future__ import annotations

from flask_appbuilder import AppBuilder


class OfficeAppBuilder(AppBuilder):
    """Leaves out `GET /lang/<code>`, which changes the session on a GET, `GET /back`, and the menu API,
    whose menu is not the one in the database."""

    def _add_admin_views(self) -> None:
        self._indexview = self.add_view_no_menu(self.indexview)
        self.sm.register_views()
        self.openapi_manager.register_views()
