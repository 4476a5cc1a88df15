"""What runs by the clock or after a commit. `install(app)` makes an application's clock."""

from app.tasks.runtime import Clock, install

__all__ = ["Clock", "install"]
