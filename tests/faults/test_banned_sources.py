"""What a simulation runs may take time, chance and order from nowhere but what it is handed.

`tests/test_tidy.py` bans clocks and dice in all shipped code; here is what else would make two
runs of one seed differ: threads, real sockets, and the order of sets.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

# What is run in a simulation; commands, the terminal and real files are not.
SIMULATED = (
    "actors",
    "arb/core",
    "arb/engine",
    "arb/feeds",
    "arb/io",
    "arb/journal",
    "arb/kalshi",
    "arb/sim",
    "arb/faults",
)

MODULES = frozenset({"asyncio", "concurrent", "multiprocessing", "select", "threading"})
OF_TRIO = frozenset({"to_thread", "from_thread", "socket", "open_tcp_stream", "open_tcp_listeners"})

# Where one of these stands for a good reason, which no simulation reaches.
ALLOWED = {
    "actors/watchdog.py": "its thread is started on demand, and no simulation does",
    "arb/engine/control.py": "the console's socket; a simulation opens none",
    "arb/engine/control_socket.py": "the console's socket; a simulation opens none",
    "arb/engine/last_resort.py": "a thread of a real run; a simulation ends its stops itself",
    "arb/engine/log_file.py": "a real file; a simulation keeps its log in memory",
    "arb/engine/offload.py": "threads of a real run; a simulation calls in place",
    "arb/io/net.py": "the real network behind the seam",
    "arb/io/rendezvous.py": "where the console finds a real engine",
    "arb/kalshi/signatures_ahead.py": "threads of a real run; a simulation signs in place",
    "arb/sim/host.py": "the real listeners of arb sim",
    "arb/faults/spread.py": "one process for each share of the seeds",
    "arb/faults/proxied.py": "real processes and sockets, which no simulation runs",
    "arb/faults/tcp_proxy.py": "real sockets, which no simulation has",
    "arb/faults/wire_faults.py": "the errors that a socket raises",
}


def offences(source: str) -> Iterator[str]:
    """Name imports and calls that bring in time, chance or order from outside."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.partition(".")[0] in MODULES | {"socket"}:
                    yield f"{node.lineno}: import {alias.name}"
        elif isinstance(node, ast.ImportFrom):
            if (node.module or "").partition(".")[0] in MODULES:
                yield f"{node.lineno}: from {node.module}"
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            if node.value.id == "trio" and node.attr in OF_TRIO:
                yield f"{node.lineno}: trio.{node.attr}"
        elif isinstance(node, (ast.For, ast.comprehension)) and _is_set(node.iter):
            yield f"{node.iter.lineno}: the order of a set"


def _is_set(node: ast.expr) -> bool:
    if isinstance(node, (ast.Set, ast.SetComp)):
        return True
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        return node.func.id in {"set", "frozenset"}
    return False


def files() -> list[Path]:
    """Return every file that a simulation may run."""
    return sorted(path for folder in SIMULATED for path in (ROOT / folder).rglob("*.py"))


def test_nothing_that_is_simulated_draws_on_anything_else() -> None:
    """No thread, no real socket, no order of a set, but where it is named why."""
    found = [
        f"{path.relative_to(ROOT)}:{offence}"
        for path in files()
        if str(path.relative_to(ROOT)) not in ALLOWED
        for offence in offences(path.read_text())
    ]

    assert found == []


@pytest.mark.parametrize("name", ALLOWED)
def test_every_exception_is_needed(name: str) -> None:
    """The list of exceptions holds nothing that has become needless."""
    assert list(offences((ROOT / name).read_text()))


@pytest.mark.parametrize(
    "source",
    [
        "import threading\n",
        "from multiprocessing import Pool\n",
        "import socket\n",
        "import trio\nasync def f():\n    await trio.to_thread.run_sync(g)\n",
        "for x in {1, 2}:\n    pass\n",
        "y = [x for x in set(z)]\n",
    ],
)
def test_the_rule_finds_what_it_forbids(source: str) -> None:
    """Each thing that is banned is found."""
    assert list(offences(source))
