"""Names: every node by its path, and by its short name where that is unique."""

from __future__ import annotations

from difflib import get_close_matches
from weakref import WeakValueDictionary

from actors.cell import Cell
from actors.errors import UnknownActor
from actors.node import Node

# As many as fit in the one line that a person reads.
SUGGESTIONS_MAX = 3
# Half the letters: names are short, and a wrong suggestion costs nothing.
SIMILARITY_MIN = 0.5


class Registry:
    """The nodes of one tree. Removed cells stay findable for as long as an address is held."""

    __slots__ = ("_by_name", "_by_path", "_removed")

    def __init__(self) -> None:
        """Start empty."""
        self._by_path: dict[str, Node] = {}
        self._by_name: dict[str, list[Node]] = {}
        self._removed: WeakValueDictionary[str, Cell] = WeakValueDictionary()

    def __repr__(self) -> str:
        """Say how many nodes there are."""
        return f"<Registry of {len(self._by_path)}>"

    def __contains__(self, path: str) -> bool:
        """Return whether a node has this path."""
        return path in self._by_path

    def add(self, node: Node) -> None:
        """Make a node findable."""
        self._by_path[node.path] = node
        self._by_name.setdefault(node.name, []).append(node)

    def discard(self, node: Node) -> None:
        """Take a node out; its cell is remembered for addresses that still point to it."""
        if self._by_path.get(node.path) is node:
            del self._by_path[node.path]
            self._by_name[node.name].remove(node)
            if isinstance(node, Cell):
                self._removed[node.path] = node

    def recall(self, path: str) -> Cell | None:
        """Return the removed cell of this path if somebody still holds its address."""
        return self._removed.pop(path, None)

    def find(self, name: str) -> Node:
        """Return the node of this path or short name, or raise `UnknownActor` with the nearest."""
        node = self._by_path.get(name)
        if node is not None:
            return node
        named = self._by_name.get(name, [])
        if len(named) == 1:
            return named[0]
        if named:
            paths = ", ".join(node.path for node in named)
            raise UnknownActor(f"{name} is ambiguous: say which of {paths}")
        raise UnknownActor(f"no actor is named {name}{self._suggest(name)}")

    def _suggest(self, name: str) -> str:
        known = [*self._by_path, *(short for short, nodes in self._by_name.items() if nodes)]
        close = get_close_matches(name, known, SUGGESTIONS_MAX, SIMILARITY_MIN)
        nearest = list(dict.fromkeys(close))
        return f"; nearest: {', '.join(nearest)}" if nearest else ""
