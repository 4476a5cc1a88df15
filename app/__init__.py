"""政务信息化项目管理系统."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask

    from config import Settings

_YOUNGEST = 20_000
"""Objects made before the collector looks at them: a page makes thousands and leaves no cycles."""


def create_app(settings: Settings | None = None) -> Flask:
    """Build the application for one set of settings; by default those of the environment.

    What is imported and built here stays until the end. A collector that looks through it again and again
    takes a third of the time to start and a fifth of each request, so it waits, and then sets all of it aside
    (before servers fork: the processes go on sharing that memory).
    """
    gc.disable()
    try:
        from app.factory import build
        from config import Settings

        return build(settings or Settings.from_environment())
    finally:
        gc.freeze()
        gc.set_threshold(_YOUNGEST, 20, 20)
        gc.enable()
