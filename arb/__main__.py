"""``python -m arb`` is the ``arb`` command."""

from __future__ import annotations

from arb.cli import main

main()
