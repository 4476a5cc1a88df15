"""The house rules of the screen, checked without the application: templates, scripts and style sheets."""

from __future__ import annotations

import json
import re
from pathlib import Path

import flask_appbuilder
import pytest
from jinja2 import Environment

from tests.views.skin import ROOT, TEMPLATES, Texts, environment, source

STATIC = ROOT / "app" / "static"
FAB_TEMPLATES = Path(flask_appbuilder.__file__).parent / "templates"

ALL_TEMPLATES = sorted(str(path.relative_to(TEMPLATES)) for path in TEMPLATES.rglob("*.html"))
SKIN_TEMPLATES = [
    name
    for name in ALL_TEMPLATES
    if name == "ui.html" or name.split("/")[0] in {"shell", "list", "errors", "appbuilder"}
]
OWN_ASSETS = sorted(
    str(path.relative_to(STATIC))
    for path in STATIC.rglob("*")
    if path.suffix in {".js", ".css", ".svg"} and "vendor" not in path.parts
)


@pytest.fixture
def env() -> Environment:
    return environment(Texts())


@pytest.mark.parametrize("name", SKIN_TEMPLATES)
def test_every_template_of_the_skin_compiles(env: Environment, name: str) -> None:
    env.get_template(name)


FOREIGN = re.compile(r"""(?:https?:)?//(?!www\.w3\.org/)[a-z0-9-]+\.[a-z]""", re.IGNORECASE)


@pytest.mark.parametrize("name", ALL_TEMPLATES + [f"static:{asset}" for asset in OWN_ASSETS])
def test_nothing_points_to_another_host(name: str) -> None:
    """Government networks have no Internet: a page that waits for another host never finishes."""
    text = (STATIC / name[7:]).read_text(encoding="utf-8") if name.startswith("static:") else source(name)
    assert not FOREIGN.findall(text)


@pytest.mark.parametrize("name", ALL_TEMPLATES)
def test_scripts_carry_the_nonce_and_handlers_stay_out_of_the_markup(name: str) -> None:
    text = source(name)
    for tag in re.findall(r"<script\b[^>]*>", text):
        assert "nonce=" in tag, tag
    # every script is a file or data: there is no inline code even with a nonce
    for tag in re.findall(r"<script\b[^>]*>(?!\s*</script>)", text):
        assert "src=" in tag or 'type="application/json"' in tag, tag
    assert not re.findall(r"""<[a-z][^>]*\son[a-z]+\s*=\s*["']""", text, flags=re.IGNORECASE)
    assert "javascript:" not in text


@pytest.mark.parametrize("name", ALL_TEMPLATES)
def test_every_posting_form_sends_the_csrf_token(name: str) -> None:
    for form in re.findall(
        r"<form\b[^>]*method=\"post\".*?</form>", source(name), flags=re.DOTALL | re.IGNORECASE
    ):
        assert re.search(r"csrf_token|csrf\(\)|hidden_tag", form), form[:120]


@pytest.mark.parametrize("name", ALL_TEMPLATES)
def test_no_page_loads_the_scripts_and_styles_of_flask_appbuilder(name: str) -> None:
    assert "appbuilder.static" not in source(name)


def test_each_template_of_fab_that_needs_its_scripts_is_replaced() -> None:
    """Swagger is left to FAB (off by default); baselib and the like are replaced too."""
    needs = re.compile(
        r"appbuilder\.static|\$\(|data-toggle=|<script|class=\"[^\"]*\b(?:panel|well|glyphicon)\b"
    )
    left = [
        str(path.relative_to(FAB_TEMPLATES))
        for path in FAB_TEMPLATES.rglob("*.html")
        if needs.search(path.read_text(encoding="utf-8"))
        and not (TEMPLATES / path.relative_to(FAB_TEMPLATES)).exists()
    ]
    assert left == ["appbuilder/swagger/swagger.html"]


def test_our_macros_for_fab_keep_its_names_and_arguments(env: Environment) -> None:
    """A view's own template, written for FAB, may call any of them."""
    signature = re.compile(r"{%-? macro (\w+)\((.*?)\)")
    lib = "appbuilder/general/lib.html"
    fab = dict(signature.findall((FAB_TEMPLATES / lib).read_text(encoding="utf-8")))
    ours = env.get_template(lib).module
    for name, arguments in fab.items():
        wanted = tuple(
            argument.split("=")[0].strip() for argument in arguments.split(",") if argument.strip()
        )
        assert getattr(ours, name).arguments == wanted, name


def test_pages_ask_only_for_vendor_files_the_build_makes() -> None:
    build = (ROOT / "frontend" / "build.mjs").read_text(encoding="utf-8")
    asked = {
        path for name in ALL_TEMPLATES for path in re.findall(r"filename='vendor/([^']+)'", source(name))
    }
    assert asked
    assert {path for path in asked if path.rsplit("/", 1)[-1] not in build} == set()


def test_the_lock_file_names_no_registry() -> None:
    lock = json.loads((ROOT / "frontend" / "package-lock.json").read_text(encoding="utf-8"))
    assert not [name for name, package in lock["packages"].items() if "resolved" in package]
    manifest = json.loads((ROOT / "frontend" / "package.json").read_text(encoding="utf-8"))
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in manifest["dependencies"].values())
