"""What the clock did last: operators see by it that a worker lives."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Model, UTCDateTime


class ClockJob(Model):
    """The last run of one job, by whichever worker made it."""

    __tablename__ = "clock_job"

    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    started_at: Mapped[dt.datetime] = mapped_column(UTCDateTime)
    finished_at: Mapped[dt.datetime] = mapped_column(UTCDateTime)
    worker: Mapped[str] = mapped_column(String(80))
    outcome: Mapped[str] = mapped_column(String(200), default="")
    failed: Mapped[bool] = mapped_column(default=False)
