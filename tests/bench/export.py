"""The Excel export of all rows: rows per second, and peak memory at a tenth and at all of them."""

from __future__ import annotations

import json
import os
import resource
import time
from typing import Any

from flask.testing import FlaskClient

from app import create_app
from tests.bench.measure import token


def main() -> None:
    """Export one year, then everything; the peak may not grow with the rows."""
    app = create_app()
    client = app.test_client()
    form = {"username": "reviewer", "password": os.environ["DEMO_PASSWORD"]}
    form["csrf_token"] = token(client.get("/login/").text)
    client.post("/login/", data=form)
    with app.test_request_context():
        address = app.url_for("ProjectView.export")
    result: dict[str, Any] = {}
    for label, query in (("one year", "?year=2025"), ("all", "")):
        rows, seconds = _export(client, address + query)
        result[f"{label} ({rows:,})"] = {
            "rows_per_second": int(rows / seconds),
            "seconds": round(seconds, 2),
            "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        }
    print(json.dumps(result))


def _export(client: FlaskClient, address: str) -> tuple[int, float]:
    started = time.perf_counter()
    with client.get(address, buffered=False) as response:
        for _ in response.response:
            pass
        rows = int(response.headers["X-Rows"])
    return rows, time.perf_counter() - started


if __name__ == "__main__":
    main()
