"""Compiled steps on disk, found by what they were compiled from and for.

One file a step, ``<key>.step``::

    "autograd-core step 1", a line   what kind of file this is
    32 bytes                         SHA-256 of all that follows
    8 bytes                          size of the description, little-endian
    description                      JSON: what was asked for, how long it took to compile ...
    object code

The key is the hash of the source and of the :func:`environment`, so that nothing in the cache ever gets out of date;
what is not asked for any more is the first to go when the cache is full.  Files appear complete, by renaming, and are
read only if everything in them agrees: a process may be killed at any moment, and any number of them may work at once.
Nothing is forced to the disk: after a power failure a file may be damaged, and is then compiled again.

The environment variable ``AUTOGRAD_CORE_CACHE`` names another folder, or is ``off``;
``AUTOGRAD_CORE_CACHE_SIZE`` is the limit in megabytes.
"""

from __future__ import annotations

import functools
import hashlib
import json
import math
import os
import re
import secrets
import stat
import struct
import sys
import time
import warnings
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

__all__ = ["Cache", "Entry", "Step", "current", "environment"]

MAGIC = b"autograd-core step 1\n"
MEGABYTES = 256
ABANDONED = 3600  # seconds after which a temporary file has no writer any more
_HASHED = len(MAGIC) + 32
_DESCRIBED = _HASHED + 8
_NAME = re.compile(r"[0-9a-f]{64}\.step")
_TEMPORARY = re.compile(r"\.[0-9a-f]{64}\.step\.[0-9a-f]{16}")


class Step(NamedTuple):
    """Native code, and how to call it."""

    code: bytes
    symbol: str
    needed: list[str]
    seconds: float


class Entry(NamedTuple):
    """What the cache holds of one step."""

    key: str
    size: int
    used: float
    seconds: float
    source: str


# What a step depends on


@functools.cache
def environment() -> dict[str, str]:
    """All that native code depends on besides its source; of our own version that is the text of the kernels."""
    import llvmlite
    import llvmlite.binding as llvm
    import numpy as np

    python = sys.implementation.name, *sys.version_info[:2], 8 * struct.calcsize("P")
    settings = {name: value for name, value in sorted(os.environ.items()) if name.startswith("NUMBA_")}
    return {
        "python": " ".join(map(str, python)),
        "numpy": np.__version__,
        "numba": _numba(),
        "llvmlite": llvmlite.__version__,
        "kernels": _hash_of_kernels(),
        "machine": llvm.get_process_triple(),
        "processor": llvm.get_host_cpu_name(),
        "features": llvm.get_host_cpu_features().flatten(),
        "settings": json.dumps(settings),
    }


def _numba() -> str:
    """Numba's version without importing it, which takes longer than all the rest."""
    from importlib.util import find_spec

    found = find_spec("numba")
    if found is None or found.origin is None:
        raise ModuleNotFoundError("No module named 'numba'", name="numba")
    # What importlib.metadata would say; importing that takes longer than reading this.
    written = re.search(r'"version": "(.+?)"', Path(found.origin).with_name("_version.py").read_text())
    if written is None:
        from importlib.metadata import version

        return version("numba")
    return written[1]


def _hash_of_kernels() -> str:
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parents[1].joinpath("kernels").glob("*.py")):
        text = path.read_bytes()
        digest.update(f"{path.name} {len(text)}\n".encode() + text)
    return digest.hexdigest()


# The folder


