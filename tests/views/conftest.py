"""The bureau that several pages of tests work in, opened once for each of them."""

from __future__ import annotations

from dataclasses import replace

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from tests.conftest import Standing
from tests.views.bureau import Bureau, opened


@pytest.fixture(scope="module")
def open_bureau(app: Flask, standing: Standing) -> Bureau:
    """As every test of the page finds it."""
    with standing():
        return opened(app)


@pytest.fixture
def bureau(open_bureau: Bureau, session: Session) -> Bureau:
    """A test's own: whoever joins it leaves with the test."""
    return replace(open_bureau)
