"""The pages of declarations: the form, the lists, one declaration to be read, its attachments."""

from app.views.declaration.attachment import AttachmentView
from app.views.declaration.bin import DeclarationBinView
from app.views.declaration.declared import DeclarationView
from app.views.declaration.drafts import DeclarationDraftView

__all__ = ["AttachmentView", "DeclarationBinView", "DeclarationDraftView", "DeclarationView"]
