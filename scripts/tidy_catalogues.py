"""Put both catalogues in order: plain headers, no fuzzy marks; English texts translate themselves."""

from __future__ import annotations

from pathlib import Path

from babel.messages.pofile import read_po, write_po

CATALOGUES = Path("translations")


def main() -> None:
    """Rewrite translations/zh and translations/en."""
    for language in ("zh", "en"):
        path = CATALOGUES / language / "LC_MESSAGES" / "messages.po"
        with path.open("rb") as file:
            catalogue = read_po(file, locale=language)
        catalogue.fuzzy = False
        catalogue.project, catalogue.version = "govproject", "0.1.0"
        catalogue.msgid_bugs_address = catalogue.last_translator = catalogue.language_team = ""
        catalogue.header_comment = "# Texts of the product; collected by `make messages`."
        for message in catalogue:
            message.flags.discard("fuzzy")
            if message.id and language == "en":
                message.string = message.id
        with path.open("wb") as file:
            write_po(file, catalogue, width=0, sort_output=True)


if __name__ == "__main__":
    main()
