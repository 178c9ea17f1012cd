"""A text that must not be seen: keys and where they lie."""

from __future__ import annotations

import attrs

MASK = "****"


@attrs.frozen(repr=False)
class Secret:
    """A text that shows itself only to who asks for it by name; everywhere else it is masked."""

    _text: str = ""

    def reveal(self) -> str:
        """Return the text itself, for the one place that needs it."""
        return self._text

    def __bool__(self) -> bool:
        return bool(self._text)

    def __str__(self) -> str:
        return MASK if self._text else ""

    def __repr__(self) -> str:
        return f"<Secret {'set' if self._text else 'empty'}>"
