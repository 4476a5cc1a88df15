"""The sentences a form's scripts say, in the reader's language."""

from __future__ import annotations

from flask_babel import lazy_gettext

_SENTENCES = {
    "saving": lazy_gettext("Saving…"),
    "offline": lazy_gettext("this computer is offline"),
    "server_unreachable": lazy_gettext("the server cannot be reached"),
    "server_failed": lazy_gettext("the server could not do it"),
    "logged_out": lazy_gettext("you are logged out; log in again in another window"),
    "not_saved": lazy_gettext(
        "Not saved: %(reason)s. What you typed is still here; trying again in %(seconds)s seconds."
        " Keep this page open."
    ),
    "refused": lazy_gettext("Not saved: %(reason)s"),
    "conflict_short": lazy_gettext("not saved, see below"),
    "rows_full": lazy_gettext("This table takes at most %(most)s rows."),
    "row_dropped": lazy_gettext("Row deleted."),
    "pasted": lazy_gettext("%(count)s rows inserted."),
    "paste_odd": lazy_gettext("Row %(row)s, %(column)s: “%(text)s” does not fit and was left out."),
    "lines_differ": lazy_gettext(
        "The budget lines add up to %(total)s yuan, %(difference)s yuan away from"
        " the %(requested)s requested."
    ),
    "splits_differ": lazy_gettext(
        "The channels add up to %(total)s yuan, %(difference)s yuan away from the %(requested)s requested."
    ),
    "take_total": lazy_gettext("Use the total"),
    "similar_compare": lazy_gettext("Compare"),
    "uploading": lazy_gettext("Uploading %(name)s"),
    "file_refused": lazy_gettext("“%(name)s” was not taken: %(reason)s"),
    "file_too_large": lazy_gettext("The file is larger than %(most)s."),
    "file_too_large_short": lazy_gettext("The file is too large"),
}


def script_texts() -> dict[str, str]:
    """Key → sentence, places such as %(name)s still open for the script."""
    return {key: str(sentence) for key, sentence in _SENTENCES.items()}
