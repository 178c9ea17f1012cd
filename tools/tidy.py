"""The project's rules of style, each as a function from a file's text to its offences.

`tests/test_tidy.py` applies them to every file: a rule that no program checks is only a wish.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

FUNCTION_LINES_MAX = 70  # one screen: what does not fit is read in pieces and understood in none
FILE_LINES_MAX = 400  # one concept a file; what is longer holds two

# What tells the time or rolls dice by itself. A run can only be simulated and repeated when both
# are handed in.
ALLOWED_OF = {"random": {"Random"}, "secrets": set[str](), "time": set[str]()}
FORBIDDEN_OF = {"os": {"getrandom", "urandom"}, "uuid": {"uuid1", "uuid4"}}
TODAY = {"now", "utcnow", "today"}

LEFTOVER = re.compile(r"\b(?:TODO|FIXME|XXX|HACK)\b")
NAMED_PATH = re.compile(r"`((?:actors|arb|docs|tests|tools)/[\w./-]*\w)[/`]")
ADDRESS = re.compile(r"\w+://")
REGISTRY = re.compile(r"pypi\.org|pythonhosted|index-url[ =]+\S|find-links[ =]+\S|/simple\b")


def long_functions(source: str) -> Iterator[str]:
    """Name functions that are longer than one screen."""
    for function in _functions(ast.parse(source)):
        lines = (function.end_lineno or function.lineno) - function.lineno + 1
        if lines > FUNCTION_LINES_MAX:
            yield f"{function.lineno}: {function.name} has {lines} lines"


def long_file(source: str) -> Iterator[str]:
    """Say whether a file is too long."""
    lines = source.count("\n")
    if lines > FILE_LINES_MAX:
        yield f"{lines} lines"


def own_clock_or_dice(source: str) -> Iterator[str]:
    """Name uses of a clock or a random source that was not handed in."""
    tree = ast.parse(source)
    modules = {
        (alias.asname or alias.name): alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for alias in node.names
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                if _unrepeatable(node.module or "", alias.name):
                    yield f"{node.lineno}: from {node.module} import {alias.name}"
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            module = modules.get(node.value.id, "")
            if _unrepeatable(module, node.attr):
                yield f"{node.lineno}: {module}.{node.attr}"
        if isinstance(node, ast.Call):
            yield from _odd_call(node)


def prints(source: str) -> Iterator[str]:
    """Name calls of print."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "print":
            yield f"{node.lineno}: print"


def assertions(source: str) -> Iterator[str]:
    """Name assert statements, which python -O takes out."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Assert):
            yield f"{node.lineno}: assert"


def leftovers(source: str) -> Iterator[str]:
    """Name lines that promise to be finished some day."""
    for number, line in enumerate(source.splitlines(), start=1):
        if LEFTOVER.search(line):
            yield f"{number}: {line.strip()}"


def silent_tests(source: str) -> Iterator[str]:
    """Name test functions that do not say which behaviour they show."""
    for function in _functions(ast.parse(source)):
        if function.name.startswith("test_") and not ast.get_docstring(function):
            yield f"{function.lineno}: {function.name}"


def sleeping_or_mocking(source: str) -> Iterator[str]:
    """Name what makes tests slow or untrue: real sleep, and mocks that agree with anything."""
    for node in ast.walk(ast.parse(source)):
        names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        yield from (f"{_line(node)}: {name}" for name in names if name.startswith("unittest"))
        if isinstance(node, ast.Attribute) and ast.unparse(node) == "time.sleep":
            yield f"{node.lineno}: time.sleep"


def foreign_imports(source: str, allowed: frozenset[str]) -> Iterator[str]:
    """Name imports from outside the standard library and ``allowed`` packages."""
    for node in ast.walk(ast.parse(source)):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
        for name in names:
            within = any(name == each or name.startswith(f"{each}.") for each in allowed)
            if not within and name.partition(".")[0] not in sys.stdlib_module_names:
                yield f"{_line(node)}: {name}"


def missing_paths(text: str, root: Path) -> Iterator[str]:
    """Name the paths that a document mentions and that are not there."""
    for match in NAMED_PATH.finditer(text):
        if not (root / match[1]).exists():
            yield match[1]


def addresses(text: str) -> Iterator[str]:
    """Name lines of a lock that carry an address: where packages come from is the machine's."""
    for number, line in enumerate(text.splitlines(), start=1):
        if ADDRESS.search(line) or REGISTRY.search(line):
            yield f"{number}: {line.strip()}"


def registries(text: str) -> Iterator[str]:
    """Name lines that say where packages come from."""
    for number, line in enumerate(text.splitlines(), start=1):
        if REGISTRY.search(line):
            yield f"{number}: {line.strip()}"


def _functions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def _unrepeatable(module: str, name: str) -> bool:
    if module in ALLOWED_OF:
        return name not in ALLOWED_OF[module]
    return name in FORBIDDEN_OF.get(module, ())


def _odd_call(call: ast.Call) -> Iterator[str]:
    name = ast.unparse(call.func)
    if name.rpartition(".")[2] in TODAY and "date" in name:
        yield f"{call.lineno}: {name}"
    if name in {"random.Random", "Random"} and not call.args:
        yield f"{call.lineno}: {name}() without a seed"


def _line(node: ast.AST) -> int:
    return int(getattr(node, "lineno", 0))
