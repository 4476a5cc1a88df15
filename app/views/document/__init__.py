"""What the pages of the documents that a unit fills in share: form, autosave, drafts, recycle bin."""
