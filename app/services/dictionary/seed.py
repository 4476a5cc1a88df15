"""Putting the declared dictionaries into the database; what an administrator changed is left alone."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models.dictionary import DictItem, DictType
from app.services.dictionary.declared import DICTIONARIES, Dictionary

_STEP = 10
"""Sort numbers leave room to move an entry between two others."""


def seed_dictionaries(session: Session) -> int:
    """Enter every declared dictionary and entry that is not there yet. Returns how many entries."""
    types = set(session.scalars(select(DictType.code)))
    present = {
        (row.type_code, row.code) for row in session.execute(select(DictItem.type_code, DictItem.code))
    }
    added = 0
    for dictionary in DICTIONARIES:
        if dictionary.code not in types:
            session.add(
                DictType(code=dictionary.code, label_zh=dictionary.label_zh, label_en=dictionary.label_en)
            )
            session.flush()
        missing = [row for row in _rows(dictionary) if (row.type_code, row.code) not in present]
        session.add_all(missing)
        added += len(missing)
    session.flush()
    return added


def _rows(dictionary: Dictionary) -> list[DictItem]:
    return [
        DictItem(
            type_code=dictionary.code,
            code=item.code,
            parent_code=item.parent,
            label_zh=item.label_zh,
            label_en=item.label_en,
            sort=position * _STEP,
            active=item.active,
            source=item.source or dictionary.source,
        )
        for position, item in enumerate(dictionary.items, start=1)
    ]
