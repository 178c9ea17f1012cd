"""Where a program can be killed."""

from __future__ import annotations

from enum import StrEnum


class KillPoint(StrEnum):
    """Where a program can be killed: at each await of an order's way, and at each write."""

    BEFORE_APPEND = "before append"
    IN_APPEND = "in append"
    AFTER_APPEND = "after append"
    BEFORE_SEND = "before send"
    AFTER_SEND = "after send"
    AT_ANSWER = "at answer"
    AT_PRIVATE_FRAME = "at private frame"
    AT_READING = "at reading"
