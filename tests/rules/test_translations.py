"""Both catalogues are complete: every text people read is there, translated, with its placeholders."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po

ROOT = Path(__file__).resolve().parents[2]
_PLACE = re.compile(r"%\((\w+)\)[sd]")


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """Every text in source and templates, collected afresh."""
    pot = tmp_path_factory.mktemp("texts") / "messages.pot"
    command = [
        "-m",
        "babel.messages.frontend",
        "-q",
        "extract",
        "-F",
        "translations/babel.cfg",
        "-o",
        str(pot),
        "app",
    ]
    subprocess.run([sys.executable, *command], cwd=ROOT, check=True, env={"PYTHONPATH": str(ROOT)})
    with pot.open("rb") as file:
        return {str(message.id) for message in read_po(file) if message.id}


def catalogue(language: str) -> Catalog:
    path = ROOT / "translations" / language / "LC_MESSAGES" / "messages.po"
    with path.open("rb") as file:
        return read_po(file, locale=language)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_text_is_translated(source: set[str], language: str) -> None:
    entries = {str(message.id): message for message in catalogue(language) if message.id}
    untranslated = sorted(text for text in source if text not in entries or not entries[text].string)
    fuzzy = sorted(text for text, message in entries.items() if message.fuzzy)
    assert untranslated == []
    assert fuzzy == []


@pytest.mark.parametrize("language", ["zh", "en"])
def test_placeholders_survive_translation(language: str) -> None:
    for message in catalogue(language):
        if message.id:
            assert set(_PLACE.findall(str(message.string))) == set(_PLACE.findall(str(message.id))), (
                message.id
            )


def test_chinese_is_chinese() -> None:
    """A translation without a Chinese character is a forgotten one, but for signs and product names."""
    kept = {
        str(message.id)
        for message in catalogue("zh")
        if message.id and re.search(r"[A-Za-z]{4,}", _PLACE.sub("", str(message.id)))
        if not re.search(r"[一-鿿]", str(message.string))
    }
    assert kept == set()
