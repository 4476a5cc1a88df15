"""Pieces of a compared text always make up both texts, and show only what changed."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.textdiff import Piece, segments


def _shown(old: str, new: str) -> str:
    marks = {Piece.SAME: "{}", Piece.REMOVED: "[-{}-]", Piece.ADDED: "[+{}+]"}
    return "".join(marks[each.piece].format(each.text) for each in segments(old, new))


@pytest.mark.parametrize(
    ("old", "new", "shown"),
    [
        ("", "", ""),
        ("", "新写的", "[+新写的+]"),
        ("建设四个子系统。", "建设四个子系统。", "建设四个子系统。"),
        ("接入视频三百路，年内完成。", "接入视频五百路，年内完成。", "接入视频[-三-][+五+]百路，年内完成。"),
        ("单价24000元", "单价25000元", "单价[-24000-][+25000+]元"),
        ("第一句。第二句。第三句。", "第一句。第三句。", "第一句。[-第二句。-]第三句。"),
        ("use cloud hosting", "use local hosting", "use [-cloud-][+local+] hosting"),
    ],
)
def test_only_what_changed_is_marked(old: str, new: str, shown: str) -> None:
    assert _shown(old, new) == shown


@given(st.text("甲乙丙a1。\n ", max_size=40), st.text("甲乙丙a1。\n ", max_size=40))
def test_the_pieces_make_up_both_texts(old: str, new: str) -> None:
    found = segments(old, new)
    assert "".join(each.text for each in found if each.piece is not Piece.ADDED) == old
    assert "".join(each.text for each in found if each.piece is not Piece.REMOVED) == new


def test_two_long_texts_without_a_full_stop_are_compared_at_once() -> None:
    began = time.perf_counter()
    segments("甲乙丙丁" * 5_000, "丁丙乙甲" * 5_000)
    assert time.perf_counter() - began < 1
