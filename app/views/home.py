"""工作台: what waits for me today."""

from __future__ import annotations

from flask_appbuilder import BaseView, expose
from flask_login import login_required


class HomeView(BaseView):
    """The first page after logging in."""

    route_base = ""
    default_view = "index"

    @expose("/")
    @login_required
    def index(self) -> str:
        """The workbench."""
        return self.render_template("home.html")
