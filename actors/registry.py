"""Names: every node by its path, and by its short name where that is unique."""

from __future__ import annotations

from difflib import get_close_matches
from weakref import WeakValueDictionary

import attrs

from actors.cell import Cell
from actors.errors import UnknownActor
from actors.node import Node

# As many as fit in the one line that a person reads.
SUGGESTIONS_MAX = 3
# Half the letters: names are short, and a wrong suggestion costs nothing.
SIMILARITY_MIN = 0.5


@attrs.define(eq=False, repr=False)
class Registry:
    """The nodes of one tree. Removed cells stay findable for as long as an address is held."""

    _by_path: dict[str, Node] = attrs.field(factory=dict)
    _by_name: dict[str, list[Node]] = attrs.field(factory=dict)
    _removed: WeakValueDictionary[str, Cell] = attrs.field(factory=WeakValueDictionary)

    def __repr__(self) -> str:
        """Say how many nodes there are."""
        return f"<Registry of {len(self._by_path)}>"

    def add(self, node: Node) -> None:
        """Make a node findable."""
        self._by_path[node.path] = node
        self._by_name.setdefault(node.name, []).append(node)

    def discard(self, node: Node) -> None:
        """Take a node out; its cell is remembered for addresses that still point to it."""
        if self._by_path.get(node.path) is node:
            del self._by_path[node.path]
            named = self._by_name[node.name]
            named.remove(node)
            if not named:
                del self._by_name[node.name]
            if isinstance(node, Cell):
                self._removed[node.path] = node

    def recall(self, path: str) -> Cell | None:
        """Return the removed cell of this path if somebody still holds its address."""
        return self._removed.pop(path, None)

    def find(self, name: str) -> Node:
        """Return the node of this path or short name, or raise `UnknownActor` with the nearest."""
        if name in self._by_path:
            return self._by_path[name]
        named = self._by_name.get(name, [])
        if len(named) == 1:
            return named[0]
        if named:
            paths = ", ".join(node.path for node in named)
            raise UnknownActor(f"{name} is ambiguous: say which of {paths}")
        known = dict.fromkeys([*self._by_path, *self._by_name])
        close = ", ".join(get_close_matches(name, known, SUGGESTIONS_MAX, SIMILARITY_MIN))
        raise UnknownActor(f"no actor is named {name}" + (f"; nearest: {close}" if close else ""))
