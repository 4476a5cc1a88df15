"""Messages: told through the outbox in the same transaction as what happened, delivered by a worker,
read in the inbox. `templates` has the words, `outbox` takes in, `delivery` hands out, `inbox` shows."""

from app.services.message.delivery import CLAIM_LASTS, MAX_ATTEMPTS, Delivered, deliver_due
from app.services.message.inbox import (
    inbox,
    inbox_statement,
    mark_read,
    purge_delivered,
    sms_statement,
    unread_count,
    unread_count_query,
)
from app.services.message.outbox import (
    EVERYWHERE,
    IN_APP_ONLY,
    Notice,
    link_to,
    notify,
    notify_all,
    wake_up,
)
from app.services.message.templates import TEMPLATES, MessageTemplate, label_of, sms_text, text_of

__all__ = [
    "CLAIM_LASTS",
    "EVERYWHERE",
    "IN_APP_ONLY",
    "MAX_ATTEMPTS",
    "TEMPLATES",
    "Delivered",
    "MessageTemplate",
    "Notice",
    "deliver_due",
    "inbox",
    "inbox_statement",
    "label_of",
    "link_to",
    "mark_read",
    "notify",
    "notify_all",
    "purge_delivered",
    "sms_statement",
    "sms_text",
    "text_of",
    "unread_count",
    "unread_count_query",
    "wake_up",
]
