"""What modules, and what belongs to them, are called in a picture."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

__all__ = ["ModulePaths"]


class ModulePaths:
    """The paths of modules, and of their parameters and buffers, from the outermost modules on.

    Parameters
    ----------
    outermost : the modules that were called from outside all others
    names : what the person calls things, by identity; '' for a module whose name is not to be written
    """

    def __init__(self, outermost: Iterable[Any], names: dict[int, str]) -> None:
        self.of: dict[int, str] = {}
        self.owned: dict[int, str] = {}
        for root in outermost:
            start = names.get(id(root), "")
            for path, module in root.named_modules():
                self.of.setdefault(id(module), _joined(start, path))
            for path, tensor in (*root.named_parameters(), *root.named_buffers()):
                self.owned.setdefault(id(tensor), _joined(start, path))

    def path(self, modules: tuple[Any, ...]) -> str:
        """The path of the last of these modules, each of which was called within the one before; may be empty."""
        return self.of.get(id(modules[-1]), "") if modules else ""


def _joined(start: str, path: str) -> str:
    return f"{start}.{path}" if start and path else start or path
