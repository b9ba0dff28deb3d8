"""Notifiers: one module for each means of telling people, found by listing this folder.

A notifier gives a message its sink's form, cuts it to the sink's limits, and as its last step neutralises all text that
the sink could obey instead of show: one function for each sink, at the end, never earlier. It sends once and says what
became of it. To add one, write one module here and one recording in `tests/recordings/notifiers/`; `docs/notify.md` shows how.
"""
