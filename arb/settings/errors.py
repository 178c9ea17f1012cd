"""What is wrong with the settings, in one line."""

from __future__ import annotations


class SettingsError(Exception):
    """A setting cannot be used; the message is one line: where, which key, and what is allowed.

    It never carries the value of a key.
    """
