"""Styles and scripts are fetched once, and an upgraded one at once."""

from __future__ import annotations

import re
from pathlib import Path

from flask import Flask
from flask.testing import FlaskClient


def stamped(client: FlaskClient) -> list[str]:
    """The addresses of what the log-in page needs."""
    return re.findall(r'(?:href|src)="(/static/[^"]+)"', client.get("/login/").text)


def test_what_a_page_asks_for_is_kept_for_a_year(client: FlaskClient) -> None:
    addresses = stamped(client)
    assert len(addresses) > 5
    for address in addresses:
        answer = client.get(address)
        assert (answer.status_code, "immutable" in answer.headers["Cache-Control"]) == (200, True), address
        answer.close()


def test_an_address_carries_the_time_of_its_file(client: FlaskClient, app: Flask) -> None:
    (address,) = (each for each in stamped(client) if "/css/app.css" in each)
    written = (Path(app.root_path) / "static" / "css" / "app.css").stat().st_mtime_ns
    assert address == f"/static/css/app.css?v={written:x}"


def test_what_a_script_asks_for_by_itself_is_asked_for_again(client: FlaskClient) -> None:
    answer = client.get("/static/js/declaration/rows.js")
    assert answer.headers["Cache-Control"] == "no-cache"
    answer.close()
