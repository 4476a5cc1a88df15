"""Finds every text a person reads in our Python: gettext calls, error messages and the labels of enums."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import IO, Any

_CALLS = frozenset({"gettext", "lazy_gettext", "_", "N_", "of", "Problem", "__init__"})
_ERRORS = frozenset(
    {
        "DomainError",
        "InvalidInput",
        "NotAllowed",
        "NotFound",
        "Conflict",
        "TooLarge",
        "TooMany",
        "UnsupportedFile",
        "StaleVersion",
        "Unreadable",
    }
)
_NAMERS = frozenset(
    {
        "Field",
        "Column",
        "Table",
        "Part",
        "Rows",
        "column",
        "ConditionField",
        "translate",
        "wrong",
        "missing",
        "_refuse",
        "refuse",
        "_wrong",
        "_unknown",
        "_warning",
        "_error",
        "_no_flow",
        "_refused",
        "say",
    }
)
"""Calls that carry a name or path and beside it a text: a field's label, a rule's sentence."""
_LABELLED = frozenset({"Labelled"})
Found = tuple[int, str, str, list[str]]


def extract(file: IO[bytes], keywords: Any, tags: Any, options: Any) -> Iterator[Found]:
    """Babel's extractor interface: line, function, message, comments."""
    for node in ast.walk(ast.parse(file.read())):
        for text in _texts(node):
            yield getattr(node, "lineno", 0), "gettext", text, []


def _texts(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Call():
            yield from _of_call(node)
        case ast.ClassDef() if any(_name(base) in _LABELLED for base in node.bases):
            yield from _of_members(node)
        case ast.ClassDef() if any(_name(base) == "Importable" for base in node.bases):
            yield from _of_label(node)
        case ast.FunctionDef():
            yield from _of_defaults(node)


def _of_call(node: ast.Call) -> Iterator[str]:
    name = _name(node.func)
    if name in _CALLS or name in _ERRORS or name in _NAMERS:
        yield from (
            text for argument in node.args[:2] if (text := _string(argument)) and _readable(text, name)
        )
    yield from (
        text
        for keyword in node.keywords
        if keyword.arg in ("message", "hint") and (text := _string(keyword.value))
    )


def _of_members(node: ast.ClassDef) -> Iterator[str]:
    for statement in node.body:
        if isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Tuple):
            texts = [_string(element) for element in statement.value.elts]
            if len(texts) > 1 and texts[1]:
                yield texts[1]


def _of_label(node: ast.ClassDef) -> Iterator[str]:
    for statement in node.body:
        if isinstance(statement, ast.Assign) and [_name(target) for target in statement.targets] == ["label"]:
            yield _string(statement.value)


def _of_defaults(node: ast.FunctionDef) -> Iterator[str]:
    arguments = [*node.args.posonlyargs, *node.args.args]
    given = arguments[len(arguments) - len(node.args.defaults) :]
    for argument, default in zip(given, node.args.defaults, strict=True):
        if argument.arg == "message" and (text := _string(default)):
            yield text


def _name(node: ast.AST) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _string(node: ast.AST) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def _readable(text: str, name: str) -> bool:
    """`__init__` and `Problem` also take codes; a text for people begins with a capital or has words."""
    return name in ("gettext", "lazy_gettext", "_", "N_") or (
        text[:1].isupper() or " " in text or "%(" in text
    )
