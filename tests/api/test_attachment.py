"""Files through the API: taken in with their checks, handed out to be saved, taken away."""

from __future__ import annotations

import io
from typing import Any

import pytest

from tests import samples
from tests.api.conftest import Rest


@pytest.fixture
def draft(handler: Rest) -> dict[str, Any]:
    return handler.draft()


def test_a_file_comes_back_as_it_was_sent(handler: Rest, draft: dict[str, Any]) -> None:
    name = "会议纪要“第12期”.pdf"
    answer = handler.upload(draft["id"], "BASIS", name)
    assert answer.status_code == 201, answer.json
    row = answer.json["result"]
    assert (row["owner_kind"], row["owner_id"], row["category"]) == ("declaration", draft["id"], "BASIS")
    assert row["size"] == len(samples.pdf(name)) and len(row["sha256"]) == 64
    assert row["created_by"]["name"] == "陈晓琳"
    content = handler.get(f"/attachment/{row['id']}/content")
    assert content.data == samples.pdf(name)
    assert content.headers["Content-Disposition"].startswith("attachment;")
    assert "filename*=UTF-8''%E4%BC%9A" in content.headers["Content-Disposition"]
    assert content.headers["X-Content-Type-Options"] == "nosniff"
    assert content.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert handler.get(f"/attachment/{row['id']}").json["result"] == row
    listed = handler.get(f"/attachment/?owner_kind=declaration&owner_id={draft['id']}").json
    assert [each["id"] for each in listed["result"]] == [row["id"]]
    assert "storage_key" not in content.headers and "storage_key" not in row


def test_sent_twice_it_is_kept_once_and_taken_away_once(handler: Rest, draft: dict[str, Any]) -> None:
    first, second = (handler.upload(draft["id"]).json["id"] for _ in range(2))
    assert first == second
    assert handler.call("DELETE", f"/attachment/{first}").status_code == 200
    assert handler.call("DELETE", f"/attachment/{first}").status_code == 404
    assert handler.get(f"/attachment/{first}/content").status_code == 404


@pytest.mark.parametrize(
    ("name", "content", "status"),
    [
        ("图.png", b"%PDF-1.4 not a picture", 415),
        ("脚本.php", b"<?php echo 1;", 415),
        ("页面.html", b"<html></html>", 415),
        ("图.svg", b"<svg xmlns='http://www.w3.org/2000/svg'/>", 415),
        ("程序.pdf.exe", b"MZ", 415),
        ("空.pdf", b"", 415),
        ("无名", b"%PDF-1.4", 415),
    ],
)
def test_what_is_not_taken(
    handler: Rest, draft: dict[str, Any], name: str, content: bytes, status: int
) -> None:
    answer = handler.upload(draft["id"], "BASIS", name, content)
    assert answer.status_code == status, answer.json
    assert answer.json["message"]
    assert handler.get(f"/declaration/{draft['id']}").json["result"]["attachments"] == []


def test_a_file_over_the_limit_is_413(handler: Rest, draft: dict[str, Any]) -> None:
    answer = handler.upload(draft["id"], content=samples.pdf() + bytes(51 * 1024 * 1024))
    assert answer.status_code == 413
    assert answer.json["message"]


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        ({"owner_kind": ""}, "owner_kind"),
        ({"owner_id": ""}, "owner_id"),
        ({"owner_id": "x"}, "owner_id"),
        ({"owner_id": "9" * 30}, "owner_id"),
        ({"category": ""}, "category"),
        ({"category": "NOPE"}, "category"),
        ({"name": "../../x"}, "name"),
        ({"size": "1"}, "size"),
    ],
)
def test_fields_that_are_wrong(
    handler: Rest, draft: dict[str, Any], change: dict[str, str], wrong: str
) -> None:
    data = {"owner_kind": "declaration", "owner_id": str(draft["id"]), "category": "BASIS"}
    file = (io.BytesIO(samples.pdf()), "依据.pdf")
    answer = handler.post(
        "/attachment/", data={**data, **change, "file": file}, content_type="multipart/form-data"
    )
    assert (answer.status_code, list(answer.json["errors"])) == (400, [wrong])


def test_owners_that_are_none(handler: Rest, draft: dict[str, Any]) -> None:
    file = (io.BytesIO(samples.pdf()), "依据.pdf")
    for kind, owner in (("user", "1"), ("declaration", "999999"), ("../x", "1")):
        data = {"owner_kind": kind, "owner_id": owner, "category": "BASIS", "file": file}
        answer = handler.post("/attachment/", data=data, content_type="multipart/form-data")
        assert answer.status_code == 404
        file = (io.BytesIO(samples.pdf()), "依据.pdf")


def test_without_a_file_or_in_another_form(handler: Rest, draft: dict[str, Any]) -> None:
    data = {"owner_kind": "declaration", "owner_id": str(draft["id"]), "category": "BASIS"}
    missing = handler.post("/attachment/", data=data, content_type="multipart/form-data")
    assert (missing.status_code, list(missing.json["errors"])) == (400, ["file"])
    assert handler.post("/attachment/", data).status_code == 415


def test_a_reviewer_fetches_what_the_unit_cannot_take_away_now(
    handler: Rest, bureau: list[Rest], stranger: Rest
) -> None:
    record = handler.submitted()
    (row,) = record["attachments"]
    assert bureau[0].get(f"/attachment/{row['id']}/content").status_code == 200
    in_review = handler.call("DELETE", f"/attachment/{row['id']}")
    assert in_review.status_code == 409, "while it is reviewed the unit changes nothing"
    assert stranger.get(f"/attachment/{row['id']}/content").status_code == 404