class Cache:
    """A folder of compiled steps.

    Parameters
    ----------
    folder : made when something is stored
    limit : the most bytes that all entries may have together
    """

    def __init__(self, folder: Path, limit: int) -> None:
        self.folder, self.limit = folder, limit

    def load(self, key: str, asked: dict[str, Any]) -> Step | None:
        """What is stored under a key, if it is what is asked for; else None, with a warning if it is damaged."""
        path = self._path(key)
        try:
            if self._refused():
                return None
            description, code = _read(path)
            if description["asked"] != asked:
                raise ValueError("it was compiled from something else")
        except FileNotFoundError:
            return None
        except OSError as error:
            _warn_once(f"cannot read {path} ({error.strerror}); it is compiled again")
            return None
        except ValueError as error:
            self.discard(key, str(error))
            return None
        with suppress(OSError):
            os.utime(path)  # used now
        return Step(code, description["symbol"], description["needed"], description["seconds"])

    def save(self, key: str, asked: dict[str, Any], step: Step) -> None:
        """Store a step.  If that is not possible there is a warning, once."""
        described = {"asked": asked, "symbol": step.symbol, "needed": step.needed, "seconds": step.seconds}
        description = json.dumps(described).encode()
        content = len(description).to_bytes(8, "little") + description + step.code
        content = MAGIC + hashlib.sha256(content).digest() + content
        if len(content) > self.limit:
            return
        path = self._path(key)
        try:
            self.folder.mkdir(0o700, parents=True, exist_ok=True)
            if self._refused():
                return
            self._write(path, content)
            self._shrink(path.name)
        except OSError as error:
            if not path.exists():  # where files in use cannot be replaced, another process has just written it
                _warn_once(
                    f"cannot keep compiled steps in {self.folder} ({error.strerror}): every process compiles its own. "
                    "Set AUTOGRAD_CORE_CACHE to another folder, or to off"
                )

    def discard(self, key: str, why: str) -> None:
        """Remove an entry that cannot be used, with a warning."""
        path = self._path(key)
        with suppress(OSError):
            path.unlink()
        message = f"autograd_core: the compiled step {path} is damaged ({why}); it is compiled again"
        warnings.warn(message, RuntimeWarning, stacklevel=2)

    def entries(self) -> list[Entry]:
        """What is stored, the last used first."""
        found = []
        for name, status in self._files(_NAME):
            seconds, source = math.nan, "(damaged)"
            with suppress(OSError, ValueError):
                description, _ = _read(self.folder / name)
                seconds, source = description["seconds"], description["asked"]["source"]
            found.append(Entry(name.removesuffix(".step"), status.st_size, status.st_mtime, seconds, source))
        return sorted(found, key=lambda entry: -entry.used)

    def clear(self) -> int:
        """Remove everything; how many entries there were."""
        self._sweep()
        names = [name for name, _ in self._files(_NAME)]
        for name in names:
            self.folder.joinpath(name).unlink(missing_ok=True)
        return len(names)

    def _path(self, key: str) -> Path:
        return self.folder / f"{key}.step"

    def _refused(self) -> bool:
        """Whether somebody else could put code here; with a warning, once."""
        why = _not_ours(os.stat(self.folder))
        if why:
            _warn_once(f"the cache {self.folder} is not used, since it {why}: it holds code that would be run")
        return why is not None

    def _write(self, path: Path, content: bytes) -> None:
        temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
        try:
            with open(temporary, "xb", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
                file.write(content)
            os.replace(temporary, path)
        finally:
            with suppress(FileNotFoundError):
                temporary.unlink()

    def _shrink(self, newest: str) -> None:
        """Remove what was not used for longest until the limit is kept."""
        self._sweep()
        files = sorted(self._files(_NAME), key=lambda file: (file[0] == newest, file[1].st_mtime_ns))
        size = sum(status.st_size for _, status in files)
        for name, status in files:
            if size <= self.limit:
                break
            with suppress(OSError):
                self.folder.joinpath(name).unlink()
            size -= status.st_size

    def _sweep(self) -> None:
        """Remove what killed processes left."""
        for name, status in self._files(_TEMPORARY):
            if time.time() - status.st_mtime > ABANDONED:
                with suppress(OSError):
                    self.folder.joinpath(name).unlink()

    def _files(self, kind: re.Pattern[str]) -> Iterator[tuple[str, os.stat_result]]:
        with suppress(FileNotFoundError), os.scandir(self.folder) as found:
            for file in found:
                if kind.fullmatch(file.name):
                    with suppress(FileNotFoundError):  # another process removed it
                        yield file.name, file.stat(follow_symlinks=False)


def current() -> Cache | None:
    """The cache that the environment asks for, if it does not ask for none.

    Raises
    ------
    ValueError
        If the limit is no number.
    """
    size = os.environ.get("AUTOGRAD_CORE_CACHE_SIZE") or str(MEGABYTES)
    try:
        limit = int(float(size) * 2**20)
    except (ValueError, OverflowError):
        raise ValueError(f"AUTOGRAD_CORE_CACHE_SIZE: expected a number of megabytes, got {size!r}") from None
    given = os.environ.get("AUTOGRAD_CORE_CACHE")
    if given == "off":
        return None
    if given:
        return Cache(Path(given).absolute(), limit)
    import platformdirs

    folder = Path(platformdirs.user_cache_dir("autograd-core", appauthor=False))
    if not folder.is_absolute():
        _warn_once("compiled steps are not kept, since this user has no home folder; set AUTOGRAD_CORE_CACHE")
        return None
    return Cache(folder, limit)


# Reading with distrust


def _read(path: Path) -> tuple[dict[str, Any], bytes]:
    """The description and the code in a file; a ValueError if it cannot be trusted."""
    with open(path, "rb") as file:
        why = _not_ours(os.fstat(file.fileno()))
        if why:
            raise ValueError(f"it {why}")
        content = file.read()
    if not content.startswith(MAGIC):
        raise ValueError("it is no compiled step of this version")
    if content[len(MAGIC) : _HASHED] != hashlib.sha256(content[_HASHED:]).digest():
        raise ValueError("its content has changed")
    end = _DESCRIBED + int.from_bytes(content[_HASHED:_DESCRIBED], "little")
    return json.loads(content[_DESCRIBED:end]), content[end:]


def _not_ours(status: os.stat_result) -> str | None:
    """Who else may change a file or folder, if anybody."""
    if not hasattr(os, "geteuid"):
        return None
    if status.st_uid != os.geteuid():
        return "belongs to another user"
    if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        return "can be changed by other users"
    return None


_said: set[str] = set()


def _warn_once(message: str) -> None:
    if message not in _said:
        _said.add(message)
        warnings.warn(f"autograd_core: {message}", RuntimeWarning, stacklevel=3)
