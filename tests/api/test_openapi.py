"""The OpenAPI document: complete, whole, and for the logged-in alone."""

from __future__ import annotations

import re
from typing import Any

import jsonschema
import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests import samples
from tests.api.conftest import API, Rest
from tests.api.test_access import api_rules

METHODS = {"get", "put", "post", "delete", "patch"}


@pytest.fixture
def document(handler: Rest) -> dict[str, Any]:
    return handler.get("/_openapi").json


def operations(document: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (method, path, operation)
        for path, found in document["paths"].items()
        for method, operation in found.items()
    ]


def references(node: Any) -> list[str]:
    if isinstance(node, dict):
        own = [node["$ref"]] if isinstance(node.get("$ref"), str) else []
        return own + [found for value in node.values() for found in references(value)]
    return [found for value in node for found in references(value)] if isinstance(node, list) else []


def strict(schema: Any, document: dict[str, Any]) -> Any:
    """The schema as JSON Schema knows it: references put in, `nullable` spelled out, nothing unnamed."""
    if isinstance(schema, list):
        return [strict(each, document) for each in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return strict(document["components"]["schemas"][schema["$ref"].rpartition("/")[2]], document)
    found = {name: strict(value, document) for name, value in schema.items() if name != "nullable"}
    if found.get("type") == "object" and "properties" in found:
        found.setdefault("additionalProperties", False)
    return {"anyOf": [found, {"type": "null"}]} if schema.get("nullable") is True else found


def check_answer(body: Any, document: dict[str, Any], method: str, path: str, status: int) -> None:
    """The answer has the shape that the document promises, and no field beside."""
    found = document["paths"][f"{API}{path}"][method]["responses"][str(status)]
    jsonschema.validate(body, strict(found["content"]["application/json"]["schema"], document))


def test_it_is_for_the_logged_in(client: FlaskClient) -> None:
    assert client.get(f"{API}/_openapi").status_code == 401
    assert client.get("/swagger/v1").status_code == 404


def test_every_route_is_in_it_and_nothing_else(app: Flask, document: dict[str, Any]) -> None:
    routes = {(method.lower(), re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", path)) for method, path in api_rules(app)}
    assert {(method, path) for method, path, _ in operations(document)} == routes


def test_it_is_whole(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.0")
    assert document["info"]["title"] and document["info"]["version"] == "v1"
    assert document["components"]["securitySchemes"]["jwt"]["scheme"] == "bearer"
    for reference in references(document):
        node: Any = document
        for part in reference.removeprefix("#/").split("/"):
            assert part in node, reference
            node = node[part]
    names = []
    for method, path, operation in operations(document):
        where = f"{method} {path}"
        assert method in METHODS
        assert operation["responses"], where
        for status, answer in operation["responses"].items():
            assert re.fullmatch(r"[2-5][0-9]{2}", status), where
            assert "$ref" in answer or answer["description"], where
        assert any(status.startswith("2") for status in operation["responses"]), where
        if not path.startswith(f"{API}/security/login"):
            assert operation["security"] == [{"jwt": []}], where
            assert "401" in operation["responses"], where
        wanted = set(re.findall(r"{(\w+)}", path))
        given = {each["name"] for each in operation.get("parameters", []) if each["in"] == "path"}
        assert given == wanted, where
        assert len({(each["in"], each["name"]) for each in operation.get("parameters", [])}) == len(
            operation.get("parameters", [])
        ), where
        if method in ("post", "put") and not path.startswith(f"{API}/security/"):
            assert operation["requestBody"]["content"], where
            assert {"400", "404", "409", "413", "415"} <= set(operation["responses"]), where
        names.append(operation.get("operationId", where))
    assert len(set(names)) == len(names)
    for schema in document["components"]["schemas"].values():
        jsonschema.Draft7Validator.check_schema(strict(schema, document))


def test_bodies_are_closed(document: dict[str, Any]) -> None:
    for name in ("DeclarationInput", "DeclarationUpdate"):
        assert document["components"]["schemas"][name]["additionalProperties"] is False
    update = document["components"]["schemas"]["DeclarationUpdate"]
    assert update["required"] == ["version"]
    taken = strict(document["components"]["schemas"]["DeclarationInput"], document)
    body = samples.new_build(crypto_required=True, on_cloud=True, budget_year=samples.next_year())
    body["service_category"] = body.pop("service_categories")
    for row in body["later_years"]:
        row["year"] = int(row["year"])
    jsonschema.validate(body, taken)


def test_answers_are_as_it_says(handler: Rest, bureau: list[Rest], document: dict[str, Any]) -> None:
    record = handler.submitted(samples.new_build())
    project_id = record["project"]["id"]
    file_id = record["attachments"][0]["id"]
    (task,) = bureau[0].get("/task/").json["result"]
    unit_id = record["unit"]["id"]
    asked = [
        (handler, "/declaration/", ""),
        (handler, "/declaration/{pk}", record["id"]),
        (handler, "/project/", ""),
        (handler, "/project/{pk}", project_id),
        (handler, "/attachment/", ""),
        (handler, "/attachment/{pk}", file_id),
        (handler, "/unit/", ""),
        (handler, "/unit/{pk}", unit_id),
        (handler, "/dictionary/", ""),
        (handler, "/dictionary/{code}", "nature"),
        (bureau[0], "/task/", ""),
        (bureau[0], "/task/{pk}", task["id"]),
    ]
    for who, path, key in asked:
        answer = who.get(re.sub(r"{\w+}", str(key), path))
        assert answer.status_code == 200
        check_answer(answer.json, document, "get", path, 200)
    for box in ("started", "copied", "done"):
        check_answer(handler.get(f"/task/?box={box}").json, document, "get", "/task/", 200)
    done = bureau[0].post(f"/task/{task['id']}/approve", {"version": task["version"]})
    check_answer(done.json, document, "post", "/task/{pk}/{verb}", 200)
    error = document["components"]["schemas"]["Error"]
    for answer in (
        handler.get("/unit/0"),
        handler.get("/unit/?page=x"),
        handler.post("/declaration/", {"a": 1}),
    ):
        jsonschema.validate(answer.json, strict(error, document))
