"""The English catalogue: every text is its own translation."""

from __future__ import annotations

from pathlib import Path

from babel.messages.pofile import read_po, write_po

PATH = Path("translations/en/LC_MESSAGES/messages.po")


def main() -> None:
    """Fill every empty entry of the English catalogue with its source text."""
    with PATH.open("rb") as file:
        catalogue = read_po(file, locale="en")
    for message in catalogue:
        if message.id:
            message.string = message.id
    with PATH.open("wb") as file:
        write_po(file, catalogue, width=0, omit_header=False, sort_output=True)


if __name__ == "__main__":
    main()
